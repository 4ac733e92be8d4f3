"""The names of one function while it is checked.

Rules
- A local has one type: from its annotation, or from the value first assigned to it.
- A local that is assigned in one place only has the interval of that value, and if the
  value is fixed (`fold.is_fixed`), it is read as that value. Others have the range of
  their type.
- A local may be read only where it is certainly assigned. `assigned` is the set of
  names that are, or None where control cannot come.
- The variable of a `for` lives in its loop, is not assigned there, and may be reused
  by the next loop.
- After an error in a statement, the names it would have made are `poisoned`: what
  uses them is not reported again.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from generator.compiler.ir import (
    Expr,
    Local,
)
from generator.compiler.types import Type
from generator.errors import Diagnostic

Reached = frozenset[str] | None
"""Names certainly assigned; None where control cannot come."""


class Poisoned(Exception):
    """A statement uses a name whose own statement was refused before."""


@dataclass(slots=True)
class Loop:
    """An enclosing loop: what is assigned wherever a `break` leaves it."""

    breaks: list[Reached] = field(default_factory=list)


@dataclass(slots=True)
class FunctionScope:
    """Locals of a function; see the module for the rules."""

    stores: Counter[str]
    result: Type
    errors: list[Diagnostic] = field(default_factory=list)
    locals: dict[str, Local] = field(default_factory=dict)
    fixed: dict[str, Expr] = field(default_factory=dict)
    counters: dict[str, Local] = field(default_factory=dict)
    old_counters: set[str] = field(default_factory=set)
    declared_global: set[str] = field(default_factory=set)
    poisoned: set[str] = field(default_factory=set)
    loops: list[Loop] = field(default_factory=list)
    reached: Reached = frozenset()

    def is_local(self, name: str) -> bool:
        """Tell whether Python takes the name for a local of this function."""
        return (
            name in self.locals
            or name in self.counters
            or name in self.fixed
            or name in self.poisoned
            or (self.stores[name] > 0 and name not in self.declared_global)
        )

    def is_assigned(self, name: str) -> bool:
        return self.reached is None or name in self.reached

    def mark_assigned(self, name: str) -> None:
        if self.reached is not None:
            self.reached |= {name}

    @property
    def is_unreachable(self) -> bool:
        return self.reached is None


def merge(paths: Iterable[Reached]) -> Reached:
    """Return what is assigned where paths meet."""
    live = [path for path in paths if path is not None]
    return frozenset.intersection(*live) if live else None


def count_stores(py_function: ast.FunctionDef) -> Counter[str]:
    """Count the places that assign each name; a parameter counts as one."""
    counts = Counter(arg.arg for arg in py_function.args.args)
    for node in ast.walk(py_function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            counts[node.id] += 1
        match node:
            case ast.AnnAssign(value=None, target=ast.Name(id=name)):
                counts[name] -= 1  # only declared
            case _:
                pass
    return counts

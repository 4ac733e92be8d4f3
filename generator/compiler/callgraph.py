"""Pass 5: order functions by their calls; refuse recursion; drop what nothing calls.

Out: callees before callers, which inlining needs, and lowering too, since a caller
checks for a fault only after functions that can fault. The order depends only on the
source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from generator.compiler.ir import (
    Call,
)
from generator.compiler.ir_statements import (
    FunctionIR,
)
from generator.compiler.source_module import SourceModule
from generator.compiler.symbols import FunctionSymbol
from generator.compiler.walk import all_expressions
from generator.errors import CompileError


def order_functions(
    functions: Iterable[FunctionIR], modules: Mapping[str, SourceModule]
) -> list[FunctionIR]:
    """Return all functions, callees first."""
    known = {f.symbol: f for f in functions}
    order = _Order(known, modules)
    for function in known.values():
        order.visit(function)
    return list(order.done.values())


def reachable(
    functions: Iterable[FunctionIR], roots: Iterable[FunctionSymbol]
) -> list[FunctionIR]:
    """Return the functions that can run, in the order given."""
    known = {f.symbol: f for f in functions}
    found: set[FunctionSymbol] = set()
    waiting = list(roots)
    while waiting:
        symbol = waiting.pop()
        if symbol not in found:
            found.add(symbol)
            waiting.extend(callees(known[symbol]))
    return [function for symbol, function in known.items() if symbol in found]


def callees(function: FunctionIR) -> list[FunctionSymbol]:
    """Return the guest functions that a function calls, each once."""
    called = {
        expr.target: None
        for expr in all_expressions(function.body)
        if isinstance(expr, Call) and isinstance(expr.target, FunctionSymbol)
    }
    return list(called)


@dataclass(slots=True)
class _Order:
    known: Mapping[FunctionSymbol, FunctionIR]
    modules: Mapping[str, SourceModule]
    done: dict[FunctionSymbol, FunctionIR] = field(default_factory=dict)
    path: list[FunctionSymbol] = field(default_factory=list)

    def visit(self, function: FunctionIR) -> None:
        symbol = function.symbol
        if symbol in self.done:
            return
        if symbol in self.path:
            raise self._refuse(symbol)
        self.path.append(symbol)
        for callee in callees(function):
            self.visit(self.known[callee])
        self.path.pop()
        self.done[symbol] = function

    def _refuse(self, symbol: FunctionSymbol) -> CompileError:
        cycle = [*self.path[self.path.index(symbol) :], symbol]
        chain = " -> ".join(s.name for s in cycle)
        module = self.modules[symbol.module]
        return module.refusal("GST0036", f"recursion: {chain}", symbol.py_node)

"""Pass 6: put the bodies of small functions where they are called.

    def word(at: u32) -> u32:            offset = load_u32(TABLE, u32(row + 4))
        return load_u32(TABLE, at)  ==>
    offset = word(u32(row + 4))

Engines do not do this for Wasm as it matters here (a SHA-256 block with calls takes
four times as long), and what is inlined folds: constant arguments take checks away.

- Inlined are `@inline` functions, functions that are called once, small ones that are
  one `return`, and in loops also others that are small and neither loop nor call.
- An argument takes the place of its parameter if the body does not assign it and the
  argument is fixed, a local, or cheap and used once. Others go to fresh locals first,
  in order.
- A body that is one `return` becomes a `Let`, others an `InlineBlock`; where the caller
  returns its value, the body's own returns become those of the caller.

In and out: functions, callees first. What is not called any more is left to
`callgraph.reachable`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from generator.compiler import fold
from generator.compiler.callgraph import callees
from generator.compiler.ir import (
    Binary,
    Call,
    Compare,
    Const,
    Convert,
    Exit,
    Expr,
    InlineBlock,
    Local,
    Not,
    ReadLocal,
)
from generator.compiler.ir_statements import (
    Assign,
    For,
    FunctionIR,
    Return,
    Stmt,
    While,
)
from generator.compiler.passes import Pass, Passes
from generator.compiler.rewrite import Rewriter
from generator.compiler.symbols import FunctionSymbol
from generator.compiler.types import TupleType
from generator.compiler.walk import (
    all_expressions,
    all_statements,
    assigned_locals,
    within,
)

MAX_NODES: Final = 32
"""A function of one `return` with more expressions than this is called, not inlined,
unless it is called from one place only."""

MAX_LEAF_NODES: Final = 48
"""The same for functions of several statements, which only loops take in."""

MAX_MOVED_NODES: Final = 8

MAX_DEPTH: Final = 12
"""So deep do bodies that are inlined since they are called once lie in one another:
the passes that follow walk them by recursion."""


def inline_calls(
    functions: Sequence[FunctionIR], roots: Iterable[FunctionSymbol], passes: Passes
) -> list[FunctionIR]:
    """Inline calls in all functions. `roots` are called from outside."""
    calls = _count_calls(functions)
    calls.update(roots)
    inliner = _Inliner(calls, passes)
    return [inliner.function(function) for function in functions]


def _count_calls(functions: Iterable[FunctionIR]) -> Counter[FunctionSymbol]:
    return Counter(
        expr.target
        for function in functions
        for expr in all_expressions(function.body)
        if isinstance(expr, Call) and isinstance(expr.target, FunctionSymbol)
    )


@dataclass(slots=True)
class _Inliner:
    calls: Counter[FunctionSymbol]
    passes: Passes
    inlinable: dict[FunctionSymbol, FunctionIR] = field(default_factory=dict)
    leaves: dict[FunctionSymbol, FunctionIR] = field(default_factory=dict)
    depths: dict[FunctionSymbol, int] = field(default_factory=dict)

    def function(self, function: FunctionIR) -> FunctionIR:
        body = function.body
        expanded = [
            f for f in callees(function) if f in self.inlinable or f in self.leaves
        ]
        if expanded:
            body = Rewriter(self.expand).function(function.parameters, body)
        depth = 1 + max((self.depths[f] for f in expanded), default=0)
        self.depths[function.symbol] = depth
        done = FunctionIR(function.symbol, function.parameters, function.result, body)
        if self._is_inlinable(done):
            self.inlinable[done.symbol] = done
        elif Pass.INLINE_IN_LOOPS in self.passes and _is_leaf(done):
            self.leaves[done.symbol] = done
        return done

    def _is_inlinable(self, function: FunctionIR) -> bool:
        if function.symbol.is_inline:
            return True
        if self.calls[function.symbol] == 1 and self._is_taken_in(function.symbol):
            return True
        value = _only_value(function)
        if value is None or Pass.INLINE_SMALL not in self.passes:
            return False
        if self.calls[function.symbol] == 1:
            return True
        return sum(1 for _ in within(value)) <= MAX_NODES

    def _is_taken_in(self, once: FunctionSymbol) -> bool:
        is_made = Pass.INLINE_ONCE in self.passes
        return is_made and self.depths[once] <= MAX_DEPTH

    def expand(self, call: Call, loops: int) -> Expr:
        """Return what a call with rewritten arguments becomes, within so many loops."""
        if not isinstance(call.target, FunctionSymbol):
            return call
        callee = self.inlinable.get(call.target)
        if callee is None and loops > 0:
            callee = self.leaves.get(call.target)
        return call if callee is None else _expand(callee, call.arguments)


def _is_leaf(function: FunctionIR) -> bool:
    """Tell whether a function is short, and neither loops nor calls."""
    if any(isinstance(s, For | While) for s in all_statements(function.body)):
        return False
    expressions = list(all_expressions(function.body))
    has_calls = any(isinstance(e, Call | InlineBlock) for e in expressions)
    return not has_calls and len(expressions) <= MAX_LEAF_NODES


def _only_value(function: FunctionIR) -> Expr | None:
    """Return the expression of a function that is one `return` of one value."""
    match function.body:
        case (Return(values=(value,)),) if not isinstance(value.type, TupleType):
            return value
        case _:
            return None


def _keep(call: Call, loops: int) -> Expr:
    return call


def _expand(callee: FunctionIR, arguments: tuple[Expr, ...]) -> Expr:
    """Make the body of `callee` with arguments for parameters."""
    value = _only_value(callee)
    uses = _count_uses(callee)
    assigned = set(assigned_locals(callee.body))
    placed: dict[Local, Expr] = {}
    bindings: list[tuple[Local, Expr]] = []
    for parameter, argument in zip(callee.parameters, arguments, strict=True):
        is_once = value is not None and uses[parameter] <= 1 and _is_movable(argument)
        if parameter not in assigned and (_is_placed(argument) or is_once):
            placed[parameter] = argument
        else:
            is_fixed = parameter not in assigned
            interval = argument.interval if is_fixed else parameter.interval
            local = Local(
                f"{callee.symbol.name}.{parameter.name}", parameter.type, interval
            )
            placed[parameter] = fold.read_local(local)
            bindings.append((local, argument))
    return _body(callee, value, placed, bindings)


def _body(
    callee: FunctionIR,
    value: Expr | None,
    placed: dict[Local, Expr],
    bindings: list[tuple[Local, Expr]],
) -> Expr:
    prefix = f"{callee.symbol.name}."
    if value is not None:
        rewriter = Rewriter(_keep, placed, prefix)
        return fold.let(tuple(bindings), rewriter.expr(value))
    exit_ = Exit(callee.symbol.name)
    rewriter = Rewriter(_keep, placed, prefix, exit_)
    before: tuple[Stmt, ...] = tuple(Assign(local, e) for local, e in bindings)
    body = (*before, *rewriter.function(callee.parameters, callee.body))
    interval = fold.range_of(callee.result)
    return InlineBlock(exit_, body, callee.result, interval)


def _count_uses(callee: FunctionIR) -> Counter[Local]:
    return Counter(
        expr.local
        for expr in all_expressions(callee.body)
        if isinstance(expr, ReadLocal)
    )


def _is_placed(argument: Expr) -> bool:
    return fold.is_fixed(argument) or isinstance(argument, ReadLocal)


def _is_movable(argument: Expr) -> bool:
    """Tell whether an argument may be evaluated later: pure, total and small."""
    size = 0
    for expr in within(argument):
        size += 1
        match expr:
            case Const() | ReadLocal() | Convert() | Compare() | Not():
                pass
            case Binary(operation=operation) if operation not in ("//", "%"):
                pass
            case _:
                return False
    return size <= MAX_MOVED_NODES

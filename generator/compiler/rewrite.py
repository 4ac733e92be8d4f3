"""Rebuild IR bottom-up, with locals replaced and calls rewritten.

Every node is made again by fold.py, so intervals get narrower and constants fold
where a replaced local was what kept them from it. With a `prefix` every local of the
body becomes a fresh one, and with an `exit` every `Return` becomes a `Leave`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from generator.compiler import fold
from generator.compiler.ir import (
    Binary,
    Call,
    Choose,
    Compare,
    Const,
    Convert,
    Element,
    Exit,
    Expr,
    Extreme,
    InlineBlock,
    Length,
    Let,
    LoadBytes,
    Local,
    Logic,
    Not,
    PoolItem,
    ReadField,
    ReadGlobal,
    ReadLocal,
    Rotate,
    SameBytes,
    Slice,
    Static,
)
from generator.compiler.ir_statements import (
    Assert,
    Assign,
    Break,
    Continue,
    CopyBytes,
    Evaluate,
    For,
    If,
    Leave,
    Return,
    Stmt,
    StoreBytes,
    StoreElement,
    StoreField,
    Unpack,
    While,
)
from generator.compiler.symbols import GlobalSymbol
from generator.compiler.types import NONE
from generator.compiler.walk import assigned_locals

Place = Local | GlobalSymbol | None


@dataclass(slots=True)
class Rewriter:
    """See the module. `call` gets calls whose arguments are rewritten, and the number
    of loops around them.

    A local that the body assigns once, and then a fixed value, is replaced by it:
    with constant arguments such locals come up that the checker did not see.
    """

    call: Callable[[Call, int], Expr]
    replaced: dict[Local, Expr] = field(default_factory=dict)
    prefix: str = ""
    exit: Exit | None = None
    exits: dict[Exit, Exit] = field(default_factory=dict)
    once: set[Local] = field(default_factory=set)
    loops: int = 0

    def expr(self, expr: Expr) -> Expr:
        return _EXPRESSIONS[type(expr)](self, expr)

    def function(
        self, parameters: Sequence[Local], body: Sequence[Stmt]
    ) -> tuple[Stmt, ...]:
        """Rewrite the body of a function. Its call assigns the parameters too."""
        counts = Counter([*parameters, *assigned_locals(body)])
        self.once = {
            local
            for local, count in counts.items()
            if count == 1 and isinstance(local, Local)
        }
        return self.body(body)

    def body(self, body: Sequence[Stmt]) -> tuple[Stmt, ...]:
        rewritten: list[Stmt] = []
        for statement in body:
            rewritten += _STATEMENTS[type(statement)](self, statement)
        return tuple(rewritten)

    def exprs(self, exprs: Sequence[Expr]) -> tuple[Expr, ...]:
        return tuple(self.expr(expr) for expr in exprs)

    def returning(self, values: tuple[Expr, ...]) -> list[Stmt]:
        """Make a `return`; of a body that was inlined, its own returns."""
        match values:
            case (InlineBlock(exit=inner, body=body, type=type_),) if type_ != NONE:
                return self._without_exit(inner, body)
            case _:
                return [
                    Return(values) if self.exit is None else Leave(self.exit, values)
                ]

    def _without_exit(self, exit_: Exit, body: Sequence[Stmt]) -> list[Stmt]:
        made: list[Stmt] = []
        for statement in body:
            match statement:
                case Leave(exit=left, values=values) if left is exit_:
                    made += self.returning(values)
                case If(condition=condition, then=then, otherwise=otherwise):
                    blocks = (
                        tuple(self._without_exit(exit_, b)) for b in (then, otherwise)
                    )
                    made.append(If(condition, *blocks))
                case While(condition=condition, body=inner):
                    made.append(
                        While(condition, tuple(self._without_exit(exit_, inner)))
                    )
                case For():
                    inner = tuple(self._without_exit(exit_, statement.body))
                    made.append(replace(statement, body=inner))
                case _:
                    made.append(statement)
        return made

    def place(self, place: Place) -> Place:
        """Return the place that an assignment of the new body goes to."""
        return self.local(place) if isinstance(place, Local) else place

    def local(self, local: Local) -> Local:
        if not self.prefix:
            return local
        replaced = self.replaced.get(local)
        if replaced is None:
            fresh = Local(self.prefix + local.name, local.type, local.interval)
            replaced = ReadLocal(fresh, fresh.type, fresh.interval)
            self.replaced[local] = replaced
        assert isinstance(replaced, ReadLocal)
        return replaced.local

    def read(self, expr: ReadLocal) -> Expr:
        replaced = self.replaced.get(expr.local)
        if replaced is None:
            return fold.read_local(self.local(expr.local)) if self.prefix else expr
        return replaced

    def block_exit(self, exit_: Exit) -> Exit:
        return self.exits.setdefault(exit_, Exit(exit_.name)) if self.prefix else exit_


# --- expressions ---------------------------------------------------------------------


def _same(r: Rewriter, e: Expr) -> Expr:
    return e


def _slice(r: Rewriter, e: Slice) -> Expr:
    stop = None if e.stop is None else r.expr(e.stop)
    return Slice(r.expr(e.array), r.expr(e.start), stop)


def _load(r: Rewriter, e: LoadBytes) -> Expr:
    view, offset = r.expr(e.view), r.expr(e.offset)
    size, is_big = e.size_bytes, e.is_big_endian
    return LoadBytes(view, offset, size, is_big, e.type, e.interval)


def _logic(r: Rewriter, e: Logic) -> Expr:
    join = fold.conjunction if e.operation == "and" else fold.disjunction
    return join(r.expr(e.left), r.expr(e.right))


def _extreme(r: Rewriter, e: Extreme) -> Expr:
    make = fold.minimum if e.operation == "min" else fold.maximum
    return make(r.expr(e.left), r.expr(e.right))


def _choose(r: Rewriter, e: Choose) -> Expr:
    condition = r.expr(e.condition)
    return fold.choose(condition, r.expr(e.then), r.expr(e.otherwise), e.type)


def _call(r: Rewriter, e: Call) -> Expr:
    return r.call(Call(e.target, r.exprs(e.arguments), e.type, e.interval), r.loops)


def _let(r: Rewriter, e: Let) -> Expr:
    bindings = []
    for local, value in e.bindings:
        new_value = r.expr(value)
        bindings.append((r.local(local), new_value))
    return fold.let(tuple(bindings), r.expr(e.body))


def _inline_block(r: Rewriter, e: InlineBlock) -> Expr:
    exit_ = r.block_exit(e.exit)
    return InlineBlock(exit_, r.body(e.body), e.type, e.interval)


_EXPRESSIONS: Final[Mapping[type[Any], Callable[[Rewriter, Any], Expr]]] = {
    Const: _same,
    ReadGlobal: _same,
    Static: _same,
    ReadLocal: lambda r, e: r.read(e),
    Binary: lambda r, e: fold.binary(e.operation, r.expr(e.left), r.expr(e.right)),
    Convert: lambda r, e: fold.convert(e.type, r.expr(e.operand)),
    Compare: lambda r, e: fold.compare(e.operation, r.expr(e.left), r.expr(e.right)),
    SameBytes: lambda r, e: SameBytes(r.expr(e.left), r.expr(e.right)),
    Not: lambda r, e: fold.negate(r.expr(e.operand)),
    Logic: _logic,
    Choose: _choose,
    Extreme: _extreme,
    Rotate: lambda r, e: fold.rotate_right(r.expr(e.value), r.expr(e.amount)),
    Length: lambda r, e: fold.length(r.expr(e.array)),
    Element: lambda r, e: fold.element(r.expr(e.array), r.expr(e.index), e.type),
    LoadBytes: _load,
    Slice: _slice,
    PoolItem: lambda r, e: PoolItem(e.pool, r.expr(e.index), e.type),
    ReadField: lambda r, e: fold.read_field(r.expr(e.record), e.field),
    Call: _call,
    Let: _let,
    InlineBlock: _inline_block,
}


# --- statements ----------------------------------------------------------------------


def _assign(r: Rewriter, s: Assign) -> list[Stmt]:
    value = r.expr(s.value)
    if isinstance(s.target, Local) and s.target in r.once and fold.is_fixed(value):
        r.replaced[s.target] = value
        return []
    place = r.place(s.target)
    assert place is not None
    return [Assign(place, value)]


def _unpack(r: Rewriter, s: Unpack) -> list[Stmt]:
    value = r.expr(s.value)
    return [Unpack(tuple(r.place(target) for target in s.targets), value)]


def _if(r: Rewriter, s: If) -> list[Stmt]:
    condition = r.expr(s.condition)
    if isinstance(condition, Const):
        return list(r.body(s.then if condition.value else s.otherwise))
    return [If(condition, r.body(s.then), r.body(s.otherwise))]


def _while(r: Rewriter, s: While) -> list[Stmt]:
    r.loops += 1
    condition = r.expr(s.condition)
    body = r.body(s.body)
    r.loops -= 1
    if isinstance(condition, Const) and not condition.value:
        return []
    return [While(condition, body)]


def _for(r: Rewriter, s: For) -> list[Stmt]:
    start, stop = r.expr(s.start), r.expr(s.stop)
    counter = s.counter
    if r.prefix:
        counter = fold.loop_counter(r.prefix + counter.name, start, stop, s.step)
        r.replaced[s.counter] = ReadLocal(counter, counter.type, counter.interval)
    r.loops += 1
    body = r.body(s.body)
    r.loops -= 1
    return [For(counter, start, stop, s.step, body)]


def _return(r: Rewriter, s: Return) -> list[Stmt]:
    return r.returning(r.exprs(s.values))


def _assert(r: Rewriter, s: Assert) -> list[Stmt]:
    condition = r.expr(s.condition)
    is_sure = isinstance(condition, Const) and condition.value == 1
    return [] if is_sure else [Assert(condition)]


def _store_bytes(r: Rewriter, s: StoreBytes) -> list[Stmt]:
    parts = r.expr(s.buffer), r.expr(s.offset), r.expr(s.value)
    return [StoreBytes(*parts, s.size_bytes, s.is_big_endian)]


_STATEMENTS: Final[Mapping[type[Any], Callable[[Rewriter, Any], list[Stmt]]]] = {
    Assign: _assign,
    Unpack: _unpack,
    StoreField: lambda r, s: [StoreField(r.expr(s.record), s.field, r.expr(s.value))],
    StoreElement: lambda r, s: [
        StoreElement(r.expr(s.array), r.expr(s.index), r.expr(s.value))
    ],
    StoreBytes: _store_bytes,
    CopyBytes: lambda r, s: [
        CopyBytes(r.expr(s.buffer), r.expr(s.offset), r.expr(s.source))
    ],
    If: _if,
    While: _while,
    For: _for,
    Break: lambda r, s: [s],
    Continue: lambda r, s: [s],
    Return: _return,
    Leave: lambda r, s: [Leave(r.block_exit(s.exit), r.exprs(s.values))],
    Assert: _assert,
    Evaluate: lambda r, s: [Evaluate(r.expr(s.value))],
}

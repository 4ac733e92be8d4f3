"""Check that IR keeps its invariants (ir.py). Tests run it after every pass.

It finds bugs of the compiler, not of programs: a program that the checker took must
never fail here. It shares no code with the checker or with fold.py, except for the
interval tables, whose own tests compare them with all values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from generator.compiler.dump import dump_function
from generator.compiler.interval import OF_OPERATION, RING, Interval, fits_64
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
    InlineBlock,
    Let,
    LoadBytes,
    Local,
    PoolItem,
    ReadLocal,
    Slice,
)
from generator.compiler.ir_statements import (
    Assign,
    Break,
    Continue,
    For,
    FunctionIR,
    Leave,
    Return,
    Stmt,
    StoreElement,
    StoreField,
    Unpack,
    While,
)
from generator.compiler.types import NONE, IntType, ScalarType, TupleType, Type
from generator.compiler.walk import (
    assigned_locals,
    blocks,
    operands,
    statement_operands,
)
from generator.errors import InternalError


def verify(functions: Iterable[FunctionIR]) -> None:
    """Raise InternalError for the first function that is not as it must be."""
    for function in functions:
        verifier = _Verifier(function, set(function.parameters))
        verifier.block(function.body, in_loop=False)
        if verifier.problems:
            listing = "\n".join(verifier.problems)
            raise InternalError(f"{listing}\n{dump_function(function)}")


@dataclass(slots=True)
class _Verifier:
    """Walks one function in order of evaluation. `known` are locals with a value."""

    function: FunctionIR
    known: set[Local]
    exits: dict[Exit, Type] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def require(self, holds: bool, problem: str, *what: object) -> None:
        if not holds:
            details = " ".join(str(item) for item in what)
            self.problems.append(f"{problem}: {details}")

    # --- statements ------------------------------------------------------------------

    def block(self, body: Sequence[Stmt], *, in_loop: bool) -> None:
        for statement in body:
            if not isinstance(statement, Return | Leave):
                for expr in statement_operands(statement):
                    self.value(expr)
            self.statement(statement, in_loop)
            inner = in_loop or isinstance(statement, For | While)
            for block in blocks(statement):
                self.block(block, in_loop=inner)

    def statement(self, statement: Stmt, in_loop: bool) -> None:
        match statement:
            case Assign(target=target, value=value):
                self.holds(target.type, _range(target), value, "assignment")
                if isinstance(target, Local):
                    self.known.add(target)
            case Unpack(targets=targets, value=value):
                self.unpack(targets, value)
            case For(counter=counter, start=start, stop=stop):
                self.known.add(counter)
                for bound in (start, stop):
                    self.holds(counter.type, _full(counter.type), bound, "range")
                self.require(counter not in _assigned(statement), "counter assigned")
            case Break() | Continue():
                self.require(in_loop, "not in a loop", statement)
            case Return(values=values):
                self.results(self.function.result, values)
            case Leave(exit=exit_, values=values):
                self.require(exit_ in self.exits, "leaves another block", exit_.name)
                self.results(self.exits.get(exit_, NONE), values)
            case StoreField(field=stored, value=value):
                self.holds(stored.type, _full(stored.type), value, "field")
            case StoreElement(index=index):
                self.require(index.interval.low >= 0, "negative index", index)
            case _:
                pass

    def unpack(self, targets: Sequence[object], value: Expr) -> None:
        items = value.type.items if isinstance(value.type, TupleType) else ()
        self.require(len(items) == len(targets), "unpacked", value.type)
        for target, item in zip(targets, items, strict=False):
            if isinstance(target, Local):
                inside = _full(item).is_within(_range(target))
                self.require(inside, "unpacked too much", target.name)
                self.known.add(target)

    def results(self, type_: Type, values: Sequence[Expr]) -> None:
        if len(values) == 1 and isinstance(values[0].type, TupleType):
            self.value(values[0])
            self.require(values[0].type == type_, "results", values[0].type)
            return
        items: tuple[ScalarType, ...] = ()
        if isinstance(type_, TupleType):
            items = type_.items
        elif type_ != NONE:
            items = (type_,)
        self.require(len(items) == len(values), "number of results", len(values))
        for item, value in zip(items, values, strict=False):
            self.value(value)
            self.holds(item, _full(item), value, "result")

    def holds(self, type_: Type, interval: Interval, value: Expr, what: str) -> None:
        """Require that a place of a type takes a value."""
        if isinstance(type_, IntType):
            is_int = isinstance(value.type, IntType)
            self.require(is_int, f"{what} of another type", value.type)
            self.require(value.interval.is_within(interval), f"{what} too large", value)
        else:
            self.require(value.type == type_, f"{what} of another type", value.type)

    # --- expressions -----------------------------------------------------------------

    def value(self, expr: Expr) -> None:
        """Verify an expression whose value is needed exactly."""
        if isinstance(expr.type, IntType):
            self.require(fits_64(expr.interval), "exceeds 64 bits", expr)
        self.expr(expr)

    def expr(self, expr: Expr) -> None:
        match expr:
            case Let(bindings=bindings, body=body):
                for local, bound in bindings:
                    self.value(bound)
                    self.holds(local.type, local.interval, bound, "binding")
                    self.known.add(local)
                self.expr(body)
            case InlineBlock(exit=exit_, body=statements):
                self.exits[exit_] = expr.type
                self.block(statements, in_loop=False)
                del self.exits[exit_]
            case Binary() if expr.operation in RING:
                self.expr(expr.left)
                self.expr(expr.right)
            case Convert(operand=operand):
                self.expr(operand)
            case Choose():
                self.value(expr.condition)
                self.expr(expr.then)
                self.expr(expr.otherwise)
            case _:
                for operand in operands(expr):
                    self.value(operand)
        for problem in _wrong(expr):
            self.require(False, problem, expr)
        if isinstance(expr, ReadLocal):
            self.require(expr.local in self.known, "has no value", expr.local.name)


def _wrong(expr: Expr) -> Iterator[str]:
    """Yield what is wrong with one node, its operands taken as right."""
    match expr:
        case Const(value=value) if isinstance(expr.type, IntType):
            if expr.interval != (value, value):
                yield "interval of a constant"
        case ReadLocal(local=local):
            if expr.interval != local.interval or expr.type != local.type:
                yield "interval of a local"
        case Binary(operation=operation, left=left, right=right):
            if expr.interval != OF_OPERATION[operation](left.interval, right.interval):
                yield "interval of an operation"
        case Compare(left=left, right=right) if isinstance(left.type, IntType):
            if not fits_64(left.interval.union(right.interval)):
                yield "no common width"
        case Element(index=place) | PoolItem(index=place) | LoadBytes(offset=place):
            if place.interval.low < 0:
                yield "negative place"
        case Slice(start=start, stop=stop):
            if start.interval.low < 0 or (stop and stop.interval.low < 0):
                yield "negative bound"
        case Call(target=target, arguments=arguments):
            yield from _wrong_call([t for _, t in target.parameters], arguments)
        case _:
            pass


def _wrong_call(
    types: Sequence[ScalarType], arguments: Sequence[Expr]
) -> Iterator[str]:
    if len(types) != len(arguments):
        yield "number of arguments"
    for type_, argument in zip(types, arguments, strict=False):
        if isinstance(type_, IntType):
            if not argument.interval.is_within(type_.range):
                yield "argument too large"
        elif argument.type != type_:
            yield "argument of another type"


def _full(type_: Type) -> Interval:
    return type_.range if isinstance(type_, IntType) else Interval(0, 0)


def _range(target: object) -> Interval:
    """Return what a place may hold."""
    if isinstance(target, Local) and isinstance(target.type, IntType):
        return target.interval
    return _full(getattr(target, "type", NONE))


def _assigned(loop: For) -> set[object]:
    return set(assigned_locals(loop.body))

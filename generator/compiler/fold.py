"""Make IR expressions: intervals computed, constants folded.

Every integer expression is made here, by the checker and again by the inliner, which
puts arguments in the place of parameters: `word(offset) >> 16` with a constant
argument folds as if it had been written so.

What it does not do: it never drops an operand that could fault or call, and it never
refuses anything; a result that no width can hold has type `HUGE`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Final

from generator.compiler.interval import (
    NOTHING,
    OF_OPERATION,
    Interval,
)
from generator.compiler.ir import (
    Binary,
    Choose,
    Compare,
    Comparison,
    Const,
    Convert,
    Element,
    Expr,
    Extreme,
    IntOperation,
    Length,
    Let,
    Local,
    Logic,
    Not,
    PoolItem,
    ReadField,
    ReadGlobal,
    ReadLocal,
    Rotate,
    Static,
)
from generator.compiler.symbols import GlobalSymbol
from generator.compiler.types import (
    BOOL,
    MAX_LENGTH,
    TABLE,
    U32_TYPE,
    Field,
    IntType,
    PlainType,
    ScalarType,
    Type,
    default_int_type,
)

_APPLY: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "//": operator.floordiv,
    "%": operator.mod,
}

_HOLDS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

_OPPOSITE: Final[Mapping[Comparison, Comparison]] = {
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "==": "!=",
    "!=": "==",
}


def range_of(type_: Type) -> Interval:
    """Return all values of an integer type; nothing for other types."""
    return type_.range if isinstance(type_, IntType) else NOTHING


def integer(value: int, type_: IntType | None = None) -> Const:
    interval = Interval(value, value)
    return Const(value, type_ or default_int_type(interval), interval)


def boolean(value: bool) -> Const:
    return Const(int(value), BOOL, NOTHING)


def constant(value: int, type_: IntType | PlainType | None) -> Const:
    """Make the constant of a named value."""
    return boolean(bool(value)) if type_ == BOOL else _integer(value, type_)


def _integer(value: int, type_: IntType | PlainType | None) -> Const:
    return integer(value, type_ if isinstance(type_, IntType) else None)


def read_local(local: Local) -> Expr:
    """Read a local; one that only ever holds one value reads as that value."""
    if isinstance(local.type, IntType) and local.interval.is_constant:
        return integer(local.interval.low, local.type)
    return ReadLocal(local, local.type, local.interval)


def read_global(variable: GlobalSymbol) -> ReadGlobal:
    return ReadGlobal(variable, variable.type, range_of(variable.type))


def binary(operation: IntOperation, left: Expr, right: Expr) -> Expr:
    """Make an exact arithmetic operation."""
    if isinstance(left, Const) and isinstance(right, Const):
        if right.value != 0 or operation not in ("//", "%"):
            return integer(_APPLY[operation](left.value, right.value))
    elif isinstance(right, Const) and _is_neutral(operation, right.value):
        return left
    elif isinstance(left, Const) and left.value == 0 and operation in ("+", "|", "^"):
        return right
    interval = OF_OPERATION[operation](left.interval, right.interval)
    return Binary(operation, left, right, default_int_type(interval), interval)


def _is_neutral(operation: IntOperation, right: int) -> bool:
    if right == 0:
        return operation in ("+", "-", "|", "^", "<<", ">>")
    return right == 1 and operation in ("*", "//")


def wrap(type_: IntType, value: int) -> int:
    """Return `value` modulo the width of a type, within the type."""
    size = type_.range.high - type_.range.low + 1
    return (value - type_.range.low) % size + type_.range.low


def convert(type_: IntType, operand: Expr) -> Expr:
    """Make a conversion; a bool becomes 0 or 1."""
    if isinstance(operand, Const):
        return integer(wrap(type_, operand.value), type_)
    if operand.type == BOOL:
        return Convert(operand, type_, Interval(0, 1))
    if operand.interval.is_within(type_.range):
        if operand.type == type_:
            return operand
        return Convert(operand, type_, operand.interval)
    return Convert(operand, type_, type_.range)


def compare(operation: Comparison, left: Expr, right: Expr) -> Expr:
    if isinstance(left, Const) and isinstance(right, Const):
        return boolean(_HOLDS[operation](left.value, right.value))
    return Compare(operation, left, right)


def negate(operand: Expr) -> Expr:
    """Make `not operand`."""
    match operand:
        case Const():
            return boolean(not operand.value)
        case Not():
            return operand.operand
        case Compare():
            opposite = _OPPOSITE[operand.operation]
            return Compare(opposite, operand.left, operand.right)
        case _:
            return Not(operand)


def conjunction(left: Expr, right: Expr) -> Expr:
    if isinstance(left, Const):
        return right if left.value else left
    if isinstance(right, Const) and right.value:
        return left
    return Logic("and", left, right)


def disjunction(left: Expr, right: Expr) -> Expr:
    if isinstance(left, Const):
        return left if left.value else right
    if isinstance(right, Const) and not right.value:
        return left
    return Logic("or", left, right)


def choose(condition: Expr, then: Expr, otherwise: Expr, type_: ScalarType) -> Expr:
    if isinstance(condition, Const):
        return then if condition.value else otherwise
    interval = then.interval.union(otherwise.interval)
    return Choose(condition, then, otherwise, type_, interval)


def minimum(left: Expr, right: Expr) -> Expr:
    if isinstance(left, Const) and isinstance(right, Const):
        return integer(min(left.value, right.value))
    a, b = left.interval, right.interval
    interval = Interval(min(a.low, b.low), min(a.high, b.high))
    return Extreme("min", left, right, default_int_type(interval), interval)


def maximum(left: Expr, right: Expr) -> Expr:
    if isinstance(left, Const) and isinstance(right, Const):
        return integer(max(left.value, right.value))
    a, b = left.interval, right.interval
    interval = Interval(max(a.low, b.low), max(a.high, b.high))
    return Extreme("max", left, right, default_int_type(interval), interval)


def rotate_right(value: Expr, amount: Expr) -> Expr:
    if isinstance(value, Const) and isinstance(amount, Const):
        count = amount.value & 31
        doubled = value.value << 32 | value.value
        return integer(doubled >> count & 0xFFFFFFFF, U32_TYPE)
    return Rotate(value, amount, U32_TYPE, U32_TYPE.range)


def length(array: Expr) -> Expr:
    """Make `len(array)`: a constant for static objects, embedded ones apart."""
    if isinstance(array, Static) and not array.object.is_embedded:
        return integer(array.object.count, U32_TYPE)
    return Length(array, U32_TYPE, Interval(0, MAX_LENGTH))


def element(array: Expr, index: Expr, type_: IntType) -> Expr:
    """Make `array[index]`; known elements of constant arrays are folded."""
    if isinstance(array, Static) and array.type == TABLE and isinstance(index, Const):
        object_ = array.object
        start = index.value * object_.element.size_bytes
        if 0 <= index.value < object_.count:
            raw = object_.contents[start : start + object_.element.size_bytes]
            signed = type_.range.low < 0
            return integer(int.from_bytes(raw, "little", signed=signed), type_)
    return Element(array, index, type_, type_.range)


def read_field(record: Expr, field: Field) -> ReadField:
    return ReadField(record, field, field.type, range_of(field.type))


def let(bindings: tuple[tuple[Local, Expr], ...], body: Expr) -> Expr:
    return Let(bindings, body, body.type, body.interval) if bindings else body


def counter_interval(start: Expr, stop: Expr, step: int) -> Interval:
    """Return what a loop's counter must hold: also the first value past the end.

    The end itself is included, so that both are compared in one type.
    """
    first, last = start.interval, stop.interval
    if step > 0:
        held = Interval(first.low, max(first.high, last.high - 1 + step))
    else:
        held = Interval(min(first.low, last.low + 1 + step), first.high)
    return held.union(last)


def loop_counter(name: str, start: Expr, stop: Expr, step: int) -> Local:
    """Make the variable of a `for`; its interval is what the body sees."""
    first, last = start.interval, stop.interval
    if step > 0:
        seen = Interval(first.low, max(first.low, last.high - 1))
    else:
        seen = Interval(min(first.high, last.low + 1), first.high)
    held = counter_interval(start, stop, step)
    return Local(name, default_int_type(held), seen)


def is_fixed(expr: Expr) -> bool:
    """Tell whether an expression means the same wherever it is evaluated.

    Constants, static objects, and records at a constant index of their pool.
    """
    match expr:
        case Const() | Static():
            return True
        case PoolItem(pool=pool, index=Const(value=value)):
            return value < pool.count
        case _:
            return False

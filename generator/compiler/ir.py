"""The typed intermediate representation, expressions: plain data, no behaviour.

Made by the checker, rewritten by the inliner, read by layout and lowering; dumped by
dump.py and checked by verify.py. It keeps Python's structure (trees of expressions
inside structured statements, ir_statements.py), since Wasm has the same.

Invariants
- Every expression has a `type`; an integer one has an `interval` that holds all its
  values. For other types the interval is (0, 0).
- Arithmetic is exact. Only an operand of `Convert` may exceed 64 bits, and then only
  through ring operations (`interval.RING`).
- Evaluation order is Python's, left to right.
- `Local`s and `StaticObject`s, `FunctionSymbol`s and so on are compared as below: a
  local by identity, static objects by contents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from generator.compiler.interval import NOTHING, Interval
from generator.compiler.symbols import (
    FunctionSymbol,
    GlobalSymbol,
    HostcallSymbol,
    RuntimeSymbol,
    StaticObject,
)
from generator.compiler.types import (
    BOOL,
    VIEW,
    Field,
    IntType,
    PlainType,
    RecordType,
    ScalarType,
    Type,
)

if TYPE_CHECKING:
    from generator.compiler.ir_statements import Stmt

IntOperation = Literal["+", "-", "*", "&", "|", "^", "<<", ">>", "//", "%"]
Comparison = Literal["<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """A local variable. `interval` bounds every value it ever holds."""

    name: str
    type: ScalarType
    interval: Interval


# --- Expressions ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Const:
    """An integer or a bool (0 or 1)."""

    value: int
    type: IntType | PlainType
    interval: Interval


@dataclass(frozen=True, slots=True)
class ReadLocal:
    local: Local
    type: ScalarType
    interval: Interval


@dataclass(frozen=True, slots=True)
class ReadGlobal:
    variable: GlobalSymbol
    type: IntType | PlainType
    interval: Interval


@dataclass(frozen=True, slots=True)
class Static:
    """The whole of a static object, as a view, buffer, word array or table."""

    object: StaticObject
    type: PlainType
    interval: Interval = NOTHING


@dataclass(frozen=True, slots=True)
class Binary:
    operation: IntOperation
    left: Expr
    right: Expr
    type: IntType
    interval: Interval


@dataclass(frozen=True, slots=True)
class Convert:
    """`u32(x)` and its like: x modulo the type's width, as a value of the type."""

    operand: Expr
    type: IntType
    interval: Interval


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of two integers or of two bools."""

    operation: Comparison
    left: Expr
    right: Expr
    type: PlainType = BOOL
    interval: Interval = NOTHING


@dataclass(frozen=True, slots=True)
class SameBytes:
    """`left == right` of two views."""

    left: Expr
    right: Expr
    type: PlainType = BOOL
    interval: Interval = NOTHING


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expr
    type: PlainType = BOOL
    interval: Interval = NOTHING


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` and `or`; the right operand is evaluated only if it matters."""

    operation: Literal["and", "or"]
    left: Expr
    right: Expr
    type: PlainType = BOOL
    interval: Interval = NOTHING


@dataclass(frozen=True, slots=True)
class Choose:
    """`then if condition else otherwise`."""

    condition: Expr
    then: Expr
    otherwise: Expr
    type: ScalarType
    interval: Interval


@dataclass(frozen=True, slots=True)
class Extreme:
    """`min` or `max` of two integers."""

    operation: Literal["min", "max"]
    left: Expr
    right: Expr
    type: IntType
    interval: Interval


@dataclass(frozen=True, slots=True)
class Rotate:
    """`rotr32`: both operands are u32, the amount counts modulo 32."""

    value: Expr
    amount: Expr
    type: IntType
    interval: Interval


@dataclass(frozen=True, slots=True)
class Length:
    """The length of a view, buffer or word array that is not known yet."""

    array: Expr
    type: IntType
    interval: Interval


@dataclass(frozen=True, slots=True)
class Element:
    """`array[index]`; faults outside the bounds."""

    array: Expr
    index: Expr
    type: IntType
    interval: Interval


@dataclass(frozen=True, slots=True)
class LoadBytes:
    """`load_u32(view, offset)` and its like; faults outside the bounds."""

    view: Expr
    offset: Expr
    size_bytes: int
    is_big_endian: bool
    type: IntType
    interval: Interval


@dataclass(frozen=True, slots=True)
class Slice:
    """`array[start:stop]` as a view; an absent `stop` is the length."""

    array: Expr
    start: Expr
    stop: Expr | None
    type: PlainType = VIEW
    interval: Interval = NOTHING


@dataclass(frozen=True, slots=True)
class PoolItem:
    """`POOL[index]`; faults outside the pool."""

    pool: StaticObject
    index: Expr
    type: RecordType
    interval: Interval = NOTHING


@dataclass(frozen=True, slots=True)
class ReadField:
    record: Expr
    field: Field
    type: IntType | PlainType
    interval: Interval


@dataclass(frozen=True, slots=True)
class Call:
    target: FunctionSymbol | HostcallSymbol | RuntimeSymbol
    arguments: tuple[Expr, ...]
    type: Type
    interval: Interval


@dataclass(frozen=True, slots=True)
class Let:
    """Evaluate values into fresh locals, in order, then `body`."""

    bindings: tuple[tuple[Local, Expr], ...]
    body: Expr
    type: Type
    interval: Interval


@dataclass(frozen=True, slots=True, eq=False)
class Exit:
    """The end of an `InlineBlock`, the target of its `Leave`s."""

    name: str


@dataclass(frozen=True, slots=True)
class InlineBlock:
    """The body of an inlined function; its value is what it `Leave`s with."""

    exit: Exit
    body: tuple[Stmt, ...]
    type: Type
    interval: Interval


Expr = (
    Const
    | ReadLocal
    | ReadGlobal
    | Static
    | Binary
    | Convert
    | Compare
    | SameBytes
    | Not
    | Logic
    | Choose
    | Extreme
    | Rotate
    | Length
    | Element
    | LoadBytes
    | Slice
    | PoolItem
    | ReadField
    | Call
    | Let
    | InlineBlock
)

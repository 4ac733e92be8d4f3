"""Types of the guest language and how they are carried in Wasm.

A view, a buffer and a word array are two i32: address and length. A record is one
i32, its address. Integers up to 32 bits and bool are an i32, in range and without
stray upper bits; 64-bit integers are an i64. A tuple exists only between a `return`
and the assignment that takes it apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from generator.compiler.interval import I32, I64, U32, U64, Interval
from generator.wasm.opcodes import ValueType


@dataclass(frozen=True, slots=True)
class IntType:
    """An integer type: its values are the integers of `range`."""

    name: str
    size_bytes: int
    range: Interval

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class PlainType:
    """A type that is fully described by its name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record."""

    name: str
    type: IntType | PlainType
    offset_bytes: int
    default: int


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record; fields are aligned by their size, records by their largest field."""

    name: str
    fields: tuple[Field, ...]
    size_bytes: int

    def __str__(self) -> str:
        return self.name

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)


@dataclass(frozen=True, slots=True)
class TupleType:
    """The results of a function that returns several."""

    items: tuple[ScalarType, ...]

    def __str__(self) -> str:
        return f"tuple[{', '.join(str(item) for item in self.items)}]"


ScalarType = IntType | PlainType | RecordType
Type = ScalarType | TupleType

U8: Final = IntType("u8", 1, Interval(0, 2**8 - 1))
U16_TYPE: Final = IntType("u16", 2, Interval(0, 2**16 - 1))
U32_TYPE: Final = IntType("u32", 4, U32)
U64_TYPE: Final = IntType("u64", 8, U64)
I32_TYPE: Final = IntType("i32", 4, I32)
I64_TYPE: Final = IntType("i64", 8, I64)
HUGE: Final = IntType("an integer of more than 64 bits", 8, Interval(-(2**63), 2**64))
"""Type of an intermediate value that exists only inside `u32(...)` and the like."""

BOOL: Final = PlainType("bool")
VIEW: Final = PlainType("View")
BUFFER: Final = PlainType("Buffer")
WORDS: Final = PlainType("Words")
NONE: Final = PlainType("None")
TABLE: Final = PlainType("constant array")

INT_TYPES: Final = {
    t.name: t for t in (U8, U16_TYPE, U32_TYPE, U64_TYPE, I32_TYPE, I64_TYPE)
}
NAMED_TYPES: Final[dict[str, IntType | PlainType]] = {
    **INT_TYPES,
    **{t.name: t for t in (BOOL, VIEW, BUFFER, WORDS)},
}

MAX_LENGTH: Final = 2**30
"""No view is longer: Envoy's V8 stops at 1 GiB of memory (envoy-wasm.md, 1.1)."""


def default_int_type(interval: Interval) -> IntType:
    """Return the type of an arithmetic result that nobody annotated."""
    for candidate in (U32_TYPE, I32_TYPE, U64_TYPE, I64_TYPE):
        if interval.is_within(candidate.range):
            return candidate
    return HUGE


def flatten(type_: Type) -> tuple[ValueType, ...]:
    """Return the Wasm values that carry a value of this type."""
    match type_:
        case TupleType():
            return tuple(v for item in type_.items for v in flatten(item))
        case IntType():
            return (ValueType.I64 if type_.size_bytes == 8 else ValueType.I32,)
        case RecordType():
            return (ValueType.I32,)
        case PlainType():
            if type_ == NONE:
                return ()
            if type_ == BOOL:
                return (ValueType.I32,)
            return (ValueType.I32, ValueType.I32)


def size_of(type_: IntType | PlainType) -> int:
    """Return the bytes of a record's field."""
    return type_.size_bytes if isinstance(type_, IntType) else 1

"""Intervals: what an integer expression can be, and the width that holds it.

Guest arithmetic is exact. The compiler knows bounds of every integer expression, as
Python integers, and from them chooses i32 or i64, refuses what 64 bits cannot hold,
and drops checks that cannot fail. Each function returns bounds that hold for every
pair of operands; where a tight bound is hard, a wider one is right too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple


class Interval(NamedTuple):
    """All integers from `low` to `high`, both included."""

    low: int
    high: int

    def is_within(self, other: Interval) -> bool:
        return other.low <= self.low and self.high <= other.high

    def union(self, other: Interval) -> Interval:
        return Interval(min(self.low, other.low), max(self.high, other.high))

    @property
    def is_constant(self) -> bool:
        return self.low == self.high

    def __str__(self) -> str:
        return str(self.low) if self.is_constant else f"{self.low} to {self.high}"


U32: Final = Interval(0, 2**32 - 1)
I32: Final = Interval(-(2**31), 2**31 - 1)
U64: Final = Interval(0, 2**64 - 1)
I64: Final = Interval(-(2**63), 2**63 - 1)
NOTHING: Final = Interval(0, 0)
"""The interval of expressions that are not integers."""


def fits_32(interval: Interval) -> bool:
    """Tell whether 32 bits hold the value, signed or unsigned."""
    return interval.is_within(U32) or interval.is_within(I32)


def fits_64(interval: Interval) -> bool:
    """Tell whether 64 bits hold the value, signed or unsigned."""
    return interval.is_within(I64) or interval.is_within(U64)


def width(interval: Interval) -> int:
    """Return the narrowest width, 32 or 64, that holds the value."""
    return 32 if fits_32(interval) else 64


def add(a: Interval, b: Interval) -> Interval:
    return Interval(a.low + b.low, a.high + b.high)


def subtract(a: Interval, b: Interval) -> Interval:
    return Interval(a.low - b.high, a.high - b.low)


def multiply(a: Interval, b: Interval) -> Interval:
    corners = (a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)
    return Interval(min(corners), max(corners))


def shift_left(a: Interval, b: Interval) -> Interval:
    """Bounds for amounts from 0 to 63, which the checker has made sure of."""
    return multiply(a, Interval(1 << b.low, 1 << b.high))


def shift_right(a: Interval, b: Interval) -> Interval:
    corners = (a.low >> b.low, a.low >> b.high, a.high >> b.low, a.high >> b.high)
    return Interval(min(corners), max(corners))


def floor_divide(a: Interval, b: Interval) -> Interval:
    """Bounds for a dividend from 0 up; a zero divisor is a fault, so not counted."""
    return Interval(a.low // max(b.high, 1), a.high // max(b.low, 1))


def modulo(a: Interval, b: Interval) -> Interval:
    if a.high < b.low:
        return a
    return Interval(0, min(a.high, max(b.high - 1, 0)))


def bit_and(a: Interval, b: Interval) -> Interval:
    if a.low >= 0 and b.low >= 0:
        return Interval(0, min(a.high, b.high))
    if a.low >= 0:
        return Interval(0, a.high)
    if b.low >= 0:
        return Interval(0, b.high)
    return _signed_bits(a, b)


def bit_or(a: Interval, b: Interval) -> Interval:
    if a.low >= 0 and b.low >= 0:
        return Interval(max(a.low, b.low), _all_ones(max(a.high, b.high)))
    return _signed_bits(a, b)


def bit_xor(a: Interval, b: Interval) -> Interval:
    if b == (-1, -1):  # this is how `~x` reads
        return Interval(-1 - a.high, -1 - a.low)
    if a.low >= 0 and b.low >= 0:
        return Interval(0, _all_ones(max(a.high, b.high)))
    return _signed_bits(a, b)


def _all_ones(value: int) -> int:
    return (1 << value.bit_length()) - 1


def _signed_bits(a: Interval, b: Interval) -> Interval:
    ends = (*a, *b)
    bits = max((~end if end < 0 else end).bit_length() for end in ends)
    return Interval(-(1 << bits), (1 << bits) - 1)


OF_OPERATION: Final[Mapping[str, Callable[[Interval, Interval], Interval]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "&": bit_and,
    "|": bit_or,
    "^": bit_xor,
    "<<": shift_left,
    ">>": shift_right,
    "//": floor_divide,
    "%": modulo,
}

RING: Final = frozenset(["+", "-", "*", "&", "|", "^", "<<"])
"""Operations whose low bits depend only on the low bits of their operands."""

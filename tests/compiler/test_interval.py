"""Intervals hold all values: compared with all small values, and with wide samples."""

from __future__ import annotations

import operator
from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.compiler.interval import (
    I32,
    I64,
    OF_OPERATION,
    U32,
    U64,
    Interval,
    fits_32,
    fits_64,
    width,
)

APPLY: Final = {
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
SMALL: Final = [Interval(a, b) for a in range(-5, 6) for b in range(a, 6)]
NATURAL: Final = [i for i in SMALL if i.low >= 0]


def _values(interval: Interval) -> range:
    return range(interval.low, interval.high + 1)


@pytest.mark.parametrize("operation", OF_OPERATION)
def test_small_intervals_hold_every_result(operation: str) -> None:
    lefts = NATURAL if operation in ("//", "%") else SMALL
    rights = NATURAL if operation in ("//", "%", "<<", ">>") else SMALL
    for a, b in product(lefts, rights):
        made = OF_OPERATION[operation](a, b)
        for x, y in product(_values(a), _values(b)):
            if y != 0 or operation not in ("//", "%"):
                assert made.low <= APPLY[operation](x, y) <= made.high, (a, b, x, y)


@pytest.mark.parametrize("operation", ["+", "-", "*", "<<", ">>"])
def test_small_intervals_are_tight(operation: str) -> None:
    rights = NATURAL if operation in ("<<", ">>") else SMALL
    for a, b in product(SMALL, rights):
        results = {APPLY[operation](x, y) for x in _values(a) for y in _values(b)}
        assert OF_OPERATION[operation](a, b) == (min(results), max(results))


WIDE: Final = st.tuples(st.integers(-(2**64), 2**64), st.integers(-(2**64), 2**64)).map(
    lambda ends: Interval(min(ends), max(ends))
)


@given(st.sampled_from(["+", "-", "*", "&", "|", "^"]), WIDE, WIDE, st.data())
def test_wide_intervals(
    operation: str, a: Interval, b: Interval, data: st.DataObject
) -> None:
    made = OF_OPERATION[operation](a, b)
    x = data.draw(st.integers(a.low, a.high))
    y = data.draw(st.integers(b.low, b.high))
    assert made.low <= APPLY[operation](x, y) <= made.high


@pytest.mark.parametrize(
    ("interval", "bits"),
    [
        (U32, 32),
        (I32, 32),
        (Interval(-1, 2**31), 64),
        (Interval(0, 2**32), 64),
        (U64, 64),
        (I64, 64),
    ],
)
def test_width(interval: Interval, bits: int) -> None:
    assert width(interval) == bits
    assert fits_32(interval) == (bits == 32)
    assert fits_64(interval)


@pytest.mark.parametrize(
    "interval", [Interval(-1, 2**63), Interval(0, 2**64), Interval(-(2**63) - 1, 0)]
)
def test_what_64_bits_do_not_hold(interval: Interval) -> None:
    assert not fits_64(interval)

"""From values to places on paper, and the ticks of an axis: linear or logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_STEPS: Final = (1, 2, 5, 10)
_MOST_TICKS: Final = 7


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps `low`..`high` onto `start`..`end` pixels."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        low, high, at = self.low, self.high, value
        if self.is_log:
            low, high, at = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (at - low) / (high - low) * (self.end - self.start)


def linear(values: Sequence[float], start: float, end: float) -> Scale:
    """Return a scale from zero (or the least value, if below) to a round number."""
    low, high = min(0.0, *values), max(0.0, *values)
    high = high if high > low else 1.0
    step = _round_step(high - low)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(number * step for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], start, end, False, ticks)


def logarithmic(values: Sequence[float], start: float, end: float) -> Scale:
    """Return a scale between powers of ten; raise ValueError unless all are above 0."""
    if min(values) <= 0:
        raise ValueError("a logarithmic axis shows values above zero only")
    first = math.floor(math.log10(min(values)))
    last = max(math.ceil(math.log10(max(values))), first + 1)
    ticks = tuple(10.0**power for power in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], start, end, True, ticks)


def tick_text(value: float) -> str:
    """Return a tick's label: thousands set apart, no digits that say nothing."""
    if value == round(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def value_text(value: float) -> str:
    """Return a value's label: three digits that count, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _round_step(length: float) -> float:
    """Return 1, 2 or 5 times a power of ten, so that there are a few ticks."""
    unit = 10.0 ** math.floor(math.log10(length / _MOST_TICKS))
    return next(
        unit * factor for factor in _STEPS if length / (unit * factor) <= _MOST_TICKS
    )

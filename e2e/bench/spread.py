"""Medians with their quartiles: how every figure of the benchmark is summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and the quartiles on both sides of it, of `count` values."""

    median: float
    low: float
    high: float
    count: int

    def record(self) -> dict[str, float]:
        """Return the same as plain JSON."""
        return asdict(self)


def spread(values: Sequence[float]) -> Spread:
    """Sum up values, one per round; raise ValueError if there are none."""
    if not values:
        raise ValueError("no values to sum up")
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1)
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return Spread(middle, low, high, len(values))


def differences(values: Sequence[float], base: Sequence[float]) -> list[float]:
    """Return what each round's value is above the same round's base."""
    return [value - other for value, other in zip(values, base, strict=True)]

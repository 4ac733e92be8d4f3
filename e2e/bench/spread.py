"""Medians with their quartiles: how every figure of the benchmark is summed up.

Quartiles say how far single rounds lie apart; the bounds of the median, how well it is
known. These are order statistics (the interval that inverts the sign test): nothing is
assumed about how values are spread, but that rounds do not depend on each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import comb
from statistics import quantiles
from typing import Final

_CERTAINTY: Final = 0.95


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, the quartiles on both sides of it, and its bounds, of `count` values.

    `least` and `most` hold the median with 95 % certainty; of five values and fewer
    they are the extremes, which is less.
    """

    median: float
    low: float
    high: float
    count: int
    least: float
    most: float

    def record(self) -> dict[str, float]:
        """Return the same as plain JSON."""
        return asdict(self)


def spread(values: Sequence[float]) -> Spread:
    """Sum up values, one per round; raise ValueError if there are none."""
    if not values:
        raise ValueError("no values to sum up")
    ordered = sorted(values)
    place = _bound(len(values))
    bounds = ordered[place], ordered[-1 - place]
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1, *bounds)
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return Spread(middle, low, high, len(values), *bounds)


def _bound(count: int) -> int:
    """Return how many values may be left out on each side.

    Each value is below the true median with probability 1/2. Leaving out `k` fails if
    at most `k` are below it, or above.
    """
    place, failing = 0, 1
    while 2 * (failing + comb(count, place + 1)) <= (1 - _CERTAINTY) * 2**count:
        place += 1
        failing += comb(count, place)
    return place


def differences(values: Sequence[float], base: Sequence[float]) -> list[float]:
    """Return what each round's value is above the same round's base."""
    return [value - other for value, other in zip(values, base, strict=True)]

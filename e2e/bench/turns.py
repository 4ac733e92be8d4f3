"""Who is measured when: all in turn, in an order that rotates by the round.

Whatever else the machine does then hits everybody alike, and what one costs more than
another can be taken within each round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

_K = TypeVar("_K")
_T = TypeVar("_T")


def in_turns(
    items: Sequence[_K], rounds: int, measure: Callable[[_K], _T]
) -> dict[_K, list[_T]]:
    """Measure each item once a round; return the results of each, round by round."""
    results: dict[_K, list[_T]] = {item: [] for item in items}
    for number in range(rounds):
        first = number % len(items)
        for item in (*items[first:], *items[:first]):
            results[item].append(measure(item))
    return results

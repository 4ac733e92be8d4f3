"""Medians and quartiles."""

from __future__ import annotations

import pytest

from e2e.bench.spread import Spread, differences, spread


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], Spread(7.0, 7.0, 7.0, 1, 7.0, 7.0)),
        ([4.0, 1.0, 3.0, 2.0, 5.0], Spread(3.0, 2.0, 4.0, 5, 1.0, 5.0)),
        ([1.0, 3.0], Spread(2.0, 1.5, 2.5, 2, 1.0, 3.0)),
    ],
)
def test_median_and_quartiles(values: list[float], expected: Spread) -> None:
    assert spread(values) == expected


@pytest.mark.parametrize(
    ("count", "left_out"), [(5, 0), (6, 0), (8, 0), (9, 1), (25, 7), (100, 39)]
)
def test_bounds_of_the_median(count: int, left_out: int) -> None:
    """As tables of the sign test have them: of 25 values the 8th and the 18th."""
    found = spread([float(n) for n in range(count)])
    assert (found.least, found.most) == (left_out, count - 1 - left_out)


def test_nothing_has_no_median() -> None:
    with pytest.raises(ValueError, match="no values"):
        spread([])


def test_differences_are_within_a_round() -> None:
    assert differences([5.0, 7.0], [1.0, 10.0]) == [4.0, -3.0]
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        differences([5.0, 7.0], [1.0])

"""Medians and quartiles."""

from __future__ import annotations

import pytest

from e2e.bench.spread import Spread, differences, spread


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], Spread(7.0, 7.0, 7.0, 1)),
        ([4.0, 1.0, 3.0, 2.0, 5.0], Spread(3.0, 2.0, 4.0, 5)),
        ([1.0, 3.0], Spread(2.0, 1.5, 2.5, 2)),
    ],
)
def test_median_and_quartiles(values: list[float], expected: Spread) -> None:
    assert spread(values) == expected


def test_nothing_has_no_median() -> None:
    with pytest.raises(ValueError, match="no values"):
        spread([])


def test_differences_are_within_a_round() -> None:
    assert differences([5.0, 7.0], [1.0, 10.0]) == [4.0, -3.0]
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        differences([5.0, 7.0], [1.0])

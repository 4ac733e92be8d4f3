"""What one kind's turns come to."""

from __future__ import annotations

from e2e.bench.spread import Spread
from e2e.bench.ways import sum_up


def test_differences_are_taken_within_rounds() -> None:
    turns = [{"cpu_us": 12.0}, {"cpu_us": 25.0}, {"cpu_us": 31.0}]
    base = [{"cpu_us": 10.0}, {"cpu_us": 20.0}, {"cpu_us": 30.0}]
    record = sum_up(turns, {"more": base, "over": None})
    assert record == {
        "cpu_us": Spread(25.0, 18.5, 28.0, 3, 12.0, 31.0).record(),
        "more_cpu_us": Spread(2.0, 1.5, 3.5, 3, 1.0, 5.0).record(),
    }

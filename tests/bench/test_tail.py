"""Budget and table of the latencies that few requests have, from made-up records."""

from __future__ import annotations

import pytest

from e2e.bench.results import Record
from e2e.bench.spread import spread
from e2e.bench.tail_bench import MEASURED, budgets, tables

ROUNDS = 9
"""Of nine values, the second and the eighth are the bounds of the median."""


def record(more_p99_us: list[float]) -> Record:
    own = {
        f"p{part}_us": spread([part * 10.0] * ROUNDS).record() for part in (50, 90, 99)
    }
    more = {f"more_p{part}_us": spread(more_p99_us).record() for part in (50, 90, 99)}
    kinds = dict.fromkeys(MEASURED, own | more)
    return {"rules": 10, "rate": 1000, "requests": 500, "kinds": kinds}


@pytest.mark.parametrize(
    ("second", "eighth", "is_met"),
    [(-50.0, 100.0, True), (101.0, 200.0, False), (-50.0, 101.0, None)],
)
def test_a_budget_is_met_or_missed_where_the_bounds_say_so(
    second: float, eighth: float, is_met: bool | None
) -> None:
    middle = [second] * 3 + [(second + eighth) / 2] + [eighth] * 3
    (budget,) = budgets(record([-9999.0, *middle, 9999.0]))
    assert budget.is_met is is_met


def test_what_is_added_comes_with_its_bounds() -> None:
    (table,) = tables(record([10.0, 20.0, *[30.0] * 5, 50.0, 60.0]))
    by_title = {row[0]: row[1:] for row in table.rows}
    assert by_title["pepmesh inbound"] == (
        *["+0.03 (+0.02 to +0.05)"] * 3,
        "0.99 (0.99 to 0.99)",
        "no filter",
    )
    assert by_title["no filter"][:3] == ("", "", "")

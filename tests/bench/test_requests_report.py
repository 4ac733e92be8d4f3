"""Tables, plots and budgets of the measurements per request, from a made-up record."""

from __future__ import annotations

import pytest

from e2e.bench.requests_report import budgets, plots, tables
from e2e.bench.results import Bars, Lines, Record
from e2e.bench.spread import spread
from e2e.bench.svg import draw
from e2e.bench.variants import KINDS, kinds_for

REFUSED = {"refused": "too large"}


def kind_record(base_us: float, more_us: float | None, *, rate: float = 1000) -> Record:
    """Return a kind's figures: what its base costs, and what it costs more."""
    own = base_us + (more_us or 0)
    more = {} if more_us is None else {"more_cpu_us": spread([more_us]).record()}
    latencies = {f"p{p}_us": spread([own + p]).record() for p in (50, 90, 99)}
    if more_us is not None:
        latencies |= {f"more_p{p}_us": spread([more_us]).record() for p in (50, 90, 99)}
    paced = {"rate": spread([rate]).record(), "late_us": spread([5.0]).record()}
    cpu = {"cpu_us": spread([own]).record()}
    return {
        "load_s": 0.5,
        "rss_bytes": 64 * 2**20,
        "steady": cpu | more,
        "paced": paced | latencies | cpu,
        "saturated": cpu | latencies | {"rate": spread([9_000.0]).record()},
    }


def record(added: dict[int, dict[str, float]]) -> Record:
    """Return a record: by number of rules, what kinds add; 5 µs unless said."""
    blocks = []
    for number, (rules, more) in enumerate(added.items()):
        kinds = {
            kind.name: kind_record(
                100.0, more.get(kind.name, 5.0) if kind.base else None
            )
            for kind in kinds_for(is_first=number == 0)
        }
        over = more.get("inbound", 5.0) - more.get("nothing", 5.0)
        kinds["inbound"]["steady"]["over_cpu_us"] = spread([over]).record()
        blocks.append({"rules": rules, "kinds": kinds})
    return {"rate": 1000, "in_flight": 16, "blocks": blocks}


GOOD = record(
    {
        10: {"nothing": 6.0, "inbound": 11.0, "rbac": 5.5},
        100: {"nothing": 6.0, "inbound": 12.0, "rbac": 12.5},
    }
)


def test_every_kind_is_in_the_first_table() -> None:
    first = tables(GOOD)[0]
    assert [row[0] for row in first.rows] == [kind.title for kind in KINDS]
    assert all(len(row) == len(first.columns) for row in first.rows)


def test_tables_by_rules_have_a_column_per_number() -> None:
    for table in tables(GOOD)[1:]:
        assert table.columns == ("guard", "10 rules", "100 rules")
        assert all(len(row) == 3 for row in table.rows)
    cpu = {row[0]: row[1:] for row in tables(GOOD)[1].rows}
    assert cpu["pepmesh inbound"] == ("+11.0 (11.0 to 11.0)", "+12.0 (12.0 to 12.0)")
    assert "no filter" not in cpu


def test_what_was_not_loaded_says_why() -> None:
    refusing = record({10: {}, 100_000: {}})
    refusing["blocks"][1]["kinds"]["rbac"] = REFUSED
    table = tables(refusing)[1]
    cells = {row[0]: row[1:] for row in table.rows}
    assert cells["RBAC, policies"][1] == "not loaded"
    assert "RBAC, policies, 100,000 rules: too large." in table.note
    lines = plots(refusing)[0]
    assert isinstance(lines, Lines)
    points = {series.name: series.points for series in lines.series}
    assert list(points["RBAC, policies"]) == [(10, 5.0)]
    assert len(budgets(refusing)) == 2  # nothing is said about 100,000 rules


def test_a_rate_that_was_not_kept_shows() -> None:
    slow = record({10: {}})
    slow["blocks"][0]["kinds"]["rbac"] = kind_record(100.0, 900.0, rate=700.0)
    row = next(row for row in tables(slow)[0].rows if row[0] == "RBAC, policies")
    assert "rate not kept" in row
    row = next(row for row in tables(slow)[2].rows if row[0] == "RBAC, policies")
    assert row[1] == "rate not kept: 700/s"


def test_plots_can_be_drawn() -> None:
    names = []
    for plot in plots(GOOD):
        assert draw(plot).startswith("<svg")
        names.append(plot.name)
        if isinstance(plot, Bars):
            assert len(plot.labels) == len(KINDS)
    assert names == ["cpu-by-rules", "latency", "saturation"]


def test_budgets_are_met() -> None:
    assert [budget.is_met for budget in budgets(GOOD)] == [True] * 3
    assert budgets(GOOD)[0].measured == (
        "5.5 µs (5.0 to 6.0 by rules); the do-nothing filter adds 6.0 µs"
    )


@pytest.mark.parametrize(
    ("added", "missed"),
    [
        # more than the do-nothing filter adds, though below 8 µs
        ({10: {"nothing": 3.0, "inbound": 7.0, "rbac": 4.0}}, 0),
        # more than 8 µs, though the do-nothing filter adds more
        ({10: {"nothing": 9.0, "inbound": 18.0, "rbac": 9.0}}, 0),
        # few rules: more than twice RBAC
        ({10: {"nothing": 9.0, "inbound": 11.0, "rbac": 5.0}}, 1),
        # many rules: not faster than RBAC
        ({100: {"nothing": 9.0, "inbound": 11.0, "rbac": 11.0}}, 1),
    ],
)
def test_budgets_are_missed(added: dict[int, dict[str, float]], missed: int) -> None:
    found = [budget.is_met for budget in budgets(record(added))]
    assert found == [place != missed for place in range(2)]

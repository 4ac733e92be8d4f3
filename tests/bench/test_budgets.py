"""Budgets of roll-out and memory: records just within them, and just outside."""

from __future__ import annotations

import pytest

from e2e.bench import memory_bench, rollout_bench
from e2e.bench.results import Record

SPREAD = {"median": 30.0, "low": 20.0, "high": 40.0, "count": 100}
TAIL = {"p50": 1.0, "p99": 2.0, "max": 3.0}


def swapping(wrong: int = 0, load_lost: int = 0) -> Record:
    row = {
        "what": "rules",
        "table_bytes": 7000,
        "module_bytes": 50_000,
        "swaps": 100,
        "asked": 1000,
        "wrong": wrong,
        "load_requests": 9000,
        "load_lost": load_lost,
        "first_ms": SPREAD,
        "all_ms": SPREAD,
        "calm_latency_ms": TAIL,
        "latency_ms": TAIL,
    }
    return {"swaps": [row], "starts": []}


@pytest.mark.parametrize(
    ("record", "measured"),
    [
        (swapping(), "0 of 10,000 in 100 swaps"),
        (swapping(wrong=1), "1 of 10,000 in 100 swaps"),
        (swapping(load_lost=2), "2 of 10,000 in 100 swaps"),
    ],
)
def test_one_lost_request_misses_the_budget(record: Record, measured: str) -> None:
    (budget,) = rollout_bench.budgets(record)
    assert budget.measured == measured
    assert budget.is_met is measured.startswith("0 ")
    table, _ = rollout_bench.tables(record)
    assert table.rows[0][3] == measured.split()[0]


@pytest.mark.parametrize(("last_bytes", "is_flat"), [(196_608, True), (262_144, False)])
def test_memory_that_grows_misses_the_budget(last_bytes: int, is_flat: bool) -> None:
    sizes = {0: 196_608, 100: 196_608, 1000: last_bytes}
    samples = [{"requests": n, "memory_bytes": size} for n, size in sizes.items()]
    (budget,) = memory_bench.budgets({"vm_over_requests": samples})
    assert budget.is_met is is_flat

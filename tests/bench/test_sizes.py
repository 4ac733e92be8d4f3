"""Sizes add up, and only the mesh that a budget is for is held against it."""

from __future__ import annotations

from typing import Final

import pytest

from e2e.bench.results import Record
from e2e.bench.sizes_bench import BESIDE_TABLE_BUDGET, KIB, MIB, MODULE_BUDGET, PART


def test_sections_are_the_table() -> None:
    record = PART.measure(True)
    small, large = record["meshes"]
    assert (small["workloads"], large["workloads"]) == (10, 100)
    for mesh in record["meshes"]:
        assert 0 < sum(mesh["sections"].values()) <= mesh["table_bytes"]
        assert mesh["table_bytes"] < min(mesh["module_bytes"], mesh["memory_bytes"])
        assert mesh["rules"] > 0
    for table in PART.tables(record):
        assert {len(row) for row in table.rows} == {len(table.columns)}


MESH: Final[Record] = {
    "namespaces": 1000,
    "workloads": 10_000,
    "policies": 10_000,
    "table_bytes": MIB,
    "module_bytes": MIB + MODULE_BUDGET,
    "memory_bytes": MIB + BESIDE_TABLE_BUDGET,
}


@pytest.mark.parametrize(
    ("change", "met"),
    [
        ({}, [True, True, True]),
        ({"module_bytes": MESH["module_bytes"] + 1}, [False, True, True]),
        ({"memory_bytes": MESH["memory_bytes"] + 1}, [True, False, True]),
        ({"table_bytes": MIB + KIB}, [True, True, False]),
        # No promise is about a mesh of another size.
        ({"workloads": 9_999}, [True, True]),
    ],
)
def test_budgets(change: Record, met: list[bool]) -> None:
    found = PART.budgets({"meshes": [MESH | change]})
    assert [budget.is_met for budget in found] == met

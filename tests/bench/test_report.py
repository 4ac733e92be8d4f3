"""The report is made from a record alone."""

from __future__ import annotations

import pytest

from e2e.bench.report import FORMAT, UnknownRecord, markdown, plots
from e2e.bench.results import Budget, Part, Record, Table
from tests.bench.test_svg import BARS


def unmeasured(is_quick: bool) -> Record:
    raise AssertionError("a report measures nothing")


def sizes(own: Record) -> list[Table]:
    row = ("ours", f"{own['bytes']:,}")
    return [Table("Bytes", ("what", "size"), (row,), "Smaller is better.")]


def budgets(own: Record) -> list[Budget]:
    is_met = own["bytes"] <= 1024 if own["bytes"] else None
    return [Budget("table", "at most 1 KiB", f"{own['bytes']:,} bytes", is_met)]


PARTS = (
    Part("sizes", "Size", unmeasured, sizes, lambda own: [BARS], budgets),
    Part("builds", "Build", unmeasured, sizes),
)
MACHINE = {
    "cpu": "Z80",
    "cores": 2,
    "memory_bytes": 2**30,
    "kernel": "CP/M 2.2",
    "load_before": 0.0,
    "python": "3.11.2",
    "envoy": "1.40.0",
    "wasmtime": "50.0.0",
}


def record(parts: Record, *, is_quick: bool = False) -> Record:
    return {
        "format": FORMAT,
        "machine": MACHINE,
        "is_quick": is_quick,
        "parts": parts,
    }


def test_markdown() -> None:
    assert (
        markdown(record({"sizes": {"bytes": 1_000}}), PARTS)
        == """\
Measured on Z80, 2 cores, 1 GiB; CP/M 2.2; Envoy 1.40.0; Python 3.11.2; wasmtime 50.0.0; load before: 0.0.

## Budgets

| what | budget | measured |  |
| --- | ---: | ---: | ---: |
| table | at most 1 KiB | 1,000 bytes | met |

## Size

### Bytes

| what | size |
| --- | ---: |
| ours | 1,000 |

Smaller is better.
"""  # noqa: E501
    )


def test_what_was_not_measured_is_not_told() -> None:
    text = markdown(record({"builds": {"bytes": 5}}), PARTS)
    assert "## Build" in text
    assert "## Size" not in text
    assert "## Budgets" not in text


def test_missed_budget_stands_out() -> None:
    text = markdown(record({"sizes": {"bytes": 1_025}}), PARTS)
    assert "| 1,025 bytes | **missed** |" in text


def test_a_budget_that_figures_do_not_tell_is_not_called_met() -> None:
    text = markdown(record({"sizes": {"bytes": 0}}), PARTS)
    assert "| 0 bytes | not resolved |" in text


def test_quick_run_says_so() -> None:
    assert "rough" in markdown(record({}, is_quick=True), PARTS)


def test_plots_come_from_parts_in_the_record() -> None:
    assert plots(record({"sizes": {"bytes": 1}, "builds": {"bytes": 1}}), PARTS) == [
        BARS
    ]
    assert plots(record({"builds": {"bytes": 1}}), PARTS) == []


def test_other_formats_are_refused() -> None:
    with pytest.raises(UnknownRecord, match="format 0"):
        markdown(record({}) | {"format": 0}, PARTS)

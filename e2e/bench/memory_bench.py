"""What a filter takes of an Envoy's memory, by workers, and over a million requests.

Envoy's memory is its resident set, compared between proxies that differ in the filter
only, after requests on many connections. What one VM has is in the module
(`sizes_bench.py`); that it stays so is looked at in `flatness.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from e2e.bench.flatness import in_envoy, in_wasmtime
from e2e.bench.large_shop import large_shop
from e2e.bench.open_checkout import Subject, open_checkout, subjects
from e2e.bench.results import Axis, Budget, Lines, Part, Plot, Record, Series, Table
from e2e.bench.spread import differences, spread
from e2e.shop_run import prepared_shop

MIB: Final = 2**20
WARM_UP_SECONDS: Final = 3


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured. `requests` is the length of the runs for flatness."""

    requests: int
    seconds: int
    rounds: int
    workers: tuple[int, ...]
    large_table_bytes: int


FULL: Final = Effort(1_000_000, 10, 3, (1, 2, 4), 1_000_000)
QUICK: Final = Effort(20_000, 2, 1, (1, 2), 100_000)


def measure(quick: bool) -> Record:
    """Weigh Envoys, then send a million requests and weigh again."""
    effort = QUICK if quick else FULL
    with (
        tempfile.TemporaryDirectory(prefix="pepmesh-") as name,
        prepared_shop(Path(name)) as shop,
    ):
        folder = Path(name)
        large = large_shop(shop, effort.large_table_bytes, folder / "large")
        compared = subjects(shop, large, folder)
        return {
            "envoys": _envoys(compared, effort, folder),
            "envoys_over_requests": [
                _over_requests(subject, effort, folder / f"over-requests-{number}")
                for number, subject in enumerate((compared[0], compared[2]))
            ],
            "vm_over_requests": in_wasmtime(effort.requests),
        }


def _envoys(compared: Sequence[Subject], effort: Effort, folder: Path) -> list[Record]:
    """Weigh Envoys with each filter and number of workers, in turn."""
    weights: dict[tuple[int, int], list[float]] = {}
    for turn in range(effort.rounds):
        for workers in effort.workers:
            for number, subject in enumerate(compared):
                place = folder / f"envoy-{turn}-{workers}-{number}"
                with open_checkout(subject, place, workers) as checkout:
                    checkout.ask(WARM_UP_SECONDS, connections=32)
                    weight = checkout.envoy.resident_bytes()
                weights.setdefault((workers, number), []).append(weight)
    return [
        {
            "what": subject.name,
            "table_bytes": subject.table_bytes,
            "workers": workers,
            "resident_bytes": spread(weights[workers, number]).record(),
            "more_bytes": spread(
                differences(weights[workers, number], weights[workers, 0])
            ).record(),
        }
        for number, subject in enumerate(compared)
        for workers in effort.workers
    ]


def _over_requests(subject: Subject, effort: Effort, folder: Path) -> Record:
    with open_checkout(subject, folder) as checkout:
        samples = in_envoy(checkout, effort.requests, effort.seconds)
    return {"what": subject.name, "samples": samples}


# --- what people read ------------------------------------------------------------


def tables(record: Record) -> Sequence[Table]:
    workers = sorted({row["workers"] for row in record["envoys"]})
    return (
        Table(
            "Memory of an Envoy above one without filter",
            ("filter", "table", *(f"workers: {count}" for count in workers)),
            tuple(_envoy_rows(record["envoys"])),
            "Resident set after some seconds of requests in both directions; medians.",
        ),
        Table(
            "A million requests",
            ("of", "requests", "memory before", "after a tenth", "in the end"),
            tuple(_flatness_rows(record)),
            "Envoy: resident set of the process. VM: its linear memory, in wasmtime "
            "with the emulated host, where every answer is looked at.",
        ),
    )


def plots(record: Record) -> Sequence[Plot]:
    return (
        Lines(
            "memory-over-requests",
            "Memory of an Envoy with one worker",
            Axis("million requests"),
            Axis("resident set, MiB"),
            tuple(
                Series(row["what"], tuple(map(_point, row["samples"])))
                for row in record["envoys_over_requests"]
            ),
        ),
    )


def budgets(record: Record) -> Sequence[Budget]:
    samples = record["vm_over_requests"]
    sizes = {sample["memory_bytes"] for sample in samples}
    return (
        Budget(
            f"guest memory after {samples[-1]['requests']:,} requests",
            "as before",
            ", ".join(f"{size // 1024} KiB" for size in sorted(sizes)),
            len(sizes) == 1,
        ),
    )


def _envoy_rows(rows: Sequence[Record]) -> list[tuple[str, ...]]:
    by_filter: dict[tuple[str, int], list[str]] = {}
    for row in rows:
        is_base = row["what"] == rows[0]["what"]
        weight = row["resident_bytes" if is_base else "more_bytes"]["median"] / MIB
        cells = by_filter.setdefault((row["what"], row["table_bytes"]), [])
        cells.append(f"({weight:.0f} MiB)" if is_base else f"{weight:.1f} MiB")
    return [
        (what, f"{table:,} bytes" if table else "", *cells)
        for (what, table), cells in by_filter.items()
    ]


def _point(sample: Record) -> tuple[float, float]:
    return sample["requests"] / 1e6, sample["resident_bytes"] / MIB


def _flatness_rows(record: Record) -> list[tuple[str, ...]]:
    rows = [
        _flatness_row(f"Envoy, {row['what']}", row["samples"], "resident_bytes")
        for row in record["envoys_over_requests"]
    ]
    vm = _flatness_row("VM", record["vm_over_requests"], "memory_bytes")
    return [*rows, vm]


def _flatness_row(what: str, samples: Sequence[Record], key: str) -> tuple[str, ...]:
    last = samples[-1]["requests"]
    early = next(s for s in samples if s["requests"] >= last / 10)
    memory = [f"{s[key] / MIB:.2f} MiB" for s in (samples[0], early, samples[-1])]
    return (what, f"{last:,}", *memory)


PART: Final = Part("memory", "Memory", measure, tables, plots, budgets)

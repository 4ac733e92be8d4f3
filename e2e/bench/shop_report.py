"""Say what the filter costs: a Markdown table for people, JSON for the record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from e2e.bench.measure import Figures
from e2e.bench.subjects import BOTH_PEPMESH, NOTHING, PEPMESH


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a build makes and takes."""

    module_bytes_without_table: int
    table_bytes: int
    compile_ms: float
    build_ms: float


@dataclass(frozen=True, slots=True)
class Row:
    """One listener, with one request in flight and kept busy."""

    single: Figures
    busy: Figures


def markdown(rows: Sequence[Row], sizes: Sizes) -> str:
    """Return the figures as a Markdown table; "more" is above the row's base.

    CPU in microseconds per request, first with one request in flight, then busy; in
    brackets how far apart the quartiles of the rounds are. Latencies are of the first.
    """
    lines = [
        "| listener | CPU | more | CPU, busy | more, busy | p50 | more | p99 |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        one = row.single
        more_p50 = f"{one.more_p50_us:+.0f} µs" if one.base else ""
        cells = (
            *(one.name, *_cpu(one), *_cpu(row.busy)),
            *(f"{one.p50_us:.0f} µs", more_p50, f"{one.p99_us:.0f} µs"),
        )
        lines.append(f"| {' | '.join(cells)} |")
    by_name = {row.single.name: row for row in rows}
    ours, nothing = by_name[PEPMESH], by_name[NOTHING]
    single = ours.single.more_cpu_us - nothing.single.more_cpu_us
    busy = ours.busy.more_cpu_us - nothing.busy.more_cpu_us
    end_to_end = by_name[BOTH_PEPMESH].single.more_p50_us / 1000
    lines += [
        "",
        f"pepmesh costs {single:.0f} µs of CPU more than a filter that does nothing, "
        f"busy {busy:.0f} µs,",
        f"and {end_to_end:.3f} ms at p50 end to end.",
        f"Module without table {sizes.module_bytes_without_table:,} bytes, "
        f"table {sizes.table_bytes:,} bytes; filter compiled in "
        f"{sizes.compile_ms:.0f} ms, whole build {sizes.build_ms:.0f} ms.",
    ]
    return "\n".join(lines)


def _cpu(figures: Figures) -> tuple[str, str]:
    more = f"{figures.more_cpu_us:+.1f} ({figures.spread_us:.0f})"
    return f"{figures.cpu_us:.0f} µs", more if figures.base else ""


def as_json(rows: Sequence[Row], sizes: Sizes) -> str:
    """Return the same as JSON."""
    record = {"listeners": [asdict(row) for row in rows], "build": asdict(sizes)}
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"

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


def markdown(figures: Sequence[Figures], sizes: Sizes) -> str:
    """Return the figures as a Markdown table, each row compared to the first."""
    lines = [
        "| listener | CPU per request | more (quartiles apart) | p50 | more | p99 |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in figures:
        is_base = not row.base
        more_cpu = "" if is_base else f"{row.more_cpu_us:+.1f} µs ({row.spread_us:.1f})"
        more_p50 = "" if is_base else f"{row.more_p50_us:+.0f} µs"
        lines.append(
            f"| {row.name} | {row.cpu_us:.0f} µs | {more_cpu} "
            f"| {row.p50_us:.0f} µs | {more_p50} | {row.p99_us:.0f} µs |"
        )
    by_name = {row.name: row for row in figures}
    ours, nothing = by_name[PEPMESH], by_name[NOTHING]
    lines += [
        "",
        f"pepmesh costs {ours.more_cpu_us - nothing.more_cpu_us:.0f} µs of CPU more "
        "than a filter that does nothing,",
        f"and {by_name[BOTH_PEPMESH].more_p50_us / 1000:.3f} ms at p50 end to end.",
        f"Module without table {sizes.module_bytes_without_table:,} bytes, "
        f"table {sizes.table_bytes:,} bytes; filter compiled in "
        f"{sizes.compile_ms:.0f} ms, whole build {sizes.build_ms:.0f} ms.",
    ]
    return "\n".join(lines)


def as_json(figures: Sequence[Figures], sizes: Sizes) -> str:
    """Return the same as JSON."""
    record = {"listeners": [asdict(row) for row in figures], "build": asdict(sizes)}
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"

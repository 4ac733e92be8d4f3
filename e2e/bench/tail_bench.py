"""Latencies that few requests have: p99 at a fixed rate, of a few guards in many turns.

A turn of 500 requests has five beyond its p99, and what the machine does meanwhile
moves that by more than any guard does. So the guards take turns a hundred times and
more, the difference to the base is taken within each round, and the median of these
differences comes with its bounds (`spread.py`). Only where the bounds lie on one side
of the budget is it called met or missed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from e2e.addresses import claim_addresses
from e2e.bench.requests_bench import make_scene, start_variants
from e2e.bench.results import Budget, Part, Record, Table
from e2e.bench.variants import KINDS, Kind, make_variants
from e2e.bench.ways import PERCENTS, RATE, paced
from e2e.processes import children

RULES: Final = 1_000
ROUNDS: Final = 150
QUICK_ROUNDS: Final = 20
REQUESTS: Final = RATE // 2
MEASURED: Final = ("none", "nothing", "inbound", "rbac", "through", "both")
MOST_P99_MS: Final = 0.1


def measure(is_quick: bool) -> Record:
    return measure_turns(RULES, QUICK_ROUNDS if is_quick else ROUNDS, REQUESTS)


def measure_turns(rules: int, rounds: int, requests: int) -> Record:
    """Return latencies by kind, of so many requests in each round."""
    kinds = [kind for kind in KINDS if kind.name in MEASURED]
    with (
        tempfile.TemporaryDirectory(prefix="pepmesh-") as name,
        claim_addresses() as addresses,
        children() as family,
    ):
        folder = Path(name)
        scene = make_scene(rules, addresses, family, folder)
        variants = make_variants(kinds, scene)
        envoy, _ = start_variants(family, variants, scene.upstream, folder / "all")
        found = paced(envoy, variants, rounds, requests)
    return {
        "rules": rules,
        "rate": RATE,
        "requests": requests,
        "kinds": {name: own["paced"] for name, own in found.items()},
    }


# --- what people read ------------------------------------------------------------


def tables(record: Record) -> list[Table]:
    kinds = [kind for kind in KINDS if kind.name in record["kinds"]]
    titles = {kind.name: kind.title for kind in KINDS}
    columns = ("guard", *(f"p{p} added, ms" for p in PERCENTS), "p99 ms", "base")
    rows = tuple(_row(kind, record["kinds"][kind.name], titles) for kind in kinds)
    rounds = record["kinds"][kinds[0].name]["p99_us"]["count"]
    note = (
        f"{rounds} rounds of {record['requests']} requests for each guard. Added: the "
        "median of the differences to the base of the same round, and the bounds that "
        "hold it with 95 % certainty; p99: median and quartiles of the rounds."
    )
    title = f"{record['rate']:,} requests/s, {record['rules']:,} rules"
    return [Table(title, columns, rows, note)]


def _row(kind: Kind, own: Record, titles: dict[str, str]) -> tuple[str, ...]:
    p99 = own["p99_us"]
    shown = "{:.2f} ({:.2f} to {:.2f})".format(
        *(p99[key] / 1000 for key in ("median", "low", "high"))
    )
    if not kind.base:
        return (kind.title, *[""] * len(PERCENTS), shown, "")
    added = (_bounded(own[f"more_p{p}_us"]) for p in PERCENTS)
    return (kind.title, *added, shown, titles[kind.base])


def _bounded(more: Record) -> str:
    return "{:+.2f} ({:+.2f} to {:+.2f})".format(
        *(more[key] / 1000 for key in ("median", "least", "most"))
    )


def budgets(record: Record) -> list[Budget]:
    more = record["kinds"]["inbound"]["more_p99_us"]
    is_met = more["most"] <= MOST_P99_MS * 1000
    is_missed = more["least"] > MOST_P99_MS * 1000
    return [
        Budget(
            f"p99 added at {record['rate']:,} requests/s",
            f"at most {MOST_P99_MS:g} ms",
            f"{_bounded(more)} ms",
            is_met if is_met or is_missed else None,
        )
    ]


PART: Final = Part(
    "tail", "Latency that few requests have", measure, tables, budgets=budgets
)

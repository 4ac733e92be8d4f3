"""Per request, on a real Envoy: what each way to guard a server costs.

For each number of rules one Envoy holds all variants, and they take turns; see `ways`.
Before that, each is started alone once, which gives the time and memory that its rules
take, and finds those that cannot be loaded, and those that are so slow that they take
fewer turns.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from e2e.addresses import Addresses, claim_addresses
from e2e.bench import requests_report
from e2e.bench.load import Client
from e2e.bench.product import build_product
from e2e.bench.results import Part, Record
from e2e.bench.saturated import wrk_version
from e2e.bench.server import Started, start
from e2e.bench.subjects import nothing_module
from e2e.bench.upstream import Upstream, place_upstream
from e2e.bench.variants import SENDER, Scene, Variant, kinds_for, make_variants
from e2e.bench.ways import IN_FLIGHT, RATE, paced, saturated, steady
from e2e.envoy import Envoy, RefusedToStart
from e2e.processes import Children, Timeout, children


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure: numbers of rules, and of each way rounds and requests."""

    rules: tuple[int, ...]
    steady_rounds: int
    paced_rounds: int
    saturated_rounds: int
    steady_requests: int = 6 * IN_FLIGHT
    paced_requests: int = RATE // 2
    saturated_seconds: int = 1  # whole ones, as wrk has it

    def for_slow(self) -> Effort:
        """Return what is enough for requests of milliseconds."""
        return replace(
            self,
            steady_rounds=-(-self.steady_rounds // 10),
            paced_rounds=1,
            saturated_rounds=1,
            steady_requests=IN_FLIGHT,
            paced_requests=4 * IN_FLIGHT,
            saturated_seconds=20,
        )


SLOW_US: Final = 3000.0
_TRIALS: Final = 5

FULL: Final = Effort((10, 100, 1_000, 10_000, 100_000), 120, 8, 3)
QUICK: Final = Effort((10, 1_000), 30, 2, 1)


def measure(effort: Effort) -> Record:
    """Measure all kinds with each number of rules.

    Raises: NoWrk.
    """
    record: Record = {
        "rate": RATE,
        "in_flight": IN_FLIGHT,
        "wrk": wrk_version(),
        "effort": asdict(effort),
        "blocks": [],
    }
    for number, rules in enumerate(effort.rules):
        sys.stderr.write(f"  {rules:,} rules\n")
        kinds = _measure_block(rules, effort, is_first=number == 0)
        record["blocks"].append({"rules": rules, "kinds": kinds})
    return record


def _measure_block(rules: int, effort: Effort, *, is_first: bool) -> Record:
    with (
        tempfile.TemporaryDirectory(prefix="pepmesh-") as name,
        claim_addresses() as addresses,
        children() as family,
    ):
        folder = Path(name)
        scene = make_scene(rules, addresses, family, folder)
        upstream = scene.upstream
        variants = make_variants(kinds_for(is_first=is_first), scene)
        del scene  # hundreds of megabytes with many rules
        found, quick, slow = load_each(variants, upstream, folder)
        envoy, _ = start_variants(family, [*quick, *slow], upstream, folder / "all")
        figures = _take_turns(envoy, quick, (), effort, folder)
        if slow:
            bases = [v for v in quick if v.kind.is_yardstick]
            figures |= _take_turns(envoy, slow, bases, effort.for_slow(), folder)
        return {name: record | figures.get(name, {}) for name, record in found.items()}


def make_scene(
    rules: int, addresses: Addresses, family: Children, folder: Path
) -> Scene:
    """Make what guards are made of, and start what stands behind them."""
    upstream = place_upstream(addresses)
    upstream.start(family, folder)
    product = build_product(rules, SENDER, folder)
    return Scene(product, nothing_module(folder), upstream, addresses)


def _take_turns(
    envoy: Envoy,
    variants: Sequence[Variant],
    bases: Sequence[Variant],
    effort: Effort,
    scratch: Path,
) -> dict[str, Record]:
    """Measure variants in all three ways; others as bases where differences count."""
    rounds, seconds = effort.saturated_rounds, effort.saturated_seconds
    both = [*bases, *variants]
    ways = (
        steady(envoy, both, effort.steady_rounds, effort.steady_requests),
        paced(envoy, both, effort.paced_rounds, effort.paced_requests),
        saturated(envoy, variants, rounds, seconds, scratch),
    )
    names = [variant.kind.name for variant in variants]
    return {
        name: {k: v for way in ways for k, v in way[name].items()} for name in names
    }


def load_each(
    variants: Sequence[Variant], upstream: Upstream, folder: Path
) -> tuple[dict[str, Record], list[Variant], list[Variant]]:
    """Start each variant alone once; return what that took, the quick and the slow.

    A kind's record holds `load_s` and `rss_bytes`, or `refused`: why it has no figures.
    """
    found: dict[str, Record] = {}
    quick: list[Variant] = []
    slow: list[Variant] = []
    for variant in variants:
        name = variant.kind.name
        try:
            with children() as family:
                alone = folder / f"only-{name}"
                envoy, started = start_variants(family, [variant], upstream, alone)
                is_slow = try_out(envoy, variant) > SLOW_US
        except (RefusedToStart, Timeout) as error:
            found[name] = {"refused": str(error).splitlines()[-1][:200]}
            continue
        (slow if is_slow else quick).append(variant)
        found[name] = {"load_s": started.seconds, "rss_bytes": started.rss_bytes}
    return found, quick, slow


def try_out(envoy: Envoy, variant: Variant) -> float:
    """Return the CPU of one request, in µs; roughly, from a few."""
    place = variant.place
    with Client(SENDER, place.address, place.port) as client:
        client.send(variant.request(), 1)
        before = envoy.cpu_ns()
        client.send(variant.request(), _TRIALS)
    return (envoy.cpu_ns() - before) / _TRIALS / 1000


def start_variants(
    family: Children, variants: Sequence[Variant], upstream: Upstream, folder: Path
) -> tuple[Envoy, Started]:
    """Start one Envoy that holds variants; see `start`."""
    listeners = [listener for v in variants for listener in v.listeners]
    clusters = [*upstream.clusters(), *(c for v in variants for c in v.clusters)]
    return start(family, "measured", folder, listeners, clusters)


def request_part(steady_rounds: int | None = None) -> Part:
    """Return the part; a number of steady rounds takes the place of the usual one."""

    def measure_all(is_quick: bool) -> Record:
        effort = QUICK if is_quick else FULL
        return measure(
            replace(effort, steady_rounds=steady_rounds) if steady_rounds else effort
        )

    return Part(
        *("requests", "Per request, on a real Envoy", measure_all),
        *(requests_report.tables, requests_report.plots, requests_report.budgets),
    )


PART: Final = request_part()

"""What a roll-out costs: how long until new rules are enforced, and who notices.

Swaps happen in a running Envoy of two workers, under load from wrk and from callers of
whom every answer is looked at (see `e2e/rollout.py`). Every module is new to Envoy, as
in life: swapping back and forth would find the last one still loaded.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles
from typing import Final

from e2e.bench.large_shop import large_shop
from e2e.bench.open_checkout import subjects
from e2e.bench.results import Budget, Part, Record, Table
from e2e.bench.spread import differences, spread
from e2e.bench.wrk import Load
from e2e.callers import ALLOWED, Answered
from e2e.changing_shop import (
    Scene,
    changing_keys,
    changing_rules,
    checkout_proxy,
    rolling_out,
)
from e2e.envoy import start_envoy
from e2e.processes import children
from e2e.proxy import Proxy
from e2e.rollout import Version
from e2e.shop_run import Shop, prepared_shop
from generator.wasm.leb128 import encode_unsigned

WORKERS: Final = 2
CALM_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    swaps: int
    starts: int
    large_table_bytes: int


FULL: Final = Effort(swaps=100, starts=9, large_table_bytes=1_000_000)
QUICK: Final = Effort(swaps=10, starts=2, large_table_bytes=100_000)


def measure(quick: bool) -> Record:
    """Swap rules and keys under load, then start Envoys with modules of all sizes."""
    effort = QUICK if quick else FULL
    with (
        tempfile.TemporaryDirectory(prefix="pepmesh-") as name,
        prepared_shop(Path(name)) as shop,
    ):
        folder = Path(name)
        large = large_shop(shop, effort.large_table_bytes, folder / "large")
        return {
            "swaps": [
                _swapping("rules", shop, effort, folder / "rules"),
                _swapping("rules", large, effort, folder / "large-rules"),
                _swapping("keys", shop, effort, folder / "keys"),
            ],
            "starts": _starting(shop, large, effort, folder / "starts"),
        }


# --- swaps -----------------------------------------------------------------------


def _swapping(what: str, shop: Shop, effort: Effort, folder: Path) -> Record:
    """Roll out versions under load, and look at every answer."""
    folder.mkdir()
    is_rules = what == "rules"
    scene = changing_rules(shop, folder) if is_rules else changing_keys(shop)
    versions = _versions(scene, effort.swaps)
    fresh = _fresh_modules(versions, folder) if is_rules else versions
    with (
        children() as family,
        rolling_out(family, scene, folder, WORKERS) as rollout,
        _load(scene) as load,
    ):
        start = rollout.callers.count()
        time.sleep(CALM_SECONDS)
        calm = rollout.callers.answers(start)
        swaps = [rollout.swap(version) for version in fresh]
    answers = [answer for swap in swaps for answer in swap.answers]
    return {
        "what": what,
        "table_bytes": len(shop.product.built.table_bytes),
        "module_bytes": len(shop.product.built.module),
        "swaps": len(swaps),
        "asked": len(answers),
        "wrong": sum(len(swap.wrong) for swap in swaps),
        "load_requests": load.served.requests,
        "load_lost": load.served.lost,
        "first_ms": spread([swap.first_ms for swap in swaps]).record(),
        "all_ms": spread([swap.all_ms for swap in swaps]).record(),
        "calm_latency_ms": _latencies(calm),
        "latency_ms": _latencies(answers),
    }


def _versions(scene: Scene, count: int) -> list[Version]:
    return [scene.versions[(number + 1) % 2] for number in range(count)]


def _fresh_modules(versions: Sequence[Version], folder: Path) -> Iterator[Version]:
    """Yield versions, each with a module that Envoy has never seen."""
    for number, version in enumerate(versions):
        module = folder / "fresh.wasm"
        contents = version.plugin.module.read_bytes()
        module.write_bytes(contents + _custom_section(f"version {number}"))
        yield replace(version, plugin=replace(version.plugin, module=module))


def _custom_section(name: str) -> bytes:
    """Return a section that means nothing (WebAssembly Core, 5.5.3)."""
    text = encode_unsigned(len(name)) + name.encode()
    return b"\0" + encode_unsigned(len(text)) + text


def _load(scene: Scene) -> Load:
    """Return a load of what the checkout may ask under both versions."""
    question = next(
        flow.question
        for flow in scene.flows
        if flow.is_outbound
        and all(v.verdicts[flow.question.name] == ALLOWED for v in scene.versions)
    )
    url = f"http://{question.address}:{question.port}/"
    return Load(url, lambda: [("Host", question.authority)])


def _latencies(answers: Sequence[Answered]) -> Record:
    values = [answer.latency_ms for answer in answers]
    cuts = quantiles(values, n=100)
    return {"p50": cuts[49], "p99": cuts[98], "max": max(values)}


# --- starts ----------------------------------------------------------------------


def _starting(shop: Shop, large: Shop, effort: Effort, folder: Path) -> list[Record]:
    """Start Envoys with and without modules, in turn."""
    folder.mkdir()
    compared = subjects(shop, large, folder)
    rounds = [
        [
            _start(checkout_proxy(shop, *s.filters), folder / f"envoy-{turn}-{number}")
            for number, s in enumerate(compared)
        ]
        for turn in range(effort.starts)
    ]
    by_subject = list(zip(*rounds, strict=True))
    base = by_subject[0]
    return [
        {
            "what": subject.name,
            "module_bytes": subject.module_bytes,
            "table_bytes": subject.table_bytes,
            "wall_ms": spread([wall for wall, _ in costs]).record(),
            "more_wall_ms": _more([w for w, _ in costs], [w for w, _ in base]),
            "more_cpu_ms": _more([c for _, c in costs], [c for _, c in base]),
        }
        for subject, costs in zip(compared, by_subject, strict=True)
    ]


def _more(values: Sequence[float], base: Sequence[float]) -> Record:
    return dict(spread(differences(values, base)).record())


def _start(proxy: Proxy, folder: Path) -> tuple[float, float]:
    """Return wall time and CPU time, in ms, until an Envoy is ready."""
    with children() as family:
        start = time.monotonic()
        envoy = start_envoy(family, proxy, folder)
        while not envoy.is_ready():
            time.sleep(0.001)
        wall = time.monotonic() - start
        return wall * 1e3, envoy.cpu_ns() / 1e6


# --- what people read ------------------------------------------------------------


def tables(record: Record) -> Sequence[Table]:
    return (
        Table(
            "Roll-out under load",
            (
                "swapped, and the table",
                "swaps",
                "requests",
                "lost or wrong",
                "first by the new",
                "all listeners",
                "p99 and longest",
                "without swaps",
            ),
            tuple(_swap_row(row) for row in record["swaps"]),
            "From the moved file to the first answer by the new rules, and until every "
            "listener gave one: medians, quartiles in brackets. Requests are those of "
            "callers whose answers are all checked, and wrk's; latencies are the "
            "callers' own.",
        ),
        Table(
            "Loading a module",
            ("filter", "module", "table", "start-up more", "CPU more"),
            tuple(_start_row(row) for row in record["starts"]),
            "Until Envoy is ready, above an Envoy without filter; Envoy compiles a "
            "module once, for all its workers. A module without table is not admitted.",
        ),
    )


def budgets(record: Record) -> Sequence[Budget]:
    swaps = sum(row["swaps"] for row in record["swaps"])
    lost = sum(row["wrong"] + row["load_lost"] for row in record["swaps"])
    asked = sum(row["asked"] + row["load_requests"] for row in record["swaps"])
    return (
        Budget(
            "requests lost in hot swaps",
            "0 in 100 swaps",
            f"{lost} of {asked:,} in {swaps} swaps",
            lost == 0,
        ),
    )


def _swap_row(row: Record) -> tuple[str, ...]:
    return (
        f"{row['what']}, {row['table_bytes']:,} bytes",
        f"{row['swaps']}",
        f"{row['asked'] + row['load_requests']:,}",
        f"{row['wrong'] + row['load_lost']}",
        _milliseconds(row["first_ms"]),
        _milliseconds(row["all_ms"]),
        _tail(row["latency_ms"]),
        _tail(row["calm_latency_ms"]),
    )


def _start_row(row: Record) -> tuple[str, ...]:
    if not row["module_bytes"]:
        return (
            row["what"],
            "",
            "",
            f"(starts in {row['wall_ms']['median']:.0f} ms)",
            "",
        )
    return (
        row["what"],
        f"{row['module_bytes']:,} bytes",
        f"{row['table_bytes']:,} bytes" if row["table_bytes"] else "",
        _milliseconds(row["more_wall_ms"]),
        _milliseconds(row["more_cpu_ms"]),
    )


def _tail(latencies: Record) -> str:
    return f"{latencies['p99']:.0f} ms, {latencies['max']:.0f} ms"


def _milliseconds(value: Record) -> str:
    return f"{value['median']:.0f} ms ({value['low']:.0f} to {value['high']:.0f})"


PART: Final = Part("rollout", "Roll-out", measure, tables, budgets=budgets)

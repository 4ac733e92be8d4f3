"""Run scenarios: build their modules, pack them into a few Envoys, make the probes.

Every denial that came as an answer is looked up in the access logs: only a denial by
policy counts, not one for a missing proof or a broken set-up.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from e2e.envoy import Envoy, LogEntry, start_envoy
from e2e.mesh import start_applications
from e2e.packed.asking import MARK, Observation, ask
from e2e.packed.placing import Ground, Placing, place
from e2e.packed.scenario import Scenario
from e2e.packed.substrate import Prepared, pack, prepare
from e2e.processes import children, wait_until

ENVOYS: Final = 4
ASKERS: Final = 4
POLICY_REASONS: Final = frozenset(
    {
        "pepmesh_egress_denied",
        "pepmesh_ingress_denied",
        "pepmesh_request_ambiguous",
    }
)


@dataclass(frozen=True, slots=True)
class Denied:
    """An observation that was denied, and the reason that the filter logged."""

    observation: Observation
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a whole run. Times in seconds, memory in MiB."""

    observations: tuple[Observation, ...]
    reasons: dict[str, str]
    build_s: float
    start_s: float
    ask_s: float
    sidecars: int
    memory_mib: int


def run(scenarios: Sequence[Scenario], folder: Path, run_number: int) -> Outcome:
    """Make every probe of every scenario."""
    began = time.monotonic()
    ground = Ground(run_number)
    placings = [place(s, ground) for s in scenarios if s.probes]
    prepared = _prepare_all(placings, folder)
    built = time.monotonic()
    with _running(prepared, folder) as envoys:
        started = time.monotonic()
        observations = _ask_all(prepared)
        asked = time.monotonic()
        return Outcome(
            tuple(observations),
            _find_reasons(envoys, observations),
            built - began,
            started - built,
            asked - started,
            sum(len(each.endpoints) for each in prepared),
            sum(map(_memory_mib, envoys)),
        )


def _prepare_all(placings: Sequence[Placing], folder: Path) -> list[Prepared]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context) as pool:
        return list(pool.map(partial(prepare, folder=folder), placings))


@contextmanager
def _running(prepared: Sequence[Prepared], folder: Path) -> Iterator[list[Envoy]]:
    """Run all applications and a few Envoys with all sidecars."""
    with children() as family:
        start_applications(family, _places(prepared), folder)
        parcels = [prepared[first::ENVOYS] for first in range(ENVOYS)]
        envoys = [
            start_envoy(family, pack(parcel), folder / f"envoy-{number}")
            for number, parcel in enumerate(parcels)
            if parcel
        ]
        for envoy in envoys:
            envoy.wait_ready(60.0)
        yield envoys


def _places(prepared: Sequence[Prepared]) -> dict[str, str]:
    """Return where applications listen; each calls itself by its place."""
    places = [
        f"{each.endpoints[probe.destination].origin}:{probe.port}"
        for each in prepared
        for probe in each.probes
    ]
    return {found: found for found in places}


def _ask_all(prepared: Sequence[Prepared]) -> list[Observation]:
    jobs = [(each, n) for each in prepared for n in range(len(each.probes))]
    with ThreadPoolExecutor(ASKERS) as pool:
        answers = pool.map(lambda job: ask(*job), jobs)
        return [observation for found in answers for observation in found]


def _find_reasons(
    envoys: Sequence[Envoy], observations: Sequence[Observation]
) -> dict[str, str]:
    """Find why requests were denied, by their mark; wait until the logs tell."""
    wanted = {o.mark for o in observations if o.code == 403}
    found: dict[str, str] = {}

    def is_complete() -> bool:
        for envoy in envoys:
            for entry in envoy.access_log():
                found.update(_reason(entry))
        return found.keys() >= wanted

    wait_until(is_complete, "the access logs to name every denial")
    return found


def _reason(entry: LogEntry) -> Iterator[tuple[str, str]]:
    if entry.code == 403:
        yield MARK + entry.path.rpartition(MARK)[2], entry.details


def _memory_mib(envoy: Envoy) -> int:
    status = Path(f"/proc/{envoy.process.pid}/status").read_text()
    (line,) = [li for li in status.splitlines() if li.startswith("VmRSS")]
    return int(line.split()[1]) // 1024

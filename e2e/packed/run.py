"""Run scenarios: build their modules, pack them into a few Envoys, make the probes.

Every denial that came as an answer is looked up in the access logs: only a denial by
policy counts, not one for a missing proof or a broken set-up.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from e2e.envoy import Envoy, LogEntry, start_envoy
from e2e.mesh import start_applications
from e2e.packed.asking import MARK, Observation, Seen, ask
from e2e.packed.placing import Ground, Placing, place
from e2e.packed.scenario import Scenario
from e2e.packed.substrate import Prepared, pack, prepare
from e2e.processes import children, wait_until

ENVOYS: Final = 4
ASKERS: Final = 4
START_S: Final = 180.0
"""A deadline for a busy machine; on an idle one it takes a few seconds."""

OURS: Final = "pepmesh_"
POLICY_REASONS: Final = frozenset(
    {
        "pepmesh_egress_denied",
        "pepmesh_ingress_denied",
        "pepmesh_request_ambiguous",
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a whole run. Times in seconds, memory in MiB."""

    observations: tuple[Observation, ...]
    reasons: dict[str, str]
    build_s: float
    start_s: float
    ask_s: float
    sidecars: int
    envoys: int
    memory_mib: int
    privileged: int
    """Probes that were not made, since only root may listen on their ports."""

    def why_denied(self, observation: Observation) -> str:
        """Return the reason that the filter gave, or how else it was denied."""
        if observation.code == 403:
            return self.reasons[observation.mark].partition(":")[0]
        return f"code {observation.code}"

    @property
    def wrong(self) -> list[str]:
        """Describe what did not come as it must: verdicts, or denials for no policy."""
        return [
            f"{o.source} {o.scenario}: {o.probe}, {o.way.value}: expected "
            f"{'allow' if o.probe.is_allowed else 'deny'}, {o.seen.value} "
            f"({self.why_denied(o) if o.seen is Seen.DENIED else o.answer})"
            for o in self.observations
            if not o.is_as_expected or not self._is_by_policy(o)
        ]

    def _is_by_policy(self, observation: Observation) -> bool:
        """Tell whether a denial is one by policy, or Envoy's of an odd request."""
        if observation.seen is not Seen.DENIED:
            return True
        is_odd = observation.probe.request is not None and observation.code == 400
        return is_odd or self.why_denied(observation) in POLICY_REASONS


def run(scenarios: Sequence[Scenario], folder: Path, run_number: int) -> Outcome:
    """Make every probe of every scenario."""
    began = time.monotonic()
    ground = Ground(run_number)
    bindable = [_bindable(scenario) for scenario in scenarios]
    placings = [place(scenario, ground) for scenario in bindable if scenario.probes]
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
            len(envoys),
            sum(map(_memory_mib, envoys)),
            sum(len(s.probes) for s in scenarios) - len(_jobs(prepared)),
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
            envoy.wait_ready(START_S)
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
    with ThreadPoolExecutor(ASKERS) as pool:
        answers = pool.map(lambda job: ask(*job), _jobs(prepared))
        return [observation for found in answers for observation in found]


def _jobs(prepared: Sequence[Prepared]) -> list[tuple[Prepared, int]]:
    return [(each, n) for each in prepared for n in range(len(each.probes))]


def _bindable(scenario: Scenario) -> Scenario:
    """Leave out probes of ports that this user may not listen on."""
    if os.geteuid() == 0:
        return scenario
    first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    probes = tuple(probe for probe in scenario.probes if probe.port >= first)
    return replace(scenario, probes=probes)


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
    # The sender's log has denials of the receiver too, as an answer from upstream.
    if entry.code == 403 and entry.details.startswith(OURS):
        yield MARK + entry.path.rpartition(MARK)[2], entry.details


def _memory_mib(envoy: Envoy) -> int:
    status = Path(f"/proc/{envoy.process.pid}/status").read_text()
    (line,) = [li for li in status.splitlines() if li.startswith("VmRSS")]
    return int(line.split()[1]) // 1024

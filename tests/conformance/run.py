"""Run all cases, on all processors: building a module takes most of the time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from tests.conformance import cyclonus, netpol_analyzer, network_policy_api, own
from tests.conformance.files import account
from tests.conformance.result import Outcome, Result

Run = Callable[[str, str], Iterator[Result]]

SOURCES: Final[dict[str, tuple[Callable[[], list[str]], Run]]] = {
    "netpol-analyzer": (netpol_analyzer.jobs, netpol_analyzer.run),
    "network-policy-api": (network_policy_api.jobs, network_policy_api.run),
    "cyclonus": (cyclonus.jobs, cyclonus.run),
    "ours": (own.jobs, own.run),
}


def run_all(judge: str) -> list[Result]:
    """Run every case with one judge; last come the files that the cases are in."""
    jobs = [(key, job, judge) for key, (list_, _) in SOURCES.items() for job in list_()]
    # A fresh interpreter per worker: a fork would copy the engine's threads' locks.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context) as pool:
        found = [result for part in pool.map(_run, jobs) for result in part]
    return [*found, *account(found)]


def _run(job: tuple[str, str, str]) -> Sequence[Result]:
    key, name, judge = job
    _, run = SOURCES[key]
    return list(run(name, judge))


def is_clean(results: Sequence[Result]) -> bool:
    return all(result.outcome is not Outcome.FAILED for result in results)

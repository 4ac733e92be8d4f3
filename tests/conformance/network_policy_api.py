"""network-policy-api: 86 probes of its conformance suites, workloads, user stories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from generator.policy.load import LoadError, load_model, load_sources
from generator.policy.model import Action, Tier
from generator.policy.oracle import endpoints
from generator.policy.ties import find_ties
from tests.conformance.judges import JUDGES
from tests.conformance.result import Outcome, Result, relative
from tests.support.connlist import CONFORMANCE
from tests.support.vectors import FOLDER, State, member_of, read_base, read_states

PROBES: Final = "network-policy-api probes"
MANIFESTS: Final = "network-policy-api manifests"


# What the user stories of the documentation say: tier, priority, actions.
STORIES: Final = {
    "user-story-1.yaml": (Tier.ADMIN, 10, [Action.DENY]),
    "user-story-2.yaml": (Tier.ADMIN, 30, [Action.ACCEPT, Action.ACCEPT]),
    "user-story-3.yaml": (Tier.ADMIN, 20, [Action.PASS]),
    "user-story-5.yaml": (Tier.BASELINE, 10, [Action.DENY]),
}


def jobs() -> list[str]:
    states = [f"{state.suite}-{state.number}" for state in read_states()]
    return [*states, *(relative(story) for story in _stories()), "base"]


def run(job: str, judge: str) -> Iterator[Result]:
    states = {f"{state.suite}-{state.number}": state for state in read_states()}
    if job in states:
        yield from _probe_results(job, states[job], judge)
    elif job == "base":
        loaded = load_sources([read_base()])
        files = (relative(FOLDER / "conformance" / "base" / "manifests.yaml"),)
        is_read = len(loaded.model.members) > 0 and not loaded.diagnostics
        outcome = Outcome.AGREES if is_read else Outcome.FAILED
        yield Result(MANIFESTS, files[0], outcome, "accepted", files=files)
    else:
        yield _story_result(job)


def _stories() -> Iterator[Path]:
    yield from sorted((FOLDER / "site-src" / "user-story-examples").iterdir())


def _probe_results(name: str, state: State, judge: str) -> Iterator[Result]:
    model = state.model
    asked = JUDGES[judge](model)
    ties = find_ties(model)
    files = tuple(map(relative, state.files))
    for number, probe in enumerate(state.probes):
        (source,) = endpoints(member_of(model, probe.client))
        (destination,) = endpoints(member_of(model, probe.server))
        found = asked.answer(source, destination, probe.protocol, probe.port)
        is_right = found.is_allowed == probe.is_allowed and not ties
        outcome = Outcome.AGREES if is_right else Outcome.FAILED
        reason = "" if is_right else f"{probe} ties={len(ties)}"
        yield Result(PROBES, f"{name} #{number}", outcome, reason, files=files)


def _story_result(name: str) -> Result:
    result = load_result(MANIFESTS, name)
    if result.outcome is Outcome.AGREES:
        policies = load_model([str(CONFORMANCE / name)]).model.policies
        found = [(p.tier, p.priority, [r.action for r in p.rules]) for p in policies]
        if found != [STORIES.get(name.rpartition("/")[2])]:
            return replace(result, outcome=Outcome.FAILED, reason=f"read as {found}")
    return result


def load_result(source: str, name: str) -> Result:
    """Load a file that only has to be understood."""
    try:
        loaded = load_model([str(CONFORMANCE / name)])
    except LoadError as error:
        return Result(source, name, Outcome.FAILED, str(error), files=(name,))
    errors = [d for d in loaded.diagnostics if d.severity == "error"]
    is_read = len(loaded.model.policies) > 0 and not errors
    outcome = Outcome.AGREES if is_read else Outcome.FAILED
    reason = "accepted" if is_read else "no policy in it"
    return Result(source, name, outcome, reason, files=(name,))

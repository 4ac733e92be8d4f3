"""The conformance suites of network-policy-api: models and probes of each state.

`expected/*.vectors.yaml` says which probe passes in which state, and how a policy is
edited between states. Edits are applied to the YAML, so that every state is loaded as
a person's manifests would be.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from generator.policy.load import load_sources
from generator.policy.model import Member, Model, Protocol
from generator.source import SourceFile
from tests.support.connlist import CONFORMANCE

FOLDER: Final = CONFORMANCE / "network-policy-api"
NAMESPACE_PREFIX: Final = "network-policy-conformance-"

_TEMPLATE: Final = re.compile(r"\{\{ index \.HostNetworkPorts (\d) \}\}")
_REPLICA: Final = re.compile(r"(?P<namespace>[a-z]+)/(?P<owner>[a-z-]+)-(?P<number>\d)")


@dataclass(frozen=True)
class Probe:
    """A connection that must or must not be established."""

    client: str
    server: str
    protocol: Protocol
    port: int
    is_allowed: bool


@dataclass(frozen=True)
class State:
    """A suite after some edits."""

    suite: str
    number: int
    model: Model
    probes: tuple[Probe, ...]
    files: tuple[Path, ...] = ()


@cache
def read_states() -> tuple[State, ...]:
    """Return every state of every suite."""
    files = sorted((FOLDER / "expected").glob("*.vectors.yaml"))
    return tuple(state for file in files for state in _read_suite(file))


def member_of(model: Model, pod: str) -> Member:
    """Return the member whose replica a probe names."""
    match = _REPLICA.fullmatch(pod)
    assert match, pod
    place = NAMESPACE_PREFIX + match["namespace"], match["owner"]
    (found,) = [m for m in model.members if (m.namespace, m.name) == place]
    return found


def read_base() -> SourceFile:
    """Return the workloads, free ports put into the template."""
    path = FOLDER / "conformance" / "base" / "manifests.yaml"
    text, count = _TEMPLATE.subn(lambda m: str(34000 + int(m[1])), path.read_text())
    assert count > 0
    return SourceFile(path.name, text)


def _read_suite(file: Path) -> Iterator[State]:
    suite = yaml.safe_load(file.read_text())
    policy_file = FOLDER / suite["policyFile"]
    policies = list(yaml.safe_load_all(policy_file.read_text()))
    files = file, policy_file, FOLDER / suite["workloads"]
    for state in suite["states"]:
        policies = copy.deepcopy(policies)
        (edited,) = [
            p for p in policies if p["metadata"]["name"] == suite["editedPolicy"]
        ]
        for edit in state["edits"]:
            apply_edit(edit, edited["spec"])
        text = yaml.safe_dump_all(policies)
        source = SourceFile(f"{suite['suite']}.yaml", text)
        yield State(
            suite["suite"],
            state["state"],
            load_sources([read_base(), source]).model,
            tuple(_probe(probe) for probe in state["probes"]),
            files,
        )


def apply_edit(edit: str, spec: dict[str, Any]) -> None:
    """Apply one edit to the spec of the edited policy."""
    match edit.split():
        case ["swap", direction, first, second]:
            rules, i, j = spec[direction], int(first), int(second)
            rules[i], rules[j] = rules[j], rules[i]
        case ["set", "priority", number]:
            spec["priority"] = int(number)
        case _:
            raise ValueError(edit)


def _probe(probe: dict[str, Any]) -> Probe:
    assert probe["expect"] in ("allow", "deny")
    return Probe(
        probe["client"],
        probe["server"],
        Protocol(probe["protocol"].upper()),
        probe["port"],
        probe["expect"] == "allow",
    )

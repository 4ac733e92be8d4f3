"""netpol-analyzer's cases through the built module: manifests in, flows out.

Every case that holds only NetworkPolicy is simulated and compared completely: all
pairs, protocols, ports and ranges of addresses outside. Where the answers differ, the
reason is in `DIFFERENCES`, and the test says that it is still so.

`python -m tests.test_conformance` prints how many of how many agree.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import Final

import pytest

from generator.analysis.engine import Engine, Party
from generator.analysis.simulate import simulate, simulation_document
from generator.build import build_mesh
from generator.policy.model import Model
from generator.policy.oracle_connections import Connection
from generator.table.ports import key_of
from tests.policy.test_conformance import AGREEING, DIFFS, load_case
from tests.policy.test_conformance_cluster import CLUSTER_AGREEING
from tests.support.connlist import ANALYZER, canonical, parse_line, read_connlist
from tests.support.vectors import State, member_of, read_states

CASES: Final = sorted([*AGREEING, *CLUSTER_AGREEING])

HOST_NETWORK: Final = (
    "all pods are hostNetwork: netpol-analyzer does not look at that (SOURCES.md, "
    "convention 4); here policy does not reach them, as semantics.md asks. Without "
    "hostNetwork in the manifests the answers agree"
)
DIFFERENCES: Final = {
    "semanticDiff-same-topologies-new1": HOST_NETWORK,
    "semanticDiff-same-topologies-old1": HOST_NETWORK,
}


_CHANGE: Final = re.compile(
    r"diff-type: \w+, source: (.+)\[\w+\], destination: (.+)\[\w+\], "
    r"ref1: (.+), ref2: (.+)"
)


def simulated(model: Model) -> list[Connection]:
    """Build the module of a model and ask it for all flows."""
    built = build_mesh(model)
    found = simulate(Engine(built.module), built.overlay)
    document = simulation_document(found)
    lines = document["connections"]
    assert isinstance(lines, list)
    return canonical(lines)


def as_netpol_analyzer(model: Model) -> Model:
    """Apply its conventions to the inventory: no host network, no pod addresses."""
    members = (
        replace(member, host_network=False, addresses=()) for member in model.members
    )
    return replace(model, members=tuple(members))


def agrees(case: str) -> bool:
    """Tell whether the manifests as they are give the expected flows."""
    return simulated(load_case(case).model) == read_connlist(case)


def test_the_cases_are_there() -> None:
    """Nothing is skipped where the cases are missing."""
    assert (ANALYZER / "tests").is_dir(), f"{ANALYZER} is missing"
    assert len(CASES) >= 35
    assert set(DIFFERENCES) <= set(CASES)


@pytest.mark.parametrize("case", [c for c in CASES if c not in DIFFERENCES])
def test_flows_are_the_expected_ones(case: str) -> None:
    assert simulated(load_case(case).model) == read_connlist(case)


@pytest.mark.parametrize("case", sorted(DIFFERENCES))
def test_flows_differ_only_by_the_stated_convention(case: str) -> None:
    """Remove the reason, and nothing differs: so it is the only reason."""
    assert not agrees(case), f"no longer differs: {DIFFERENCES[case]}"
    model = load_case(case).model
    assert simulated(as_netpol_analyzer(model)) == read_connlist(case)


@pytest.mark.parametrize("before, after", DIFFS)
def test_differences_between_cases_are_the_expected_ones(
    before: str, after: str
) -> None:
    name = f"diff_between_{after}_and_{before}.txt"
    text = (ANALYZER / "test_outputs" / "diff" / name).read_text()
    changes = [match.groups() for match in _CHANGE.finditer(text)]
    changed = {(source, destination) for source, destination, _, _ in changes}
    assert changed
    unchanged = []
    for case, side in ((before, 2), (after, 3)):
        found = simulated(as_netpol_analyzer(load_case(case).model))
        expected = [c for row in changes for c in parse_line(row[0], row[1], row[side])]
        mine = [c for c in found if (c["source"], c["destination"]) in changed]
        assert mine == canonical(expected)
        unchanged.append([c for c in found if c not in mine])
    assert unchanged[0] == unchanged[1]


@pytest.mark.parametrize("state", read_states(), ids=lambda s: f"{s.suite}-{s.number}")
def test_network_policy_api_probes_are_answered(state: State) -> None:
    """ClusterNetworkPolicy's own conformance suites, asked of the built module."""
    built = build_mesh(state.model)
    engine = Engine(built.module)

    def party(pod: str) -> Party:
        member = member_of(state.model, pod)
        (found,) = built.overlay.workloads_by_name[member.namespace, member.name]
        return engine.member_party(found.id, None)

    for probe in state.probes:
        key = key_of(probe.protocol, probe.port)
        judgement = engine.judge(party(probe.client), party(probe.server), key)
        assert judgement.is_allowed == probe.is_allowed, probe


def main() -> None:
    """Print the agreement, case by case."""
    agreeing = 0
    for case in CASES:
        is_equal = agrees(case)
        agreeing += is_equal
        reason = "" if is_equal else f": {DIFFERENCES.get(case, 'NOT EXPECTED')}"
        sys.stdout.write(f"{'agrees ' if is_equal else 'differs'}  {case}{reason}\n")
    sys.stdout.write(f"{agreeing} of {len(CASES)} agree\n")


if __name__ == "__main__":
    main()

"""Cases written by others: netpol-analyzer and cyclonus, through the oracle.

Every netpol-analyzer case that holds only NetworkPolicy is compared completely:
all pairs, all protocols, all ports, and all ranges of addresses outside.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from generator.policy.load import Loaded, LoadError, load_model, load_sources
from generator.policy.model import Member, Protocol
from generator.policy.oracle import Endpoint, HostNetwork, OracleDecision, decide
from generator.policy.oracle_connections import Connection, connections
from generator.source import SourceFile
from tests.support.connlist import (
    ANALYZER,
    CONFORMANCE,
    canonical,
    parse_line,
    read_connlist,
)

# netpol-analyzer does not look at hostNetwork; by the API's text its pods are judged
# by their address only, so the cases with such pods differ by default.
HOST_NETWORK_CASES: Final = {
    "semanticDiff-same-topologies-new1",
    "semanticDiff-same-topologies-old1",
}

AGREEING: Final = [
    "example_pods_w_same_owner_and_labels_gap_with_good_match_expression",
    "exposure_test_egress_with_named_port_with_matching_pod",
    "exposure_test_with_match_expression_not_in_op_with_matching_pods",
    "minimal_test_in_ns",
    "netpol-analysis-example-minimal",
    "netpol_named_port_test",
    "netpol_named_port_test_2",
    "onlineboutique_workloads",
    "semanticDiff-different-topologies-policy-a-with-ipblock",
    "semanticDiff-same-topologies-new1",
    "semanticDiff-same-topologies-old1",
    "test_with_named_ports",
    "with_end_port_example",
]

# SOURCES.md, "Inputs that must be refused", as far as it is about NetworkPolicy.
REFUSED: Final = {
    "bad_netpols/subdir3": "POL0011",
    "bad_netpols/subdir4": "POL0011",
    "np_bad_path_test_1": "POL0014",
    "np_bad_path_test_2": "POL0007",
    "np_test_with_empty_port_range": "POL0007",
}


def load_case(case: str) -> Loaded:
    return load_model([str(ANALYZER / "tests" / case)], recursive=True)


def kinds_of(case: Path) -> set[str]:
    text = "\n".join(f.read_text() for f in case.rglob("*") if f.is_file())
    return set(re.findall(r'^\s*"?kind"?: *"?(\w+)', text, re.MULTILINE))


def test_every_case_of_network_policies_only_is_compared_or_refused() -> None:
    """The lists above are complete: no case is left out unseen."""
    admin = {"AdminNetworkPolicy", "BaselineAdminNetworkPolicy"}
    cases = {
        path.name
        for path in (ANALYZER / "tests").iterdir()
        if "NetworkPolicy" in (kinds := kinds_of(path)) and not kinds & admin
    }
    only_diff = {case for diff in DIFFS for case in diff}
    refused = {case.partition("/")[0] for case in REFUSED}
    assert cases == set(AGREEING) | refused | only_diff


@pytest.mark.parametrize("case", AGREEING)
def test_connections_are_the_expected_ones(case: str) -> None:
    model = load_case(case).model
    found = connections(model, host_network=HostNetwork.AS_POD)
    assert canonical(found) == read_connlist(case)
    if case not in HOST_NETWORK_CASES:
        assert connections(model) == found


@pytest.mark.parametrize("case", sorted(HOST_NETWORK_CASES))
def test_pods_on_the_host_network_are_no_pods_to_policy(case: str) -> None:
    """All members are hostNetwork there: by default nothing isolates any of them."""
    model = load_case(case).model
    assert all(member.host_network for member in model.members)
    assert all(c["ports"] == [[1, 65535]] for c in connections(model))
    assert len(connections(model)) == 3 * (3 * 2 + 3 * 2)


# `diff_between_B_and_A`: what changes from A (ref1) to B (ref2).
DIFFS: Final = [
    (
        "deny_all_to_from_a_deployment",
        "deny_all_to_from_a_deployment_changed_netpol",
    ),
    ("netpol-analysis-example-minimal", "netpol-diff-example-minimal"),
    ("semanticDiff-same-topologies-old1", "semanticDiff-same-topologies-new1"),
]

_DIFF: Final = re.compile(
    r"diff-type: (\w+), source: (.+)\[\w+\], destination: (.+)\[\w+\], "
    r"ref1: (.+), ref2: (.+)"
)


@pytest.mark.parametrize("before, after", DIFFS)
def test_differences_are_the_expected_ones(before: str, after: str) -> None:
    compare_difference(before, after)


def compare_difference(before: str, after: str) -> None:
    """Compare what changes between two cases with the expected file."""
    name = f"diff_between_{after}_and_{before}.txt"
    text = (ANALYZER / "test_outputs" / "diff" / name).read_text()
    expected: tuple[list[Connection], list[Connection]] = ([], [])
    changed = set()
    for match in _DIFF.finditer(text):
        _, source, destination, first, second = match.groups()
        changed.add((source, destination))
        expected[0].extend(parse_line(source, destination, first))
        expected[1].extend(parse_line(source, destination, second))
    assert changed, "the expected file has no difference"
    found = [
        connections(load_case(case).model, host_network=HostNetwork.AS_POD)
        for case in (before, after)
    ]
    for side, wanted in zip(found, expected, strict=True):
        assert canonical(c for c in side if _pair(c) in changed) == canonical(wanted)
    unchanged = [[c for c in side if _pair(c) not in changed] for side in found]
    assert unchanged[0] == unchanged[1]


def _pair(connection: Connection) -> tuple[str, str]:
    return connection["source"], connection["destination"]


@pytest.mark.parametrize("case, code", REFUSED.items())
def test_bad_policies_are_refused(case: str, code: str) -> None:
    with pytest.raises(LoadError) as caught:
        load_case(case)
    errors = [d for d in caught.value.diagnostics if d.severity == "error"]
    assert [error.code for error in errors] == [code]
    assert errors[0].span is not None


def test_named_port_with_ip_block_is_accepted() -> None:
    """SOURCES.md: the analyser refuses it, the API server accepts it."""
    loaded = load_case("bad_netpols/subdir6")
    assert [d.code for d in loaded.diagnostics] == ["POL0016", "POL0020"]
    assert len(loaded.model.policies) == 1


# --- cyclonus -------------------------------------------------------------------------

CYCLONUS: Final = CONFORMANCE / "cyclonus"
Matrix = dict[tuple[str, str], str]


def load_cyclonus() -> Loaded:
    probe = json.loads((CYCLONUS / "examples" / "probe.json").read_text())
    resources = probe["Resources"]
    manifests: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": labels},
        }
        for name, labels in resources["Namespaces"].items()
    ]
    manifests += [_pod(pod) for pod in resources["Pods"]]
    items = {"apiVersion": "v1", "kind": "List", "items": manifests}
    inventory = SourceFile("probe.json", json.dumps(items))
    folder = CYCLONUS / "networkpolicies" / "simple-example"
    policies = [SourceFile(p.name, p.read_text()) for p in sorted(folder.iterdir())]
    return load_sources([inventory, *policies])


def _pod(pod: dict[str, Any]) -> dict[str, Any]:
    containers = [
        {
            "name": container["Name"],
            "ports": [
                {
                    "name": container["PortName"],
                    "containerPort": container["Port"],
                    "protocol": container["Protocol"].upper(),
                }
            ],
        }
        for container in pod["Containers"]
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod["Name"],
            "namespace": pod["Namespace"],
            "labels": pod["Labels"],
        },
        "spec": {"containers": containers},
        "status": {"podIP": pod["IP"]},
    }


def cyclonus_matrices() -> list[Matrix]:
    """Return ingress, egress and combined for TCP 80, then the same for TCP 81."""
    text = (CYCLONUS / "examples" / "cyclonus-output" / "analyze-probe.txt").read_text()
    matrices = []
    for block in re.split(r"^\w*:\n", text, flags=re.MULTILINE):
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in block.splitlines()
            if line.startswith("|")
        ]
        if len(rows) > 1:
            header = [name.lower() for name in rows[0][1:]]
            matrices.append(
                {
                    (row[0], name): cell
                    for row in rows[1:]
                    for name, cell in zip(header, row[1:], strict=True)
                }
            )
    return matrices


def test_cyclonus_probe_agrees() -> None:
    model = load_cyclonus().model
    members = {f"{m.namespace}/{m.name}": m for m in model.members}
    matrices = cyclonus_matrices()
    assert len(matrices) == 9, "three tables for each of TCP 80, 81 and 82"
    compared = 0
    for number, port in enumerate((80, 81)):
        tables = matrices[3 * number : 3 * number + 3]
        for source, destination in tables[0]:
            if source == destination:
                continue  # the tool does not exempt a pod talking to itself
            decision = _ask(model, members[source], members[destination], port)
            verdicts = (
                decision.ingress.allowed,
                decision.egress.allowed,
                decision.allowed,
            )
            for table, is_allowed in zip(tables, verdicts, strict=True):
                assert table[source, destination] == (".X"[not is_allowed])
                compared += 1
    assert compared == 2 * 3 * 72
    assert set(matrices[6].values()) == {"N"}, "nothing serves TCP 82"


def _ask(model: Any, source: Member, destination: Member, port: int) -> OracleDecision:
    ends = [Endpoint(each, each.addresses[0]) for each in (source, destination)]
    return decide(model, ends[0], ends[1], Protocol.TCP, port)

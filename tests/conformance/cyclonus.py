"""cyclonus: what its analyser says of seven policies and nine pods, cell by cell.

Nine matrices: ingress, egress and combined for TCP 80, 81 and 82. Its two other
policies have no expected output and are loaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from generator.policy.load import Loaded, load_sources
from generator.policy.model import Protocol
from generator.policy.oracle import Endpoint
from generator.source import SourceFile
from tests.conformance.judges import JUDGES, Answer
from tests.conformance.network_policy_api import load_result
from tests.conformance.result import Outcome, Result, relative
from tests.support.connlist import CONFORMANCE

CYCLONUS: Final = CONFORMANCE / "cyclonus"
CELLS: Final = "cyclonus matrices"
POLICIES: Final = "cyclonus policies"
MATRICES: Final = "simple-example"
PORTS: Final = (80, 81, 82)
DIRECTIONS: Final = ("ingress", "egress", "combined")

SELF: Final = (
    'the tool does not exempt a pod talking to itself. API: "exception: a pod cannot '
    'block access to itself" (NetworkPolicy concepts)'
)
NOT_SAID: Final = {
    "N": 'cells say "N": no container serves the port, whatever policy says',
    "?": 'cells say "?": the tool did not evaluate them',
}

_OUTPUT: Final = CYCLONUS / "examples" / "cyclonus-output" / "analyze-probe.txt"
_PROBE: Final = CYCLONUS / "examples" / "probe.json"
_POLICIES: Final = CYCLONUS / "networkpolicies" / "simple-example"

Matrix = dict[tuple[str, str], str]


def jobs() -> list[str]:
    others = sorted((CYCLONUS / "networkpolicies").glob("*.yaml"))
    return [MATRICES, *map(relative, others)]


def run(job: str, judge: str) -> Iterator[Result]:
    if job != MATRICES:
        yield load_result(POLICIES, job)
        return
    model = load_cyclonus().model
    asked = JUDGES[judge](model)
    ends = {
        f"{m.namespace}/{m.name}": Endpoint(m, m.addresses[0]) for m in model.members
    }
    files = tuple(map(relative, (_OUTPUT, _PROBE, *_POLICIES.iterdir())))
    for number, matrix in enumerate(read_matrices()):
        port, direction = PORTS[number // 3], DIRECTIONS[number % 3]
        cells = [
            _judge_cell(cell, key, asked.answer(*_pick(ends, key), port), direction)
            for key, cell in matrix.items()
        ]
        yield from _sum_up(f"TCP {port} {direction}", cells, files)


def _pick(
    ends: dict[str, Endpoint], key: tuple[str, str]
) -> tuple[Endpoint, Endpoint, Protocol]:
    return ends[key[0]], ends[key[1]], Protocol.TCP


def _judge_cell(
    cell: str, key: tuple[str, str], answer: Answer, direction: str
) -> tuple[Outcome, str]:
    if cell in NOT_SAID:
        return Outcome.NOT_APPLICABLE, NOT_SAID[cell]
    is_allowed = {
        "ingress": answer.ingress,
        "egress": answer.egress,
        "combined": answer.is_allowed,
    }[direction]
    if cell == (".X"[not is_allowed]):
        return Outcome.AGREES, ""
    if key[0] == key[1] and is_allowed:
        return Outcome.DIFFERS, SELF
    return Outcome.FAILED, f"{key[0]} => {key[1]}: {cell}"


def _sum_up(
    name: str, cells: list[tuple[Outcome, str]], files: tuple[str, ...]
) -> Iterator[Result]:
    for outcome, reason in dict.fromkeys(cells):
        count = cells.count((outcome, reason))
        yield Result(CELLS, name, outcome, reason, count, files)


# --- its files ------------------------------------------------------------------------


def load_cyclonus() -> Loaded:
    """Load its pods, which are JSON of its own, as manifests, and the policies."""
    resources = json.loads(_PROBE.read_text())["Resources"]
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
    policies = [SourceFile(p.name, p.read_text()) for p in sorted(_POLICIES.iterdir())]
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


def read_matrices() -> list[Matrix]:
    """Return ingress, egress and combined for TCP 80, then for 81, then for 82."""
    matrices = []
    for block in re.split(r"^\w*:\n", _OUTPUT.read_text(), flags=re.MULTILINE):
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

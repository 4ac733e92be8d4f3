"""Entries of one rule are tried in order, and a doubt before a match counts."""

from __future__ import annotations

import pytest

from filters.decide import Verdict
from generator.policy.model import Protocol
from generator.policy.oracle import Endpoint, decide
from generator.policy.request import HttpRequest
from tests.support.meshes import mesh_of, pod

POLICY = """\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {{name: p, namespace: pepmesh-system}}
spec:
  tier: {tier}
  priority: 1
  subject: {{namespaces: {{}}}}
  ingress:
  - action: {action}
    from: [{{namespaces: {{}}}}]
    http: [{entries}]
"""
DOUBT = "{headers: [{name: x-team, exact: blue}]}"
MATCH = "{methods: [GET]}"
REQUEST = HttpRequest("GET", "/", "b", (("x-team", "blue"), ("x-team", "red")))


@pytest.mark.parametrize("tier", ["Admin", "Baseline"])
@pytest.mark.parametrize(
    ("action", "entries", "is_allowed", "is_ambiguous"),
    [
        ("Accept", (DOUBT, MATCH), False, True),
        ("Accept", (MATCH, DOUBT), True, False),
        ("Pass", (DOUBT, MATCH), False, True),
        ("Deny", (DOUBT, MATCH), False, True),
        ("Deny", (MATCH, DOUBT), False, False),
    ],
)
def test_order_within_a_rule(
    tier: str,
    action: str,
    entries: tuple[str, str],
    is_allowed: bool,
    is_ambiguous: bool,
) -> None:
    listed = ", ".join(entries)
    text = POLICY.format(tier=tier, action=action, entries=listed)
    mesh = mesh_of(pod("a") + pod("b", namespace="ops") + text)
    numbers = {w.members[0].name: w.id for w in mesh.built.overlay.workloads}
    source = mesh.engine.member_party(numbers["a"], None)
    destination = mesh.engine.member_party(numbers["b"], None)
    judgement = mesh.engine.judge(source, destination, 80, request=REQUEST)
    assert (judgement.ingress is Verdict.ALLOW) == is_allowed
    assert judgement.is_ambiguous == is_ambiguous
    ends = {member.name: Endpoint(member) for member in mesh.model.members}
    flow = ends["a"], ends["b"], Protocol.TCP, 80
    expected = decide(mesh.model, *flow, request=REQUEST).ingress
    assert (expected.allowed, expected.is_ambiguous) == (is_allowed, is_ambiguous)

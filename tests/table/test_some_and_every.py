"""SOME and EVERY request, where a Pass of some of them leads to later tiers."""

from __future__ import annotations

import pytest

from filters.http import Requests
from generator.policy.request import HttpRequest
from tests.support.meshes import mesh_of, pod, policy

ADMIN = """\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {{name: p, namespace: pepmesh-system}}
spec:
  tier: Admin
  priority: 1
  subject: {{namespaces: {{}}}}
  ingress:
  - {{action: Pass, from: [{{namespaces: {{}}}}], http: [{{methods: [GET]}}]}}
  - {{action: {otherwise}, from: [{{namespaces: {{}}}}]}}
---
"""
ISOLATED = policy("closed", "{podSelector: {}}", namespace="ops")


@pytest.mark.parametrize(
    ("otherwise", "more", "get", "post", "some", "every"),
    [
        # A GET leaves the tier, and nobody else speaks: allowed.
        ("Deny", "", True, False, True, False),
        # A GET leaves the tier and is denied by the next one.
        ("Accept", ISOLATED, False, True, True, False),
        # Whichever way it goes, the answer is the same.
        ("Accept", "", True, True, True, True),
        ("Deny", ISOLATED, False, False, False, False),
    ],
)
def test_a_pass_of_some_requests(
    otherwise: str, more: str, get: bool, post: bool, some: bool, every: bool
) -> None:
    text = pod("a") + pod("b", namespace="ops") + ADMIN.format(otherwise=otherwise)
    mesh = mesh_of(text + more)
    numbers = {w.members[0].name: w.id for w in mesh.built.overlay.workloads}
    source = mesh.engine.member_party(numbers["a"], None)
    destination = mesh.engine.member_party(numbers["b"], None)

    def is_allowed(asked: HttpRequest | Requests) -> bool:
        return mesh.engine.judge(source, destination, 80, request=asked).is_allowed

    assert is_allowed(HttpRequest("GET")) == get
    assert is_allowed(HttpRequest("POST")) == post
    assert is_allowed(Requests.NOT_HTTP) == post
    assert is_allowed(Requests.SOME) == some
    assert is_allowed(Requests.EVERY) == every

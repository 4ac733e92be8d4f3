"""Tables of models: what random models found once."""

from __future__ import annotations

import pytest

from filters import decide
from filters.party import Kind, Party
from filters.running import running
from generator.overlay.build import build_overlay
from generator.table.build import build_table
from generator.table.decode import decode_table
from generator.table.encode import encode_table
from tests.support.loading import model_of

# Two pods of one workload have another port "dns" each, but no rule that names a port
# selects them: the name is used for the pods of another namespace only.
UNSEEN_PORTS = """
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: alpha}
spec: {containers: [{name: c, ports: [{name: dns, containerPort: 53}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, namespace: alpha}
spec: {containers: [{name: c, ports: [{name: dns, containerPort: 5353}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: three, namespace: beta}
spec: {containers: [{name: c, ports: [{name: dns, containerPort: 53}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: beta}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to: [{podSelector: {}}]
    ports: [{port: dns}]
"""


def test_ports_that_no_rule_sees_may_differ() -> None:
    model = model_of(UNSEEN_PORTS)
    overlay, _, _ = build_overlay(model, None, name="x")
    table = build_table(model, overlay)
    assert decode_table(encode_table(table)) == table


NODES = """
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop}}
spec: {{containers: [{{name: c}}]}}
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {{name: p}}
spec:
  tier: Admin
  priority: 1
  subject: {{namespaces: {{}}}}
  egress:
  - action: {action}
    to: [{{nodes: {{matchLabels: {{role: worker}}}}}}]
  - action: {otherwise}
    to: [{{networks: [0.0.0.0/0]}}]
"""


@pytest.mark.parametrize(
    ("action", "otherwise", "is_allowed"),
    [
        ("Accept", "Deny", False),  # matches nothing
        ("Deny", "Accept", False),  # matches every address that is no member
        ("Pass", "Accept", False),  # denies: it might skip a Deny that comes later
        ("Pass", "Deny", False),
    ],
)
def test_rules_about_nodes_fail_closed(
    action: str, otherwise: str, is_allowed: bool
) -> None:
    """Which addresses nodes have is not known."""
    model = model_of(NODES.format(action=action, otherwise=otherwise))
    overlay, _, _ = build_overlay(model, None, name="x")
    data = encode_table(build_table(model, overlay))
    source, destination = Party(), Party()
    source.kind, source.word2 = Kind.MEMBER, 1
    destination.kind, destination.word3 = Kind.IPV4, 0x01020304
    answer = decide.Judgement()
    with running(None, {"table": data}):
        decide.judge(source, destination, 80, False, 0, b"", answer)
    assert (answer.egress == decide.Verdict.ALLOW) == is_allowed

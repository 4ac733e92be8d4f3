"""Tables of models: what random models found once."""

from __future__ import annotations

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

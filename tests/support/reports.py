"""A mesh whose report has everything in it, hostile texts too."""

from __future__ import annotations

from tests.support.meshes import BuiltMesh, deployment, mesh_of, namespace, policy

HOSTILE = "</script><script>hacked=1</script><img src=x onerror=hacked=1>"

API = f"""\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {{name: cart-api, namespace: shop}}
spec:
  policyTypes: [Ingress]
  subject: {{pods: {{podSelector: {{matchLabels: {{app: cart}}}}}}}}
  ingress:
  - from: [{{pods: {{podSelector: {{matchLabels: {{app: web}}}}}}}}]
    ports: [{{protocol: TCP, port: 7070}}]
    http:
    - methods: [GET, HEAD]
      paths: [{{template: "/cart/{{*}}"}}]
      headers: [{{name: x-team, exact: "{HOSTILE}"}}]
  - from: [{{pods: {{podSelector: {{matchLabels: {{app: web}}}}}}}}]
    ports: [{{protocol: TCP, port: 7070}}, {{protocol: TCP, port: 7071}}]
    http: [{{methods: [POST]}}]
  - from: [{{pods: {{podSelector: {{matchLabels: {{app: web}}}}}}}}]
    ports: [{{protocol: TCP, port: 9090}}, {{protocol: UDP, port: 53}}]
---
"""

SHOP = (
    namespace()
    + namespace("pay")
    + deployment("web")
    + deployment("cart")
    + deployment("db")
    + deployment("ledger", namespace="pay")
    + API
    + policy(
        "db",
        "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress], "
        "ingress: [{from: [{podSelector: {matchLabels: {app: cart}}}], "
        "ports: [{port: 5432}]}, {from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}",
    )
    + policy("deny", "{podSelector: {}}", namespace="pay")
)


def shop_mesh() -> BuiltMesh:
    return mesh_of(SHOP)


def wide_mesh(workloads: int) -> BuiltMesh:
    """Many workloads in a few namespaces; each hears from its right neighbour."""
    spaces = [f"team-{number}" for number in range(5)]
    text = "".join(namespace(space) for space in spaces)
    for number in range(workloads):
        space = spaces[number % len(spaces)]
        text += deployment(f"app-{number:03d}", namespace=space)
    for space in spaces:
        text += policy(
            "closed",
            "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: "
            "{app: app-007}}}], ports: [{port: 80}]}]}",
            namespace=space,
        )
    return mesh_of(text)

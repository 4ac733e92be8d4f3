"""A peer of the policy's own namespace, where the subject is in another one."""

from __future__ import annotations

import pytest

from tests.support.meshes import BuiltMesh, mesh_of, namespace, pod

PODS = (
    namespace("shop")
    + pod("probe", namespace="pepmesh-system", labels="{app: probe}")
    + pod("other", namespace="pepmesh-system", labels="{app: other}")
    + pod("probe", namespace="shop", labels="{app: probe}")
    + pod("other", namespace="shop", labels="{app: other}")
    + pod("cart", namespace="shop", labels="{app: cart}")
)
SHOP = "{matchLabels: {kubernetes.io/metadata.name: shop}}"
PROBES = "{pods: {podSelector: {matchLabels: {app: probe}}}}"


def mesh(rule: str, tier: str = "", direction: str = "ingress") -> BuiltMesh:
    ordered = f"tier: {tier}, priority: 1, " if tier else ""
    return mesh_of(
        f"""{PODS}\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {{name: probes, namespace: pepmesh-system}}
spec: {{{ordered}subject: {{namespaces: {SHOP}}}, {direction}: [{rule}]}}
---
"""
    )


def allowed_with_cart(mesh: BuiltMesh, direction: str) -> set[str]:
    """The other ends of the flows of shop/cart that are allowed."""
    flows = {(s, d) for s, d, _, _ in mesh.flows() if "/" in s and "/" in d}
    if direction == "ingress":
        return {source for source, destination in flows if destination == "shop/cart"}
    return {destination for source, destination in flows if source == "shop/cart"}


@pytest.mark.parametrize("direction, field", [("ingress", "from"), ("egress", "to")])
def test_it_is_of_the_policys_namespace(direction: str, field: str) -> None:
    """Not of the subject's, where pods may have the same labels."""
    found = mesh(f"{{{field}: [{PROBES}]}}", direction=direction)
    assert allowed_with_cart(found, direction) == {"pepmesh-system/probe"}


@pytest.mark.parametrize("direction, field", [("ingress", "from"), ("egress", "to")])
def test_a_denial_is_of_the_policys_namespace(direction: str, field: str) -> None:
    rule = f"{{action: Deny, {field}: [{PROBES}]}}"
    found = mesh(rule, "Admin", direction)
    assert allowed_with_cart(found, direction) == {
        "pepmesh-system/other",
        "shop/other",
        "shop/probe",
    }

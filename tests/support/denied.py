"""A small mesh in which one flow is denied, and what nearly matched of it."""

from __future__ import annotations

from generator.analysis.explain.near_misses import NearMiss
from generator.policy.model import Direction
from generator.policy.request import HttpRequest
from tests.support.asking import tell
from tests.support.meshes import deployment, namespace, pod, policy

MESH = (
    namespace("shop", "{team: a, env: prod}")
    + namespace("other", "{team: b}")
    + namespace("pepmesh-system")
    + namespace("laptops", '{pepmesh.dev/edge: "true"}')
    + deployment("web", ports="[{name: http, containerPort: 8080}]")
    + deployment("cart", ports="[{name: http, containerPort: 8080}]")
    + deployment("far", namespace="other")
    + pod("db", "10.1.2.3", labels="{app: db}")
    + """\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: laptop, namespace: laptops}
spec: {address: 10.9.0.1, labels: {pepmesh.dev/user: alice}}
---
"""
)

WEB = "{podSelector: {matchLabels: {app: web}}}"
TO_CART = "podSelector: {matchLabels: {app: cart}}"
HERE = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}"


def overlay(ingress: str, *, kind: str = "", name: str = "cart-api") -> str:
    """An OverlayPolicy about the cart; `kind` has what stands before the subject."""
    place = "pepmesh-system" if kind else "shop"
    selector = f"{{podSelector: {{matchLabels: {{app: cart}}}}{', ' if kind else ''}"
    selector += f"{HERE}}}" if kind else "}"
    return f"""\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {{name: {name}, namespace: {place}}}
spec: {{{kind} subject: {{pods: {selector}}}, ingress: {ingress}}}
---
"""


def cart_in(rule: str, name: str = "cart-in") -> str:
    return policy(name, f"{{{TO_CART}, ingress: [{rule}]}}")


def near_of(
    policies: str,
    source: str = "shop/web",
    port: int = 8443,
    protocol: str = "TCP",
    request: HttpRequest | None = None,
    destination: str = "shop/cart",
    direction: Direction = Direction.INGRESS,
) -> list[NearMiss]:
    """Return what nearly matched of a flow that must be denied."""
    flow = source, destination, port, protocol, request
    told = tell(MESH + policies, direction, *flow)
    assert not told.trace.is_allowed
    return list(told.near)


def only(found: list[NearMiss]) -> str:
    (near,) = found
    return "; ".join(miss.text for miss in near.misses)


def rules_of(found: list[NearMiss]) -> list[str]:
    return [near.rule.partition("/")[2] for near in found]

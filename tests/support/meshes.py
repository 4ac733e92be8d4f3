"""Build small meshes from texts, once each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network

from generator.analysis.engine import Engine
from generator.analysis.explain.explainer import Explainer, Explanation
from generator.analysis.simulate.simulation import simulate
from generator.analysis.traffic import Traffic
from generator.build import Built, build_mesh
from generator.overlay.build import build_overlay
from generator.overlay.lock import Lock, revoke
from generator.policy.model import Model, Protocol
from generator.policy.request import HttpRequest
from tests.support.loading import model_of


@dataclass(frozen=True)
class BuiltMesh:
    """A mesh, its module running, and short ways to ask it."""

    model: Model
    built: Built
    engine: Engine

    def explain(
        self,
        source: str,
        destination: str,
        port: int | str,
        protocol: str = "TCP",
        request: HttpRequest | None = None,
    ) -> Explanation:
        explainer = Explainer(self.engine, self.model, self.built.overlay)
        kind = Protocol(protocol)
        traffic = Traffic(source, destination, str(port), kind, request)
        found = explainer.explain(traffic)
        # The module is of this very model, so the way to its answers must be known.
        for flow in found.flows:
            assert flow.egress.is_traced, flow.egress
            assert flow.ingress.is_traced, flow.ingress
        return found

    def flows(self) -> set[tuple[str, str, str, str]]:
        """All allowed flows, with ports as "80,90-99"; "" for all of them."""
        return {
            (
                c.source,
                c.destination,
                c.protocol,
                ""
                if c.ports == ((1, 65535),)
                else ",".join(str(a) if a == b else f"{a}-{b}" for a, b in c.ports),
            )
            for c in simulate(self.engine, self.built.overlay)
        }


def build_model(
    model: Model, lock: Lock | None = None, member_cidrs: tuple[IPv4Network, ...] = ()
) -> BuiltMesh:
    built = build_mesh(model, lock, member_cidrs=member_cidrs)
    return BuiltMesh(model, built, Engine(built.module))


@cache
def mesh_of(text: str, member_cidr: str = "") -> BuiltMesh:
    """Build the mesh of some manifests."""
    blocks = (IPv4Network(member_cidr),) if member_cidr else ()
    return build_model(model_of(text), member_cidrs=blocks)


def with_revoked(mesh: BuiltMesh, name: str) -> BuiltMesh:
    """Build the mesh again with one owner's workload revoked."""
    namespace, _, owner = name.partition("/")
    (workload,) = mesh.built.overlay.workloads_by_name[namespace, owner]
    lock = revoke(mesh.built.lock, workload.id)
    overlay, _, _ = build_overlay(mesh.model, lock, name=lock.name)
    assert overlay.workloads_by_id[workload.id].revoked
    return build_model(mesh.model, lock)


def deployment(name: str, *, namespace: str = "shop", ports: str = "[]") -> str:
    """A Deployment whose pods have the label app: NAME."""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers: [{{name: main, image: none, ports: {ports}}}]
---
"""


def pod(
    name: str,
    address: str = "",
    *,
    namespace: str = "shop",
    labels: str = "{}",
    host_network: bool = False,
    owner: str = "",
) -> str:
    """A running Pod."""
    owners = (
        f"[{{apiVersion: apps/v1, kind: StatefulSet, name: {owner}, "
        "controller: true, uid: u}]"
    )
    addresses = f"podIP: {address}, podIPs: [{{ip: '{address}'}}]," if address else ""
    return f"""\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: {namespace}
  labels: {labels}
  ownerReferences: {owners if owner else "[]"}
spec:
  hostNetwork: {str(host_network).lower()}
  containers: [{{name: main, image: none}}]
status: {{{addresses} phase: Running}}
---
"""


def namespace(name: str = "shop", labels: str = "{}") -> str:
    return f"""\
apiVersion: v1
kind: Namespace
metadata: {{name: {name}, labels: {labels}}}
---
"""


def policy(name: str, spec: str, *, namespace: str = "shop") -> str:
    """A NetworkPolicy; `spec` is YAML in flow style."""
    return f"""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
---
"""


def service(
    name: str, port: int, target: int | str, *, app: str = "", namespace: str = "shop"
) -> str:
    """A Service of one TCP port; without `app` it selects nothing."""
    selector = f"selector: {{app: {app}}}, " if app else ""
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{{selector}ports: [{{name: web, port: {port}, targetPort: {target}}}]}}
---
"""

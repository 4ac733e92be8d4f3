"""A small mesh, and edits of it: every place in it has several things to be.

A place is where a document stands, or nothing. The first choice of each gives a mesh in
which policies of all kinds meet; most edits change what some subjects say.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from generator.source import SourceFile

NAMESPACES = ("red", "green")
APPS = ("web", "api")
MESH_WIDE = "platform"


class Place(NamedTuple):
    """A file, and what may stand there."""

    file: str
    choices: tuple[str, ...]


def workload(
    namespace: str,
    app: str,
    tier: str,
    number: int = 80,
    network: str = "false",
    probe: str = "/",
) -> str:
    return (
        f"apiVersion: apps/v1\nkind: StatefulSet\n"
        f"metadata:\n  name: {app}\n  namespace: {namespace}\n"
        f"spec:\n  template:\n    metadata:\n      labels:\n        app: {app}\n"
        f"        tier: {tier}\n    spec:\n      hostNetwork: {network}\n"
        f"      containers:\n      - name: main\n        ports:\n"
        f"        - name: http\n          containerPort: {number}\n"
        f"        livenessProbe: {{httpGet: {{port: http, path: {probe}}}}}\n"
    )


def pod(
    namespace: str, app: str, tier: str, address: str, account: str = "robot"
) -> str:
    """A running pod, part of the workload of its app; its address says its port."""
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {app}-0\n"
        f"  namespace: {namespace}\n  labels: {{app: {app}, tier: {tier}}}\n"
        "  ownerReferences:\n  - {apiVersion: apps/v1, kind: StatefulSet, "
        f"name: {app}, controller: true, uid: u}}\n"
        f"spec:\n  serviceAccountName: {account}\n  containers:\n  - name: main\n"
        f"    ports: [{{name: http, containerPort: {len(address)}}}]\n"
        f"status: {{phase: Running, podIP: '{address}'}}\n"
    )


def service(namespace: str, app: str, port: int) -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {app}, namespace: "
        f"{namespace}}}\nspec:\n  selector: {{app: {app}}}\n"
        f"  ports: [{{port: {port}, targetPort: http}}]\n"
    )


def network_policy(namespace: str, app: str, peer: str, port: str) -> str:
    return (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: {app}, namespace: {namespace}}}\nspec:\n"
        f"  podSelector: {{matchLabels: {{app: {app}}}}}\n"
        f"  policyTypes: [Ingress, Egress]\n"
        f"  ingress: [{{from: [{peer}], ports: [{{port: {port}}}]}}]\n"
        f"  egress: [{{to: [{peer}], ports: [{{port: {port}}}]}}]\n"
    )


def overlay_policy(namespace: str, app: str, path: str, mode: str) -> str:
    return (
        "apiVersion: pepmesh.dev/v1\nkind: OverlayPolicy\n"
        f"metadata: {{name: {app}, namespace: {namespace}}}\nspec:\n  mode: {mode}\n"
        f"  subject: {{pods: {{podSelector: {{matchLabels: {{app: {app}}}}}}}}}\n"
        f"  ingress: [{{http: [{{paths: [{{prefix: {path}}}]}}]}}]\n"
    )


def system_policy(app: str, peer: str, stage: str) -> str:
    """A policy whose subjects are elsewhere, with peers that are no pods."""
    return (
        "apiVersion: pepmesh.dev/v1\nkind: OverlayPolicy\n"
        f"metadata: {{name: by-{app}, namespace: pepmesh-system}}\nspec:\n"
        f"  subject: {{namespaces: {{matchLabels: {{stage: {stage}}}}}}}\n"
        f"  ingress: [{{from: [{peer}], ports: [{{port: 80}}]}}]\n"
    )


def cluster_policy(name: str, tier: str, stage: str, action: str, peer: str) -> str:
    return (
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
        f"metadata: {{name: {name}}}\nspec:\n  tier: {tier}\n  priority: 1\n"
        f"  subject: {{namespaces: {{matchLabels: {{stage: {stage}}}}}}}\n"
        f"  ingress: [{{action: {action}, from: [{{namespaces: {{}}}}]}}]\n"
        f"  egress: [{{action: {action}, to: [{peer}]}}]\n"
    )


def name_space(name: str, stage: str) -> str:
    return (
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: "
        f"{{stage: {stage}}}}}\n"
    )


PEERS = (
    "{podSelector: {matchLabels: {app: web}}}",
    "{podSelector: {matchLabels: {tier: front}}}",
    "{podSelector: {matchExpressions: [{key: zone, operator: DoesNotExist}]}}",
    "{namespaceSelector: {matchLabels: {stage: prod}}}",
    "{namespaceSelector: {}, podSelector: {matchLabels: {app: api}}}",
    "{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}",
)
OTHER_PEERS = (
    "{serviceAccounts: [{namespace: red, name: robot}]}",
    "{serviceAccounts: [{namespace: green, name: default}]}",
    "{overlayCIDRs: ['fd00::/8']}",
    "{pods: {podSelector: {matchLabels: {tier: front}}}}",
)
CLUSTER_PEERS = (
    "{networks: [10.0.0.0/8]}",
    "{nodes: {matchLabels: {role: worker}}}",
    "{namespaces: {matchExpressions: [{key: stage, operator: NotIn, values: [prod]}]}}",
)
ADDRESSES = ("10.0.0.1", "10.1.0.1", "192.0.2.17", "fd12::1")
NOTHING = ""
FAULT = "kind: 1: 2\n"
COMMENT = "# comment\n"


def _places() -> Iterator[Place]:
    for name in NAMESPACES:
        stages = tuple(name_space(name, stage) for stage in ("prod", "dev"))
        yield Place(name, (*stages, NOTHING))
        yield Place(name, (NOTHING, COMMENT))
        for app in APPS:
            yield from _places_of_app(name, app)
        # After all that it might be a second one of.
        yield Place(name, (NOTHING, FAULT, workload(name, "web", "extra")))
    for policy, tier in (("guard", "Admin"), ("other", "Baseline")):
        drawn = product(("prod", "dev"), ("Deny", "Pass", "Accept"), CLUSTER_PEERS)
        guards = (cluster_policy(policy, tier, *each) for each in drawn)
        yield Place(MESH_WIDE, (*guards, NOTHING))
    for app, stage in zip(APPS, ("prod", "dev"), strict=True):
        others = (system_policy(app, peer, stage) for peer in OTHER_PEERS)
        yield Place(MESH_WIDE, (*others, NOTHING))


def _places_of_app(name: str, app: str) -> Iterator[Place]:
    workloads = (
        workload(name, app, "front"),
        workload(name, app, "back"),
        workload(name, app, "front", 81),
        workload(name, app, "front", probe="/healthy"),
        workload(name, app, "front", network="true"),
    )
    yield Place(name, (*workloads, NOTHING))
    pods = (pod(name, app, "back", address) for address in ADDRESSES)
    # With the account of the workload, and another port of the name: one of a kind.
    yield Place(name, (*pods, NOTHING, pod(name, app, "front", "10.0.0.9", "default")))
    yield Place(name, (service(name, app, 80), service(name, app, 81), NOTHING))
    policies = (network_policy(name, app, *e) for e in product(PEERS, ("http", "80")))
    yield Place(name, (*policies, NOTHING))
    asking = product(("/a", "/b"), ("enforce", "audit"))
    policies = (overlay_policy(name, app, *each) for each in asking)
    yield Place(name, (*policies, NOTHING))


PLACES = tuple(_places())


def sources_of(chosen: tuple[int, ...]) -> list[SourceFile]:
    """Return the files of a mesh, by what is chosen at each place."""
    files: dict[str, list[str]] = {}
    for place, number in zip(PLACES, chosen, strict=True):
        documents = files.setdefault(place.file, [])
        documents += filter(None, [place.choices[number]])
    return [
        SourceFile(f"{name}.yaml", "---\n".join(documents))
        for name, documents in sorted(files.items())
    ]

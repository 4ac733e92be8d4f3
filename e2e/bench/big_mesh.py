"""A large mesh from a seed: namespaces, teams, workloads, Services and policies.

Made to look like clusters that people run: default deny and DNS in every namespace,
scraping by the monitoring namespace, calls within a namespace and between teams, named
ports, address ranges outside, a few rules about requests, and mesh-wide policies of the
platform team. Same seed, same text.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

Manifest = dict[str, Any]

WORKLOADS_PER_NAMESPACE: Final = 10
ROLES: Final = ("web", "api", "worker", "cache", "db")
MONITORING: Final = "ns-0000"
NAME_LABEL: Final = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything; about one policy per workload."""

    namespaces: int
    seed: int = 1

    @property
    def workloads(self) -> int:
        return self.namespaces * WORKLOADS_PER_NAMESPACE


def manifests(size: Size) -> str:
    """Return all manifests of a mesh as one YAML stream."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    documents = list(_Maker(size).documents())
    return yaml.dump_all(documents, Dumper=dumper, default_flow_style=None)


class _Maker:
    def __init__(self, size: Size) -> None:
        self.size = size
        self.random = random.Random(size.seed)
        self.teams = [f"team-{n}" for n in range(max(2, size.namespaces // 8))]
        self.names = [f"ns-{n:04}" for n in range(size.namespaces)]
        self.team_of = {name: self.random.choice(self.teams) for name in self.names}

    def documents(self) -> Iterator[Manifest]:
        for name in self.names:
            labels = {"team": self.team_of[name], "stage": self._stage(name)}
            yield _object("v1", "Namespace", name, labels=labels)
            for number in range(WORKLOADS_PER_NAMESPACE):
                yield from self._workload(name, number)
            yield from self._policies(name)
        yield from self._mesh_wide()

    def _stage(self, name: str) -> str:
        return "prod" if int(name[3:]) % 4 else "staging"

    # --- inventory -------------------------------------------------------------------

    def _workload(self, namespace: str, number: int) -> Iterator[Manifest]:
        name = f"{ROLES[number % len(ROLES)]}-{number}"
        labels = {"app": name, "role": ROLES[number % len(ROLES)]}
        ports = [
            {"name": "http", "containerPort": 8080 + number % 3},
            {"name": "metrics", "containerPort": 9090},
        ]
        pod = {
            "serviceAccountName": name,
            "containers": [{"name": "main", "image": "x", "ports": ports}],
        }
        template = {"metadata": {"labels": labels}, "spec": pod}
        spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
        yield _object("apps/v1", "Deployment", name, namespace, spec)
        service = [{"name": "http", "port": 80, "targetPort": "http"}]
        spec = {"selector": {"app": name}, "ports": service}
        yield _object("v1", "Service", name, namespace, spec)

    # --- policies --------------------------------------------------------------------

    def _policies(self, namespace: str) -> Iterator[Manifest]:
        """Yield ten: what every namespace has, and what some workloads need."""
        yield _policy("default-deny", namespace, policyTypes=["Ingress", "Egress"])
        dns = {"namespaceSelector": _named(MONITORING), "podSelector": _role("api")}
        ports = [{"protocol": p, "port": 53} for p in ("UDP", "TCP")]
        yield _policy("dns", namespace, egress=[{"to": [dns], "ports": ports}])
        scraper = {"namespaceSelector": _named(MONITORING)}
        rule = {"from": [scraper], "ports": [{"port": "metrics"}]}
        yield _policy("scraping", namespace, ingress=[rule])
        for number in range(4):
            yield from self._call(namespace, number)
        yield self._outside(namespace)
        yield self._team(namespace)
        if self.random.random() < 0.3:
            yield self._requests(namespace)
        else:
            yield self._range(namespace)

    def _call(self, namespace: str, number: int) -> Iterator[Manifest]:
        """One role calls another, within the namespace; both sides must say so."""
        caller, callee = self.random.sample(ROLES, 2)
        peer = {"podSelector": _role(caller)}
        rule = {"from": [peer], "ports": [{"port": "http"}]}
        if number % 2 == 0:
            yield _policy(f"to-{callee}-{number}", namespace, callee, ingress=[rule])
            return
        peer = {"podSelector": _role(callee)}
        out = {"to": [peer], "ports": [{"port": "http"}]}
        yield _policy(f"from-{caller}-{number}", namespace, caller, egress=[out])

    def _outside(self, namespace: str) -> Manifest:
        """One workload talks to addresses outside: a partner's, or a database's."""
        block: Manifest = {"cidr": f"198.{self.random.randrange(18, 20)}.0.0/16"}
        if self.random.random() < 0.5:
            number = self.random.randrange(256)
            block = {"cidr": f"10.{number}.0.0/16", "except": [f"10.{number}.7.0/24"]}
        rule = {"to": [{"ipBlock": block}], "ports": [{"port": 443}, {"port": 5432}]}
        return _policy("outside", namespace, "worker", egress=[rule])

    def _team(self, namespace: str) -> Manifest:
        """Another namespace of the team, or a partner team, may call the api."""
        team = self.random.choice((self.team_of[namespace], *self.teams[:4]))
        peer = {"namespaceSelector": {"matchLabels": {"team": team}}}
        if self.random.random() < 0.5:
            peer["podSelector"] = _role("web")
        rule = {"from": [peer], "ports": [{"port": "http"}]}
        return _policy("team", namespace, "api", ingress=[rule])

    def _range(self, namespace: str) -> Manifest:
        rule = {
            "from": [{"podSelector": {}}],
            "ports": [{"port": 8000, "endPort": 8000 + self.random.randrange(1, 200)}],
        }
        return _policy("range", namespace, "cache", ingress=[rule])

    def _requests(self, namespace: str) -> Manifest:
        area = self.random.choice(("items", "orders", "users"))
        rule = {
            "from": [
                {"namespaces": {"matchLabels": {"team": self.team_of[namespace]}}}
            ],
            "ports": [{"port": "http"}],
            "http": [
                {
                    "methods": ["GET", "HEAD"],
                    "paths": [{"prefix": f"/{area}"}, {"exact": "/healthz"}],
                },
                {"methods": ["POST"], "paths": [{"template": f"/{area}/{{*}}"}]},
            ],
        }
        subject = {"pods": {"podSelector": _role("web")}}
        spec = {"subject": subject, "ingress": [rule]}
        return _object("pepmesh.dev/v1", "OverlayPolicy", "api", namespace, spec)

    def _mesh_wide(self) -> Iterator[Manifest]:
        """What the platform team says about everybody."""
        for number, team in enumerate(self.teams[:10]):
            subject = {"namespaces": {"matchLabels": {"team": team}}}
            staging = {"namespaces": {"matchLabels": {"stage": "staging"}}}
            spec = {
                "tier": "Admin",
                "priority": number,
                "subject": subject,
                "ingress": [{"action": "Deny", "from": [staging]}],
            }
            name = f"no-staging-{number}"
            kind = "ClusterNetworkPolicy"
            yield _object("policy.networking.k8s.io/v1alpha2", kind, name, spec=spec)


def _object(
    version: str,
    kind: str,
    name: str,
    namespace: str = "",
    spec: Manifest | None = None,
    labels: dict[str, str] | None = None,
) -> Manifest:
    metadata: Manifest = {"name": name}
    metadata |= {"namespace": namespace} if namespace else {}
    metadata |= {"labels": labels} if labels else {}
    found = {"apiVersion": version, "kind": kind, "metadata": metadata}
    return found | ({"spec": spec} if spec is not None else {})


def _policy(name: str, namespace: str, role: str = "", **spec: Any) -> Manifest:
    selected = {"podSelector": _role(role) if role else {}}
    version, kind = "networking.k8s.io/v1", "NetworkPolicy"
    if "egress" in spec and "ingress" not in spec:
        spec["policyTypes"] = ["Egress"]
    return _object(version, kind, name, namespace, selected | spec)


def _role(role: str) -> Manifest:
    return {"matchLabels": {"role": role}}


def _named(namespace: str) -> Manifest:
    return {"matchLabels": {NAME_LABEL: namespace}}

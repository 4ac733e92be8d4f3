"""The policies of the big mesh: ten per namespace, and the platform team's.

Default deny, DNS and scraping in every namespace; calls within it, of one service or of
a role, both sides of them; a database or a partner outside; callers from other
applications of the team; and one of a few things that only some need: rules about
requests, a range of ports, a load balancer. Above and below, ClusterNetworkPolicies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from e2e.bench.manifests import Manifest, manifest, matching, network_policy
from e2e.bench.scenery import PORTS, Place, Service

CALLS: Final = 4
GUARDED_TEAMS: Final = 10
_NAME_LABEL: Final = "kubernetes.io/metadata.name"
_PLATFORM: Final = {"matchLabels": {_NAME_LABEL: "platform"}}
_CALLERS: Final = ("web", "api", "worker")
_CALLEES: Final = ("api", "cache", "db")


def namespace_policies(place: Place) -> Iterator[Manifest]:
    """Yield ten policies."""
    name = place.namespace
    both = ["Ingress", "Egress"]
    yield network_policy("default-deny", name, {}, policyTypes=both)
    resolver = {"namespaceSelector": _PLATFORM, "podSelector": matching(app="dns")}
    ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    yield network_policy("dns", name, {}, egress=[{"to": [resolver], "ports": ports}])
    scraper = {
        "namespaceSelector": _PLATFORM,
        "podSelector": matching(app="prometheus"),
    }
    rule = {"from": [scraper], "ports": [{"port": "metrics"}]}
    yield network_policy("scraping", name, {}, ingress=[rule])
    for number in range(CALLS):
        yield _call(place, number)
    yield _outside(place)
    yield _team(place)
    yield place.draws.choice((_requests, _requests, _range, _load_balancer))(place)


def _call(place: Place, number: int) -> Manifest:
    """One service calls another, or one role another; both sides must say so."""
    draws = place.draws
    caller = draws.choice([s for s in place.services if s.role in _CALLERS])
    callee = draws.choice([s for s in place.services if s.role in _CALLEES])
    if draws.random() < 0.3:
        source, destination = matching(role=caller.role), matching(role=callee.role)
        names = caller.role, callee.role
    else:
        source, destination = matching(app=caller.name), matching(app=callee.name)
        names = caller.name, callee.name
    port = PORTS[callee.role]
    ports = [{"port": port.name if draws.random() < 0.7 else port.number}]
    title = "{}-to-{}-{}".format(*names, number)
    if number % 2 == 0:
        rule = {"from": [{"podSelector": source}], "ports": ports}
        return network_policy(title, place.namespace, destination, ingress=[rule])
    rule = {"to": [{"podSelector": destination}], "ports": ports}
    return network_policy(title, place.namespace, source, egress=[rule])


def _outside(place: Place) -> Manifest:
    """One role talks to addresses outside: a partner's, or a database's."""
    draws = place.draws
    block: Manifest = {"cidr": f"198.{draws.randrange(18, 20)}.0.0/16"}
    if draws.random() < 0.5:
        number = draws.randrange(256)
        block = {"cidr": f"10.{number}.0.0/16", "except": [f"10.{number}.7.0/24"]}
    rule = {"to": [{"ipBlock": block}], "ports": [{"port": 443}, {"port": 5432}]}
    return network_policy(
        "outside", place.namespace, matching(role="worker"), egress=[rule]
    )


def _team(place: Place) -> Manifest:
    """The team's other applications of the same stage may call an api."""
    api = next(service for service in place.services if service.role == "api")
    peer = {"namespaceSelector": matching(team=place.team, stage=place.stage)}
    if place.draws.random() < 0.5:
        peer["podSelector"] = matching(role="web")
    rule = {"from": [peer], "ports": [{"port": "http"}]}
    return network_policy(
        "team", place.namespace, matching(app=api.name), ingress=[rule]
    )


def _range(place: Place) -> Manifest:
    last = 8000 + place.draws.randrange(1, 200)
    rule = {
        "from": [{"podSelector": {}}],
        "ports": [{"port": 8000, "endPort": last}],
    }
    return network_policy(
        "range", place.namespace, matching(role="cache"), ingress=[rule]
    )


def _load_balancer(place: Place) -> Manifest:
    """A load balancer outside reaches what the users see."""
    block = {"cidr": f"203.0.113.{place.draws.randrange(16) * 16}/28"}
    rule = {"from": [{"ipBlock": block}], "ports": [{"port": "http"}]}
    return network_policy(
        "load-balancer", place.namespace, matching(role="web"), ingress=[rule]
    )


def _requests(place: Place) -> Manifest:
    """The team reads and writes one area of the paths of a service."""
    service: Service = place.draws.choice(
        [s for s in place.services if s.role == "web"]
    )
    area = service.name.partition("-")[0]
    team = {"namespaces": matching(team=place.team, stage=place.stage)}
    reading = {
        "methods": ["GET", "HEAD"],
        "paths": [{"prefix": f"/{area}"}, {"exact": "/healthz"}],
    }
    writing = {"methods": ["POST"], "paths": [{"template": f"/{area}/{{*}}"}]}
    rule = {"from": [team], "ports": [{"port": "http"}], "http": [reading, writing]}
    subject = {"pods": {"podSelector": matching(app=service.name)}}
    spec = {"subject": subject, "ingress": [rule]}
    return manifest("pepmesh.dev/v1", "OverlayPolicy", "api", place.namespace, spec)


# --- the platform team's -------------------------------------------------------------


def mesh_wide_policies(places: Sequence[Place]) -> Iterator[Manifest]:
    """Yield what is said about everybody, and about the production of some teams."""
    everybody: Manifest = {"namespaces": {}}
    production = {"namespaces": matching(stage="prod")}
    prometheus = {
        "pods": {
            "namespaceSelector": _PLATFORM,
            "podSelector": matching(app="prometheus"),
        }
    }
    metrics = [{"tcp": {"destinationPort": {"number": 9090}}}]
    accept = {"action": "Accept", "from": [prometheus], "protocols": metrics}
    yield _cluster_policy("scraping", "Admin", 0, everybody, ingress=[accept])
    metadata = {"action": "Deny", "to": [{"networks": ["169.254.169.254/32"]}]}
    yield _cluster_policy("metadata", "Admin", 1, everybody, egress=[metadata])
    others = {"key": "stage", "operator": "NotIn", "values": ["prod"]}
    elsewhere = {"namespaces": {"matchExpressions": [others]}}
    deny = {"action": "Deny", "from": [elsewhere]}
    yield _cluster_policy("production", "Admin", 2, production, ingress=[deny])
    teams = list(dict.fromkeys(place.team for place in places))
    for number, team in enumerate(teams[:GUARDED_TEAMS]):
        guarded = {"namespaces": matching(team=team, stage="prod")}
        among = {"action": "Pass", "from": [{"namespaces": matching(team=team)}]}
        outsiders = {"key": "team", "operator": "In", "values": teams[-3:]}
        peer = {"namespaces": {"matchExpressions": [outsiders]}}
        nobody = {"action": "Deny", "from": [peer]}
        rules = [among, nobody]
        name = f"guard-{team}"
        yield _cluster_policy(name, "Admin", 10 + number, guarded, ingress=rules)
    closed = {"action": "Deny", "from": [{"namespaces": matching(stage="dev")}]}
    yield _cluster_policy("closed", "Baseline", 0, everybody, ingress=[closed])


def _cluster_policy(
    name: str, tier: str, priority: int, subject: Manifest, **rules: Any
) -> Manifest:
    spec = {"tier": tier, "priority": priority, "subject": subject, **rules}
    version = "policy.networking.k8s.io/v1alpha2"
    return manifest(version, "ClusterNetworkPolicy", name, spec=spec)

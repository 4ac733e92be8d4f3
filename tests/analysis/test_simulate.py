"""`simulate`: all flows, by the built module, and equal to the oracle's."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import assume, given, settings

from generator.analysis.allowed import answers
from generator.analysis.endpoints import Endpoint
from generator.analysis.engine import Engine
from generator.analysis.simulate.simulation import (
    Connection,
    simulate,
    simulation_document,
)
from generator.build import build_mesh
from generator.errors import OverlayError
from generator.policy.model import Model
from generator.policy.oracle_connections import Connection as Line
from generator.policy.oracle_connections import connections
from generator.table.model import RuleTable
from tests.support.connlist import canonical
from tests.support.meshes import (
    BuiltMesh,
    deployment,
    mesh_of,
    namespace,
    pod,
    policy,
    with_revoked,
)
from tests.support.strategies import models

EVERYWHERE = "0.0.0.0-255.255.255.255"
ALL = frozenset(("TCP", "UDP", "SCTP"))

SHOP = (
    namespace()
    + deployment("web")
    + deployment("cart", ports="[{name: http, containerPort: 8080}]")
    + policy(
        "cart-in",
        "{podSelector: {matchLabels: {app: cart}}, ingress: [{from: [{podSelector: "
        "{matchLabels: {app: web}}}], ports: [{port: http}, {port: 8000, endPort: "
        "8010}, {port: 53, protocol: UDP}]}]}",
    )
)


def all_ports(source: str, destination: str) -> set[tuple[str, str, str, str]]:
    return {(source, destination, protocol, "") for protocol in ALL}


def test_flows_of_a_small_shop() -> None:
    assert mesh_of(SHOP).flows() == {
        *all_ports("shop/web", EVERYWHERE),
        *all_ports("shop/cart", EVERYWHERE),
        *all_ports(EVERYWHERE, "shop/web"),
        *all_ports("shop/cart", "shop/web"),
        ("shop/web", "shop/cart", "TCP", "8000-8010,8080"),
        ("shop/web", "shop/cart", "UDP", "53"),
    }


def test_document_is_sorted_and_complete() -> None:
    mesh = mesh_of(SHOP)
    found = simulate(mesh.engine, mesh.built.overlay)
    document = simulation_document(found)
    assert list(document) == ["apiVersion", "kind", "connections"]
    assert (document["apiVersion"], document["kind"]) == (
        "pepmesh.dev/v1",
        "Simulation",
    )
    lines = document["connections"]
    assert isinstance(lines, list)
    assert lines == sorted(
        lines, key=lambda c: (c["source"], c["destination"], c["protocol"])
    )
    assert {
        "source": "shop/web",
        "destination": "shop/cart",
        "protocol": "TCP",
        "ports": [[8000, 8010], [8080, 8080]],
    } in json.loads(json.dumps(lines))
    assert [1, 65535] in lines[0]["ports"]


def test_peers_of_other_namespaces_are_told_apart() -> None:
    """Same names, same labels but one: only the selected pod of the other may."""
    text = (
        namespace("shop")
        + namespace("ops", "{team: ops}")
        + pod("db", labels="{app: db}")
        + pod("probe", namespace="ops", labels="{role: probe}")
        + pod("other", namespace="ops", labels="{role: other}")
        + pod("local", labels="{role: probe}")
        + policy(
            "db",
            "{podSelector: {matchLabels: {app: db}}, ingress: [{from: "
            "[{namespaceSelector: {matchLabels: {team: ops}}, podSelector: "
            "{matchLabels: {role: probe}}}]}]}",
        )
    )
    to_db = {f for f in mesh_of(text).flows() if f[1] == "shop/db"}
    assert to_db == all_ports("ops/probe", "shop/db")


# --- ranges of addresses ----------------------------------------------------------


def test_neighbouring_ranges_with_equal_answers_are_one() -> None:
    """A rule about two halves of a block says the same as one about the block."""
    halves = policy(
        "a",
        "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/9}}, "
        "{ipBlock: {cidr: 10.128.0.0/9}}], ports: [{port: 80}]}]}",
    )
    flows = mesh_of(namespace() + deployment("web") + halves).flows()
    assert flows == all_ports("shop/web", EVERYWHERE) | {
        ("10.0.0.0-10.255.255.255", "shop/web", "TCP", "80")
    }


def test_exceptions_split_ranges_and_edges_are_exact() -> None:
    text = (
        namespace()
        + deployment("web")
        + policy(
            "a",
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "
            "0.0.0.0/0, except: [10.0.0.0/8, 255.255.255.255/32]}}]}]}",
        )
    )
    outward = {f for f in mesh_of(text).flows() if f[0] == "shop/web"}
    assert {f[1] for f in outward} == {
        "0.0.0.0-9.255.255.255",
        "11.0.0.0-255.255.255.254",
    }


def test_another_policy_does_not_split_ranges() -> None:
    """Ranges are split where the answers of this owner change, not of some other."""
    text = (
        namespace()
        + deployment("web")
        + deployment("cart")
        + policy(
            "a",
            "{podSelector: {matchLabels: {app: cart}}, ingress: [{from: [{ipBlock: "
            "{cidr: 10.0.0.0/8}}]}]}",
        )
    )
    assert (EVERYWHERE, "shop/web", "TCP", "") in mesh_of(text).flows()


def test_ipv6_ranges_appear_only_if_policy_speaks_of_ipv6() -> None:
    text = (
        namespace()
        + deployment("web")
        + policy(
            "a",
            "{podSelector: {}, ingress: [{from: [{ipBlock: "
            "{cidr: '2001:db8::/32'}}]}]}",
        )
    )
    flows = mesh_of(text).flows()
    inward = {f[0] for f in flows if f[1] == "shop/web"}
    assert inward == {"2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"}
    everywhere = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    assert ("shop/web", everywhere, "TCP", "") in flows
    assert not any(":" in f[0] + f[1] for f in mesh_of(SHOP).flows())


def test_ranges_of_members_are_not_outside() -> None:
    text = namespace() + deployment("web")
    flows = mesh_of(text, "10.0.0.0/8").flows()
    ranges = {"0.0.0.0-9.255.255.255", "11.0.0.0-255.255.255.255"}
    assert {f[0] for f in flows if f[1] == "shop/web"} == ranges
    assert {f[1] for f in flows if f[0] == "shop/web"} == ranges


# --- owners with several endpoints --------------------------------------------------

ALLOW_BLOCK = policy(
    "block",
    "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: "
    "10.0.0.0/30}}], ports: [{port: 5432}]}]}",
)


def test_an_ip_block_matches_a_member_by_its_address() -> None:
    """Kubernetes conformance: pod addresses match ipBlock."""
    text = (
        namespace()
        + pod("db", labels="{app: db}")
        + pod("inside", "10.0.0.1")
        + pod("beside", "10.0.0.4")
        + pod("unknown")
        + ALLOW_BLOCK
    )
    flows = mesh_of(text).flows()
    to_db = {(f[0], f[3]) for f in flows if f[1] == "shop/db"}
    assert to_db == {("shop/inside", "5432"), ("10.0.0.0-10.0.0.3", "5432")}


def test_an_owner_may_do_what_one_of_its_endpoints_may() -> None:
    """Pods of one owner, here with different addresses and labels, are one line."""
    text = (
        namespace()
        + pod("db", labels="{app: db}")
        + pod("set-0", "10.0.0.9", owner="set")
        + pod("set-1", "10.0.0.2", owner="set")
        + pod("mix-0", labels="{role: reader}", owner="mix")
        + pod("mix-1", labels="{role: writer}", owner="mix")
        + ALLOW_BLOCK
        + policy(
            "role",
            "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
            "{matchLabels: {role: writer}}}], ports: [{port: 99}]}]}",
        )
    )
    flows = mesh_of(text).flows()
    assert {f for f in flows if f[1] == "shop/db" and f[0].startswith("shop")} == {
        ("shop/set", "shop/db", "TCP", "5432"),
        ("shop/mix", "shop/db", "TCP", "99"),
    }


def test_a_host_network_owner_is_an_address() -> None:
    """Nothing enforces it; others know it by its address, if they know that."""
    text = (
        namespace()
        + pod("db", labels="{app: db}")
        + pod("agent", "10.0.0.1", labels="{app: db}", host_network=True)
        + pod("ghost", labels="{app: db}", host_network=True)
        + ALLOW_BLOCK
    )
    flows = mesh_of(text).flows()
    assert all_ports("shop/db", "shop/agent") <= flows
    assert all_ports("shop/agent", EVERYWHERE) <= flows
    assert all_ports(EVERYWHERE, "shop/ghost") <= flows
    to_db = {f[:2] for f in flows if f[1] == "shop/db"}
    assert to_db == {("shop/agent", "shop/db"), ("10.0.0.0-10.0.0.3", "shop/db")}


def test_a_revoked_workload_reaches_no_member() -> None:
    mesh = with_revoked(mesh_of(SHOP), "shop/web")
    assert {f[:2] for f in mesh.flows() if f[0] == "shop/web"} == {
        ("shop/web", EVERYWHERE)
    }
    assert ("shop/cart", "shop/web", "TCP", "") in mesh.flows()


def test_nobody_is_listed_towards_himself() -> None:
    text = namespace() + deployment("web") + pod("a", owner="s") + pod("b", owner="s")
    assert not {f for f in mesh_of(text).flows() if f[0] == f[1]}


# --- against the oracle, and against asking about everything ------------------------


def visible(model: Model, table: RuleTable) -> Model:
    """Hide the addresses of members that the filter cannot see."""
    members = (
        member
        if member.host_network
        else replace(
            member,
            addresses=tuple(
                address
                for address in member.addresses
                if address.version == 4 and table.has_ipv4_instances
            ),
        )
        for member in model.members
    )
    return replace(model, members=tuple(members))


def lines_of(found: list[Connection]) -> list[Line]:
    return [
        Line(
            source=c.source,
            destination=c.destination,
            protocol=c.protocol,
            ports=[list(span) for span in c.ports],
        )
        for c in found
    ]


def build(model: Model) -> BuiltMesh:
    try:
        built = build_mesh(model)
    except OverlayError:
        assume(False)
        raise
    return BuiltMesh(model, built, Engine(built.module))


@settings(max_examples=max(5, settings().max_examples // 4))
@given(models())
def test_all_flows_are_the_oracles(model: Model) -> None:
    mesh = build(model)
    seen = visible(model, mesh.engine.table)
    expected = connections(seen)
    if any(subject.addresses6 for subject in mesh.engine.table.subjects):
        outside = connections(seen, family=6)
        expected += [c for c in outside if c not in expected]
    found = lines_of(simulate(mesh.engine, mesh.built.overlay))
    assert canonical(found) == canonical(expected)


@settings(max_examples=max(5, settings().max_examples // 10))
@given(models())
def test_classes_of_flows_lose_nothing(model: Model) -> None:
    """What is asked once for a class holds for each of its flows, asked by itself."""
    mesh = build(model)
    rows = {row.id: row for row in mesh.engine.table.workloads}
    listed = {f[:2] for f in mesh.flows()}
    for one in mesh.built.overlay.workloads:
        for other in mesh.built.overlay.workloads:
            ends = Endpoint(rows[one.id]), Endpoint(rows[other.id])
            is_open = any(a.judgement.is_allowed for a in answers(mesh.engine, *ends))
            if is_open and not any(m.addresses for m in one.members + other.members):
                names = {
                    (f"{a.namespace}/{a.name}", f"{b.namespace}/{b.name}")
                    for a in one.members
                    for b in other.members
                }
                assert {pair for pair in names if pair[0] != pair[1]} <= listed

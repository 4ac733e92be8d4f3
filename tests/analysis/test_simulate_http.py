"""`simulate` where rules look at requests: which ports, and which rules decide."""

from __future__ import annotations

from itertools import product

import pytest

from filters.http import Requests
from generator.analysis.allowed import Allowed
from generator.analysis.endpoints import find_owners
from generator.analysis.key_ranges import merge
from generator.analysis.request_rules import RequestTexts
from generator.analysis.sides import Access
from generator.analysis.simulate.mesh_flows import MeshFlows
from generator.analysis.simulate.simulation import (
    Connection,
    simulate,
    simulation_document,
)
from generator.policy.model import Protocol
from generator.policy.request import HttpRequest
from generator.table.ports import EVERY_KEY, key_of
from tests.support.meshes import (
    BuiltMesh,
    deployment,
    mesh_of,
    namespace,
    pod,
    policy,
)

SHOP = namespace() + deployment("web") + deployment("cart") + deployment("db")
FROM_WEB = "from: [{pods: {podSelector: {matchLabels: {app: web}}}}]"


def api(
    *rules: str, name: str = "api", tier: str = "", subject: str = "cart", to: str = ""
) -> str:
    """An OverlayPolicy; with `tier` it is one of pepmesh-system."""
    head = f"tier: {tier}, priority: 5, " if tier else ""
    pods = f"podSelector: {{matchLabels: {{app: {subject}}}}}"
    if tier:
        pods += ", namespaceSelector: {}"
    direction = "egress" if to else "ingress"
    types = "" if tier else f"policyTypes: [{direction.capitalize()}], "
    return f"""\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {{name: {name}, namespace: {"pepmesh-system" if tier else "shop"}}}
spec: {{{head}{types}subject: {{pods: {{{pods}}}}}, {direction}: [{", ".join(rules)}]}}
---
"""


def rule(
    http: str = "", ports: str = "80", peer: str = FROM_WEB, action: str = ""
) -> str:
    listed = ", ".join(f"{{protocol: TCP, port: {port}}}" for port in ports.split(","))
    parts = [f"action: {action}"] if action else []
    parts += [peer, f"ports: [{listed}]"]
    parts += [f"http: [{http}]"] if http else []
    return f"{{{', '.join(parts)}}}"


def to_cart(mesh: BuiltMesh) -> list[tuple[str, tuple[str, ...]]]:
    """TCP ports from web to cart, and the rules that look at requests there."""
    found = simulate(mesh.engine, mesh.built.overlay)
    return [
        (",".join(str(a) if a == b else f"{a}-{b}" for a, b in c.ports), c.http)
        for c in found
        if (c.source, c.destination, c.protocol) == ("shop/web", "shop/cart", "TCP")
    ]


GET = "{methods: [GET, HEAD], paths: [{template: '/cart/{*}'}]}"
POST = "{methods: [POST]}"
PEER_IN_ADMIN = "from: [{pods: {podSelector: {matchLabels: {app: web}}, "
PEER_IN_ADMIN += "namespaceSelector: {}}}]"
EVERYBODY = "from: [{namespaces: {}}]"

# What it is about, the policies, and what is listed from web to cart.
MESHES = [
    ("one rule", api(rule(GET)), [("80", ("GET,HEAD /cart/{*}",))]),
    (
        "all rules that add up are named, in order",
        api(rule(GET), rule(POST, "80,81")),
        [("80", ("GET,HEAD /cart/{*}", "POST")), ("81", ("POST",))],
    ),
    (
        "a rule without http makes the others idle",
        api(rule(GET, "80,81"), rule("", "81")),
        [("80", ("GET,HEAD /cart/{*}",)), ("81", ())],
    ),
    (
        "NetworkPolicy adds up with it",
        api(rule(GET))
        + policy(
            "plain",
            "{podSelector: {matchLabels: {app: cart}}, "
            "ingress: [{ports: [{port: 80}]}]}",
        ),
        [("80", ())],
    ),
    (
        "a Deny by request takes away from an open port",
        api(rule("", "80,81"))
        + api(
            rule(POST, peer=PEER_IN_ADMIN, action="Deny"), name="no-post", tier="Admin"
        ),
        [("81", ()), ("80", ("not POST",))],
    ),
    (
        "a Pass by request leads to the tier behind it",
        api(rule(GET))
        + api(
            rule(POST, peer=PEER_IN_ADMIN, action="Pass"),
            rule("", peer=PEER_IN_ADMIN, action="Deny"),
            name="post",
            tier="Admin",
        ),
        [("80", ("pass POST", "GET,HEAD /cart/{*}"))],
    ),
    (
        "what stands behind a rule that decides everything is idle",
        api(rule(GET))
        + api(
            rule("", peer=PEER_IN_ADMIN, action="Accept"),
            rule(POST, peer=PEER_IN_ADMIN, action="Deny"),
            name="open",
            tier="Admin",
        ),
        [("80", ())],
    ),
    (
        "so is what stands there for more peers",
        api(rule(GET))
        + api(
            rule(POST, peer=PEER_IN_ADMIN, action="Deny"),
            rule("", peer=PEER_IN_ADMIN, action="Accept"),
            rule("{methods: [PUT]}", peer=EVERYBODY, action="Deny"),
            name="open",
            tier="Admin",
        ),
        [("80", ("not POST",))],
    ),
    (
        "both sides must allow, and both are named",
        api(rule(GET))
        + api(
            rule(POST, peer="to: [{pods: {podSelector: {}}}]"),
            name="out",
            subject="web",
            to="cart",
        ),
        [("80", ("GET,HEAD /cart/{*}", "POST"))],
    ),
]


@pytest.mark.parametrize(
    "policies, expected",
    [row[1:] for row in MESHES],
    ids=[row[0] for row in MESHES],
)
def test_which_requests_are_allowed(
    policies: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert sorted(to_cart(mesh_of(SHOP + policies))) == sorted(expected)


KINDS = (Requests.NOT_HTTP, Requests.SOME, Requests.EVERY)

# Requests that tell the rules above from each other.
SAMPLES = [
    None,
    *(
        HttpRequest(method, path, "cart.shop.svc")
        for method in ("GET", "POST", "DELETE")
        for path in ("/cart/1", "/other")
    ),
]


@pytest.mark.parametrize(
    "policies", [row[1] for row in MESHES], ids=[row[0] for row in MESHES]
)
def test_listed_access_is_what_the_module_does(policies: str) -> None:
    """ALL: every request and other flows pass. SOME: it differs. NONE: nothing does."""
    mesh = mesh_of(SHOP + policies)
    flows = MeshFlows(mesh.engine, mesh.built.overlay)
    rows = list(flows.matrix())
    differing = set()
    for (i, source), (j, destination) in product(enumerate(flows.groups), repeat=2):
        if i == j:
            continue
        for port in (79, 80, 81):
            key = key_of(Protocol.TCP, port)
            flow = flows.cell(rows[i][j]).flow
            access = next(s.access for s in flow if s.first <= key <= s.last)
            verdicts = {
                str(mesh.explain(source[0], destination[0], port, request=r).outcome)
                for r in SAMPLES
            }
            if access is Access.SOME:
                differing.add((*source, *destination, str(port)))
                assert "DENY" in verdicts
            else:
                assert verdicts == {"ALLOW" if access is Access.ALL else "DENY"}
    assert {d[2] for d in differing if d[:2] == ("shop/web", "shop/cart")} == {
        port for ports, http in to_cart(mesh) if http for port in ports.split(",")
    }


@pytest.mark.parametrize(
    "policies", [row[1] for row in MESHES], ids=[row[0] for row in MESHES]
)
def test_access_is_the_modules_bounds(policies: str) -> None:
    """NOT_HTTP, SOME and EVERY, asked for each pair by itself, give the same."""
    mesh = mesh_of(SHOP + policies)
    flows = MeshFlows(mesh.engine, mesh.built.overlay)
    allowed = Allowed(mesh.engine)
    rows = list(flows.matrix())
    ends_of = {
        o.name: o.endpoints for o in find_owners(flows.table, mesh.built.overlay)
    }
    for (i, source), (j, destination) in product(enumerate(flows.groups), repeat=2):
        if i == j:
            continue
        ((sender,), (receiver,)) = ends_of[source[0]], ends_of[destination[0]]
        asked = {k: allowed.keys(sender, receiver, k) for k in KINDS}
        flow = flows.cell(rows[i][j]).flow
        some = [(s.first, s.last) for s in flow if s.access is not Access.NONE]
        every = [(s.first, s.last) for s in flow if s.access is Access.ALL]
        assert merge([some]) == asked[Requests.SOME]
        assert merge([every]) == asked[Requests.EVERY]
        assert (flow[0].first, flow[-1].last) == EVERY_KEY


def test_only_lines_that_depend_on_requests_have_http() -> None:
    lines = simulation_document(
        [
            Connection("a/a", "b/b", "TCP", ((80, 80),)),
            Connection("a/a", "b/b", "TCP", ((81, 81),), ("GET /", "not POST")),
        ]
    )["connections"]
    assert isinstance(lines, list)
    assert "http" not in lines[0]
    assert lines[1]["http"] == ["GET /", "not POST"]


@pytest.mark.parametrize(
    "http, text",
    [
        ("{methods: [GET]}", "GET"),
        ("{paths: [{prefix: /a}, {exact: /b}]}", "/a/...,/b"),
        ("{hosts: [a.example, '*.b.example']}", "at a.example,*.b.example"),
        ("{headers: [{name: X-A, exact: b}]}", "x-a=b"),
        ("{headers: [{name: x-a, exact: b, not: true}]}", "x-a!=b"),
        ("{headers: [{name: x-a, prefix: b}]}", "x-a=b..."),
        ("{headers: [{name: x-a, present: true}]}", "x-a"),
        ("{headers: [{name: x-a, present: true, not: true}]}", "!x-a"),
        (
            "{methods: [PUT], paths: [{template: '/a/{**}'}], hosts: [a.example]}",
            "PUT /a/{**} at a.example",
        ),
    ],
)
def test_rules_in_short(http: str, text: str) -> None:
    table = mesh_of(SHOP + api(rule(http))).engine.table
    (number,) = (n for n, row in enumerate(table.rules) if row.number == 0)
    assert RequestTexts(table).of(number) == (text,)


def test_an_owner_may_do_what_its_luckiest_pod_may() -> None:
    """One pod of the set may only GET, the other everything: all is listed."""

    def role(name: str) -> str:
        return f"from: [{{pods: {{podSelector: {{matchLabels: {{role: {name}}}}}}}}}]"

    text = (
        namespace()
        + deployment("cart")
        + pod("set-0", owner="set", labels="{role: reader}")
        + pod("set-1", owner="set", labels="{role: writer}")
        + api(
            rule(GET, "80,81", peer=role("reader")), rule("", "80", peer=role("writer"))
        )
    )
    mesh = mesh_of(text)
    found = simulate(mesh.engine, mesh.built.overlay)
    assert [
        (c.ports, c.http)
        for c in found
        if (c.source, c.destination) == ("shop/set", "shop/cart")
    ] == [(((80, 80),), ()), (((81, 81),), ("GET,HEAD /cart/{*}",))]

"""Near misses: what a denied flow lacked, in words, and which rules are told."""

from __future__ import annotations

from typing import Any

import pytest

from generator.analysis.explanation import explanation_document, explanation_text
from generator.analysis.near_misses import NearMiss
from generator.policy.model import Direction
from generator.policy.request import HttpRequest
from tests.support.asking import tell
from tests.support.meshes import deployment, mesh_of, namespace, pod, policy

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


# --- one condition, in words ----------------------------------------------------------


@pytest.mark.parametrize(
    "ports, protocol, text",
    [
        ("[{port: 8000, endPort: 8100}]", "TCP", "port 8443 is not in 8000-8100"),
        ("[{port: 80}]", "TCP", "port 8443 is not 80"),
        (
            "[{port: 80}, {port: 8000, endPort: 8100}, {port: http}]",
            "TCP",
            "port 8443 is none of 80, 8000-8100, http (8080 at shop/cart)",
        ),
        ("[{port: http}]", "TCP", "port 8443 is not http (8080 at shop/cart)"),
        ("[{port: grpc}]", "TCP", "port 8443 is not grpc (not declared by shop/cart)"),
        ("[{port: 8443}]", "UDP", "it is UDP, rule wants TCP 8443"),
        (
            "[{port: http}, {port: 1, endPort: 9}]",
            "SCTP",
            "it is SCTP, rule wants TCP http, TCP 1-9",
        ),
        ("[{protocol: UDP}]", "TCP", "it is TCP, rule wants UDP"),
    ],
)
def test_ports(ports: str, protocol: str, text: str) -> None:
    found = near_of(cart_in(f"{{from: [{WEB}], ports: {ports}}}"), protocol=protocol)
    assert only(found) == text


@pytest.mark.parametrize(
    "peer, source, text",
    [
        (
            "{podSelector: {matchLabels: {app: ads}}}",
            "shop/web",
            "pod label app=web, rule wants app=ads",
        ),
        (
            "{podSelector: {matchExpressions: "
            "[{key: app, operator: In, values: [a, b]}]}}",
            "shop/web",
            "pod label app=web, rule wants app in (a, b)",
        ),
        (
            "{podSelector: {matchExpressions: "
            "[{key: app, operator: NotIn, values: [web]}]}}",
            "shop/web",
            "pod label app=web, rule wants app not in (web)",
        ),
        (
            "{podSelector: {matchExpressions: [{key: foo, operator: Exists}]}}",
            "shop/web",
            "pod label foo is missing",
        ),
        (
            "{podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}}",
            "shop/web",
            "pod label app=web, rule wants no label app",
        ),
        (
            "{podSelector: {matchLabels: {foo: bar}}}",
            "shop/web",
            "pod label foo is missing, rule wants foo=bar",
        ),
        (
            "{namespaceSelector: {matchLabels: {team: a}}}",
            "other/far",
            "namespace label team=b, rule wants team=a",
        ),
        (
            "{namespaceSelector: {matchLabels: {env: prod}}}",
            "other/far",
            "namespace label env is missing, rule wants env=prod",
        ),
        (
            "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}",
            "other/far",
            "namespace is other, rule wants shop",
        ),
        (
            "{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name,"
            " operator: NotIn, values: [other]}]}}",
            "other/far",
            "namespace is other, rule wants another than other",
        ),
        (
            "{podSelector: {matchLabels: {app: far}}}",
            "other/far",
            "namespace is other, rule wants the policy's own, shop, since it has no "
            "namespaceSelector",
        ),
        (
            "{ipBlock: {cidr: 10.1.0.0/16, except: [10.1.2.0/24]}}",
            "10.1.2.3",
            "10.1.2.3 is in the except 10.1.2.0/24 of 10.1.0.0/16",
        ),
        (
            "{ipBlock: {cidr: 10.2.0.0/16}}",
            "shop/db",
            "10.1.2.3 is not in 10.2.0.0/16",
        ),
        (
            "{ipBlock: {cidr: 10.2.0.0/16}}",
            "192.0.2.1",
            "192.0.2.1 is not in 10.2.0.0/16",
        ),
        (
            "{ipBlock: {cidr: 10.2.0.0/16}}",
            "shop/web",
            "the address of shop/web is not known, rule wants 10.2.0.0/16",
        ),
        (WEB, "192.0.2.1", "192.0.2.1 is no workload, rule wants pods"),
    ],
)
def test_peers(peer: str, source: str, text: str) -> None:
    assert only(near_of(cart_in(f"{{from: [{peer}]}}"), source)) == text


@pytest.mark.parametrize(
    "peer, source, text",
    [
        (
            "serviceAccounts: [{name: shopper}]",
            "shop/web",
            "service account is shop/default, rule wants shop/shopper",
        ),
        (
            "serviceAccounts: [{name: shopper}]",
            "192.0.2.1",
            "192.0.2.1 is no workload, rule wants service account shop/shopper",
        ),
        ("users: [bob]", "user:alice", "user is alice, rule wants bob"),
        ("groups: [eng]", "user:alice", "it is not in group eng"),
        (
            "users: [bob]",
            "shop/web",
            "namespace label pepmesh.dev/edge is missing, rule wants "
            "pepmesh.dev/edge=true; user is nobody, rule wants bob",
        ),
        (
            "overlayCIDRs: ['fd00:0:0:1::/64']",
            "192.0.2.1",
            "192.0.2.1 has no overlay address, rule wants fd00:0:0:1::/64",
        ),
    ],
)
def test_overlay_peers(peer: str, source: str, text: str) -> None:
    assert only(near_of(overlay(f"[{{from: [{{{peer}}}]}}]"), source)) == text


def test_overlay_addresses() -> None:
    """The address shown is the workload's, from its overlay, realm and id."""
    text = only(near_of(overlay("[{from: [{overlayCIDRs: ['fd00:0:0:1::/64']}]}]")))
    assert text.startswith("overlay address fd")
    assert text.endswith("/96 is not in fd00:0:0:1::/64")


def test_what_nothing_can_prove_yet() -> None:
    rule = "[{from: [{pods: {podSelector: {}}}], via: [waf]}]"
    assert only(near_of(overlay(rule))) == "nothing proves that it has passed waf"


def test_what_a_rule_asks_by_its_nature_counts_twice() -> None:
    """Nothing that a person puts right about the flow would make it match."""
    rule = "[{from: [{pods: {podSelector: {}}}], via: [waf], ports: [{port: 1}]}]"
    assert near_of(overlay(rule)) == []
    assert (
        near_of(cart_in(f"{{from: [{WEB}], ports: [{{port: 1}}]}}"), "192.0.2.1") == []
    )


def test_a_block_knows_no_port_names() -> None:
    """To a rule, a destination that a block holds is an address, though it is a pod."""
    egress = (
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: "
        "[{to: [{ipBlock: {cidr: 10.1.0.0/16}}], ports: [{port: http}]}]}"
    )
    named = pod("named", "10.1.2.4").replace(
        "image: none", "image: none, ports: [{name: http, containerPort: 9090}]"
    )
    # Addresses of members are looked at where some rule can be told by them.
    block = "{ipBlock: {cidr: 10.0.0.0/8}}"
    other = (
        f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: [{block}]}}]}}"
    )
    mesh = policy("out", egress) + policy("other", other) + named
    flow = ("shop/web", 9090, "TCP", None, "shop/named", Direction.EGRESS)
    found = near_of(mesh, *flow)
    assert only(found) == "port 9090 is not http (not declared by shop/named)"


def test_names_of_domains_have_no_addresses_here() -> None:
    text = """\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: out, namespace: shop}
spec:
  subject: {pods: {podSelector: {matchLabels: {app: web}}}}
  policyTypes: [Egress]
  egress: [{to: [{domainNames: [example.com]}]}]
---
"""
    assert only(near_of(text, destination="192.0.2.1", direction=Direction.EGRESS)) == (
        "rule wants name example.com, whose addresses are not known here"
    )


# --- requests -------------------------------------------------------------------------

RULE = (
    "[{{from: [{{pods: {{podSelector: {{}}}}}}], ports: [{{port: 8443}}], http: {}}}]"
)


@pytest.mark.parametrize(
    "http, request_, text",
    [
        (
            "[{methods: [GET, HEAD]}]",
            HttpRequest("POST"),
            "method POST is not GET, HEAD",
        ),
        (
            '[{paths: [{template: "/cart/{*}"}]}]',
            HttpRequest(path="/cart/7/items"),
            "path /cart/7/items does not match template /cart/{*}",
        ),
        (
            "[{paths: [{exact: /cart}]}]",
            HttpRequest(path="/cart/"),
            "path /cart/ is not /cart",
        ),
        (
            "[{paths: [{prefix: /cart}, {exact: /x}]}]",
            HttpRequest(path="//a/./b%7e?c"),
            "path //a/./b%7e, which is /a/b~, matches none of prefix /cart, /x",
        ),
        (
            "[{hosts: [a.example, '*.b.example']}]",
            HttpRequest(host="c.example:8443"),
            "host c.example is not one of a.example, *.b.example",
        ),
        (
            "[{headers: [{name: X-Team, exact: blue}]}]",
            HttpRequest(),
            "header x-team is absent, rule wants blue",
        ),
        (
            "[{headers: [{name: x-team, present: true}]}]",
            HttpRequest(),
            "header x-team is absent",
        ),
        (
            "[{headers: [{name: x-team, prefix: bl}]}]",
            HttpRequest(headers=(("x-team", "red"),)),
            "header x-team is red, rule wants bl...",
        ),
        (
            "[{headers: [{name: x-team, exact: red, not: true}]}]",
            HttpRequest(headers=(("x-team", "red"),)),
            "header x-team is red, rule wants not red",
        ),
        (
            "[{headers: [{name: x-team, present: true, not: true}]}]",
            HttpRequest(headers=(("x-team", "red"),)),
            "header x-team is red, rule wants no such header",
        ),
        # The entry that is closest is the one that is told.
        (
            "[{methods: [PUT], paths: [{exact: /a}]}, {methods: [GET], "
            "paths: [{exact: /b}]}]",
            HttpRequest(path="/c"),
            "path /c is not /b",
        ),
    ],
)
def test_requests(http: str, request_: HttpRequest, text: str) -> None:
    assert only(near_of(overlay(RULE.format(http)), request=request_)) == text


def test_a_flow_that_is_not_http() -> None:
    found = near_of(overlay(RULE.format('[{methods: [GET], paths: [{prefix: "/a"}]}]')))
    assert only(found) == "the flow is not HTTP, rule wants GET /a"


# --- which rules are told -------------------------------------------------------------


WRONG = "{podSelector: {matchLabels: {app: ads}}}"


def test_those_that_failed_by_the_fewest_conditions_are_told() -> None:
    """First those that failed closest to the request."""
    found = near_of(
        cart_in(
            f"{{from: [{WRONG}], ports: [{{port: 1}}]}}, {{from: [{WRONG}]}}, "
            f"{{from: [{WEB}], ports: [{{port: 2}}]}}"
        )
    )
    assert rules_of(found) == ["shop/cart-in/ingress/2", "shop/cart-in/ingress/1"]
    found = near_of(cart_in(f"{{from: [{WRONG}], ports: [{{port: 1}}]}}"))
    assert only(found) == "pod label app=web, rule wants app=ads; port 8443 is not 1"


def test_three_are_told_in_the_order_of_evaluation() -> None:
    rules = ", ".join(f"{{ports: [{{port: {n}}}]}}" for n in range(1, 5))
    found = near_of(cart_in(rules) + cart_in("{ports: [{port: 9}]}", "before"))
    assert rules_of(found) == [
        "shop/before/ingress/0",
        "shop/cart-in/ingress/0",
        "shop/cart-in/ingress/1",
    ]


def test_a_rule_that_fails_by_three_conditions_is_another_rule() -> None:
    rule = "{from: [{podSelector: {matchLabels: {a: b, c: d}}}], ports: [{port: 1}]}"
    assert near_of(cart_in(rule)) == []


def test_the_closest_peer_of_a_rule_is_told() -> None:
    peers = "[{podSelector: {matchLabels: {a: b, c: d}}}, {namespaceSelector: {}}]"
    found = near_of(cart_in(f"{{from: {peers}, ports: [{{port: 1}}]}}"))
    assert only(found) == "port 8443 is not 1"


def test_only_policies_that_select_the_subject_count() -> None:
    other = policy(
        "web-in",
        f"{{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{from: [{WEB}]}}]}}",
    )
    assert near_of(cart_in("") + other) == []


def test_an_audited_policy_is_no_near_miss() -> None:
    audited = overlay("[{ports: [{port: 1}]}]", name="soon").replace(
        "spec: {", "spec: {mode: audit,"
    )
    assert near_of(cart_in("") + audited) == []


ADMIN = "tier: Admin, priority: 1,"
FROM = "from: [{pods: {podSelector: {}, namespaceSelector: {}}}]"


def test_what_comes_after_a_deny_is_no_near_miss() -> None:
    """Nor is a Deny itself; a Pass before it would have left the tier."""
    rules = (
        f"[{{action: Deny, {FROM}, ports: [{{port: 1}}]}},"
        f"{{action: Pass, {FROM}, ports: [{{port: 2}}]}},"
        f"{{action: Deny, {FROM}}},"
        f"{{action: Accept, {FROM}, ports: [{{port: 3}}]}}]"
    )
    found = near_of(overlay(rules, kind=ADMIN) + cart_in("{ports: [{port: 4}]}"))
    assert rules_of(found) == ["pepmesh-system/cart-api/ingress/1"]


def test_a_pass_of_another_tier_would_have_changed_nothing() -> None:
    rules = (
        f"[{{action: Pass, {FROM}, ports: [{{port: 2}}]}},"
        f"{{action: Accept, {FROM}, ports: [{{port: 3}}]}}]"
    )
    found = near_of(overlay(rules, kind=ADMIN) + cart_in(""))
    assert rules_of(found) == ["pepmesh-system/cart-api/ingress/1"]


# --- text and JSON ------------------------------------------------------------------

BOTH = (
    policy(
        "web-out",
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: "
        "[{ports: [{port: 1}]}]}",
    )
    + cart_in("{from: [{podSelector: {matchLabels: {app: ads}}}], ports: [{port: 80}]}")
    + policy("far-in", "{podSelector: {}, ingress: [{}]}", namespace="other")
)


def test_text_has_a_line_for_each_direction() -> None:
    """They come below the verdicts, which stay together."""
    lines = explanation_text(mesh_of(MESH + BOTH).explain("shop/web", "shop/cart", 9))
    _, egress, ingress, *near = lines.splitlines()
    assert "egress   DENY" in egress and "ingress  DENY" in ingress
    assert [line.rpartition(" (test.yaml:")[0] for line in near] == [
        "  nearly            NetworkPolicy shop/web-out egress[0]: port 9 is not 1",
        "  nearly            NetworkPolicy shop/cart-in ingress[0]: pod label app=web, "
        "rule wants app=ads; port 9 is not 80",
    ]


def test_json_has_conditions_one_by_one() -> None:
    found = mesh_of(MESH + BOTH).explain("shop/web", "shop/cart", 9)
    document: Any = explanation_document(found, "sha256:x")
    (near,) = document["ingress"]["nearMisses"]
    assert near["rule"] == "NetworkPolicy/shop/cart-in/ingress/0"
    assert near["place"].startswith("test.yaml:")
    assert near["conditions"] == [
        {"about": "pod", "text": "pod label app=web, rule wants app=ads"},
        {"about": "port", "text": "port 9 is not 80"},
    ]
    assert near["text"].endswith(
        "ingress[0]: pod label app=web, rule wants app=ads; port 9 is not 80"
    )


def test_an_allowed_side_has_none() -> None:
    found = mesh_of(MESH + BOTH).explain("shop/web", "other/far", 1)
    assert found.deciding is not None and found.deciding.is_allowed
    assert not found.deciding.ingress.near_misses
    assert not found.deciding.egress.near_misses

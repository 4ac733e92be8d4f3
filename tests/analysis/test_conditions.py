"""Conditions that a flow does not meet, in words, one by one."""

from __future__ import annotations

import pytest

from generator.policy.model import Direction
from generator.policy.request import HttpRequest
from tests.support.denied import WEB, cart_in, near_of, only, overlay
from tests.support.meshes import pod, policy

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
    assert only(found) == "the flow is not HTTP, rule wants GET /a/..."

"""`explain` about requests: verdicts, notes, ambiguity, hosts, audit, tiers."""

from __future__ import annotations

from typing import Any

import pytest

from generator.analysis.explain.explainer import Explanation, Outcome
from generator.analysis.explain.explanation import (
    explanation_document,
    explanation_text,
)
from generator.policy.request import HttpRequest
from tests.support.meshes import (
    deployment,
    mesh_of,
    namespace,
    pod,
    policy,
    service,
    with_revoked,
)

MESH = (
    namespace("shop")
    + namespace("pepmesh-system")
    + deployment("web")
    + deployment("ads")
    + deployment("api")
    + deployment("bare")
    + deployment("cart", ports="[{name: http, containerPort: 8080}]")
    + service("cart", 80, "http", app="cart")
    + pod("db", "10.0.0.7", labels="{app: db}")
    + """\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: cart-api, namespace: shop}
spec:
  subject: {pods: {podSelector: {matchLabels: {app: cart}}}}
  ingress:
  - name: read-cart
    from: [{pods: {podSelector: {matchLabels: {app: web}}}}]
    ports: [{port: http}]
    http:
    - methods: [GET, HEAD]
      paths: [{template: "/cart/{*}"}]
    - methods: [POST]
      hosts: [cart.shop.svc.cluster.local]
      headers: [{name: x-team, exact: blue}]
---
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: no-admin, namespace: pepmesh-system}
spec:
  tier: Admin
  priority: 5
  subject: {pods: {podSelector: {matchLabels: {app: api}}, namespaceSelector: {}}}
  ingress:
  - action: Deny
    from: [{namespaces: {}}]
    http: [{paths: [{prefix: /admin}]}]
---
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: tomorrow, namespace: shop}
spec:
  mode: audit
  subject: {pods: {podSelector: {matchLabels: {app: db}}}}
  ingress: [{http: [{methods: [GET]}]}]
---
"""
)


def ask(
    source: str,
    destination: str,
    port: int | str,
    request: HttpRequest | None = None,
    protocol: str = "TCP",
) -> Explanation:
    return mesh_of(MESH).explain(source, destination, port, protocol, request)


def ingress_of(found: Explanation) -> str:
    assert found.deciding is not None
    return found.deciding.ingress.text


# --- a request ------------------------------------------------------------------------


def test_a_request_that_a_rule_allows() -> None:
    found = ask("shop/web", "shop/cart", "http", HttpRequest(path="/cart/7?x=1"))
    assert found.outcome is Outcome.ALLOW and found.notes == ()
    first, _, last, _ = explanation_text(found).splitlines()
    assert first == "shop/web -> shop/cart, TCP 8080, GET /cart/7: ALLOW"
    assert last.startswith(
        "  ingress  ALLOW    OverlayPolicy shop/cart-api selects shop/cart, and "
        "ingress[0] allows shop/web GET /cart/7 on TCP 8080. (test.yaml:"
    )


def test_a_request_that_no_rule_allows() -> None:
    found = ask("shop/web", "shop/cart", 8080, HttpRequest("PUT", "/cart/7"))
    assert (found.outcome, found.reason) == (Outcome.DENY, "ingress_denied")
    assert ingress_of(found) == (
        "OverlayPolicy shop/cart-api selects shop/cart; ingress rules allow shop/web "
        "some requests on TCP 8080, but not PUT /cart/7."
    )
    assert '"read-cart": method PUT is not GET, HEAD (' in explanation_text(found)


def test_a_rule_that_denies_a_request() -> None:
    found = ask("shop/web", "shop/api", 80, HttpRequest(path="//admin/./x"))
    assert ingress_of(found) == (
        "OverlayPolicy pepmesh-system/no-admin selects shop/api, and ingress[0] denies "
        "shop/web GET //admin/./x on TCP 80."
    )


def test_a_peer_that_no_rule_selects() -> None:
    found = ask("shop/ads", "shop/cart", 8080, HttpRequest(path="/cart/7"))
    assert ingress_of(found).endswith("but no ingress rule selects shop/ads.")


def test_repeated_headers_that_disagree() -> None:
    headers = (("x-team", "blue"), ("x-team", "red"))
    request = HttpRequest("POST", headers=headers)
    found = ask("shop/web", "shop/cart", 8080, request)
    assert found.reason == "request_ambiguous"
    assert ingress_of(found) == (
        "OverlayPolicy shop/cart-api selects shop/cart, and OverlayPolicy "
        'shop/cart-api ingress[0] "read-cart" does not accept it: header x-team has '
        "values that disagree: blue, red."
    )
    alike = HttpRequest("POST", headers=headers[:1] * 2)
    assert ask("shop/web", "shop/cart", 8080, alike).outcome is Outcome.ALLOW


# --- what can be read in two ways -----------------------------------------------------


def test_an_ambiguous_path_says_why_and_who_refused() -> None:
    request = HttpRequest(path="/cart%2F7")
    found = ask("shop/web", "shop/api", 80, request)
    assert (found.outcome, found.reason) == (Outcome.DENY, "request_ambiguous")
    assert ingress_of(found) == (
        "OverlayPolicy pepmesh-system/no-admin selects shop/api, and ingress[0] "
        "refuses what is not clear: path /cart%2F7 can be read in two ways: %2F is a "
        "slash to some servers and not to others."
    )
    assert found.deciding is not None
    assert found.deciding.rule == "OverlayPolicy/pepmesh-system/no-admin/ingress/0"
    found = ask("shop/web", "shop/cart", 8080, request)
    assert found.reason == "request_ambiguous"
    assert "does not accept it: path /cart%2F7 can be read" in ingress_of(found)


def test_an_ambiguous_path_that_no_rule_looks_at() -> None:
    found = ask("shop/web", "shop/bare", 80, HttpRequest(path="/a%2Fb"))
    assert found.outcome is Outcome.ALLOW
    found = ask("shop/ads", "shop/cart", 8080, HttpRequest(path="/a%2Fb"))
    assert found.reason == "ingress_denied"


# --- a flow that is not HTTP ----------------------------------------------------------


def test_a_note_says_what_to_ask_where_some_requests_are_allowed() -> None:
    found = ask("shop/web", "shop/cart", 8080)
    assert found.outcome is Outcome.DENY
    assert ingress_of(found).endswith("on TCP 8080, but not a flow that is not HTTP.")
    (note,) = found.notes
    head, _, tail = note.partition(" (test.yaml:")
    assert head == (
        "It is not HTTP, and some requests would be allowed: OverlayPolicy "
        'shop/cart-api ingress[0] "read-cart" allows GET or HEAD /cart/{*}'
    )
    assert tail.endswith("): add --method GET --path /cart/x")
    # What the note advises is allowed, and the rule is told once.
    asked = ask("shop/web", "shop/cart", 8080, HttpRequest("GET", "/cart/x"))
    assert asked.outcome is Outcome.ALLOW
    assert "nearly" not in explanation_text(found)


def test_a_note_says_what_to_ask_where_some_requests_are_denied() -> None:
    found = ask("shop/web", "shop/api", 80)
    assert found.outcome is Outcome.ALLOW
    (note,) = found.notes
    assert note.startswith("It is not HTTP, and some requests would be denied: Overlay")
    assert note.endswith("): add --path /admin")
    assert ingress_of(found) == (
        "No policy isolates shop/api for ingress, and no rule decides, so it is "
        "allowed."
    )


@pytest.mark.parametrize(
    "source, destination, port, protocol",
    [
        ("shop/web", "shop/bare", 80, "TCP"),  # no rule looks at requests
        ("shop/ads", "shop/cart", 8080, "TCP"),  # all are denied
        ("shop/web", "shop/cart", 8081, "TCP"),  # likewise
        ("shop/web", "shop/api", 80, "UDP"),  # requests are TCP
    ],
)
def test_no_note_where_requests_fare_alike(
    source: str, destination: str, port: int, protocol: str
) -> None:
    assert ask(source, destination, port, protocol=protocol).notes == ()


def test_no_note_where_the_sender_is_refused_before_policy() -> None:
    mesh = with_revoked(mesh_of(MESH), "shop/web")
    found = mesh.explain("shop/web", "shop/api", 80)
    assert (found.reason, found.notes) == ("source_revoked", ())


# --- hosts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "destination, host",
    [
        ("shop/cart", "cart.shop.svc.cluster.local"),
        ("cart.shop.svc.cluster.local", "cart.shop.svc.cluster.local"),
        ("svc/cart", "cart.shop.svc.cluster.local"),
        ("shop/bare", "bare.shop.workload.pepmesh"),
        ("10.0.0.7", "10.0.0.7"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "[2001:db8::1]"),
    ],
)
def test_the_host_is_the_name_asked_for(destination: str, host: str) -> None:
    mesh = mesh_of(MESH)
    destination = destination.replace("svc/cart", "cart.shop.svc.cluster.local")
    found = mesh.explain("shop/web", destination, 80, request=HttpRequest())
    assert found.request is not None and found.request.host == host
    given = mesh.explain("shop/web", destination, 80, request=HttpRequest(host="x:1"))
    assert given.request is not None and given.request.host == "x:1"


def test_the_host_that_is_filled_in_is_the_one_that_is_judged() -> None:
    blue = (("x-team", "blue"),)
    found = ask("shop/web", "shop/cart", 8080, HttpRequest("POST", headers=blue))
    assert found.outcome is Outcome.ALLOW
    other = HttpRequest("POST", host="other", headers=blue)
    found = ask("shop/web", "shop/cart", 8080, other)
    assert found.outcome is Outcome.DENY
    assert "host other is not cart.shop.svc.cluster.local" in explanation_text(found)


# --- audit ----------------------------------------------------------------------------


def test_the_audited_verdict_is_of_the_request() -> None:
    get = ask("shop/web", "shop/db", 80, HttpRequest("GET"))
    post = ask("shop/web", "shop/db", 80, HttpRequest("POST"))
    for found, verdict in ((get, "ALLOW"), (post, "DENY")):
        assert found.outcome is Outcome.ALLOW
        assert f"enforced it would be {verdict} by Overlay" in explanation_text(found)


# --- the way through the tiers --------------------------------------------------------


def test_the_wide_text_has_all_tiers_below_each_side() -> None:
    found = ask("shop/web", "shop/api", 80, HttpRequest(path="/x"))
    lines = explanation_text(found, is_wide=True).splitlines()
    assert [line.split("(test.yaml")[0].rstrip() for line in lines[1:-1]] == [
        "  egress   ALLOW    No policy isolates shop/web for egress, so all is "
        "allowed.",
        "    Admin    no policy speaks about shop/web for egress",
        "    Normal   no policy isolates shop/web for egress",
        "    Baseline no policy speaks about shop/web for egress",
        "    Default  no policy decides, so it is allowed",
        "  ingress  ALLOW    No policy isolates shop/api for ingress, and no rule "
        "decides, so it is allowed.",
        "    Admin    OverlayPolicy pepmesh-system/no-admin: its ingress rule does not "
        "match",
        "    Normal   no policy isolates shop/api for ingress",
        "    Baseline no policy speaks about shop/api for ingress",
        "    Default  no policy decides, so it is allowed",
    ]


def test_the_plain_text_has_no_tiers() -> None:
    text = explanation_text(ask("shop/web", "shop/api", 80, HttpRequest(path="/x")))
    assert [line.split()[0] for line in text.splitlines()] == [
        "shop/web",
        "egress",
        "ingress",
        "audit",
    ]


def test_a_rule_selects_the_peer_on_ports_that_are_denied_before() -> None:
    """Then no port is left, but it is not true that no rule selects the peer."""
    admin = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: shut}
spec:
  tier: Admin
  priority: 1
  subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: bare}}}}
  ingress:
  - action: Deny
    from: [{namespaces: {}}]
    protocols: [{tcp: {destinationPort: {number: 80}}}]
---
"""
    normal = policy(
        "bare-in",
        "{podSelector: {matchLabels: {app: bare}}, ingress: [{from: [{podSelector: "
        "{matchLabels: {app: web}}}], ports: [{port: 80}]}]}",
    )
    mesh = mesh_of(
        namespace() + deployment("web") + deployment("bare") + admin + normal
    )
    found = mesh.explain("shop/web", "shop/bare", 81)
    assert ingress_of(found).endswith("but no ingress rule allows shop/web on TCP 81.")
    lines = explanation_text(found, is_wide=True)
    assert (
        "Admin    ClusterNetworkPolicy shut: its ingress rule does not match" in lines
    )
    found = mesh.explain("shop/web", "shop/bare", 80)
    assert (
        "Admin    ClusterNetworkPolicy shut: ingress[0] denies ("
        in explanation_text(found, is_wide=True)
    )


# --- JSON -----------------------------------------------------------------------------


def test_json_has_request_trace_and_what_it_would_be_over_http() -> None:
    request = HttpRequest("POST", "/x?y", headers=(("x-a", "1"), ("x-a", "2")))
    found = ask("shop/web", "shop/cart", 8080, request)
    document: Any = explanation_document(found, "sha256:x")
    assert document["request"] == {
        "method": "POST",
        "path": "/x?y",
        "host": "cart.shop.svc.cluster.local",
        "headers": [{"name": "x-a", "value": "1"}, {"name": "x-a", "value": "2"}],
    }
    assert document["overHttp"] is None
    (admin, normal) = document["ingress"]["trace"]
    assert (admin["tier"], admin["effect"]) == ("Admin", "None")
    assert admin["policy"] is admin["rule"] is admin["place"] is None
    assert (normal["tier"], normal["effect"]) == ("Normal", "Isolate")
    assert normal["policy"] == "OverlayPolicy shop/cart-api"
    assert normal["text"] == "isolates shop/cart; its ingress rule does not match"
    document = explanation_document(ask("shop/web", "shop/cart", 8080), "sha256:x")
    assert document["overHttp"] == {"someAllowed": True, "everyAllowed": False}
    assert document["request"] is None

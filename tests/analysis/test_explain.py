"""`explain`: verdict, rule, reason and sentence of one flow."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generator.analysis.errors import QuestionError
from generator.analysis.explain.explainer import Explanation, Outcome
from generator.analysis.explain.explanation import (
    explanation_document,
    explanation_text,
)
from tests.support.meshes import (
    deployment,
    mesh_of,
    namespace,
    pod,
    policy,
    service,
    with_revoked,
)

SHOP = (
    namespace()
    + deployment("web")
    + deployment("ads")
    + deployment("cart", ports="[{name: http, containerPort: 8080}]")
    + service("cart", 80, "http", app="cart")
    + service("basket", 80, 8080, app="cart")
    + service("hole", 80, 80, app="nobody")
    + service("extern", 443, 443)
    + policy(
        "cart-in",
        "{podSelector: {matchLabels: {app: cart}}, ingress: [{from: [{podSelector: "
        "{matchLabels: {app: web}}}], ports: [{port: http}]}]}",
    )
    + policy(
        "ads-out",
        "{podSelector: {matchLabels: {app: ads}}, policyTypes: [Egress], egress: "
        "[{to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}]}",
    )
)


def ask(
    source: str, destination: str, port: int | str, protocol: str = "TCP"
) -> Explanation:
    return mesh_of(SHOP).explain(source, destination, port, protocol)


def text(*question: Any) -> str:
    return explanation_text(ask(*question))


# --- verdicts, reasons and sentences ----------------------


def test_an_allowed_flow_names_both_sides() -> None:
    found = ask("shop/web", "shop/cart", 8080)
    assert (found.outcome, found.reason) == (Outcome.ALLOW, "allowed")
    assert found.deciding is not None
    assert found.deciding.rule == "NetworkPolicy/shop/cart-in/ingress/0"
    assert explanation_text(found).splitlines() == [
        "shop/web -> shop/cart, TCP 8080: ALLOW",
        "  egress   ALLOW    No policy isolates shop/web for egress, so all is "
        "allowed.",
        "  ingress  ALLOW    NetworkPolicy shop/cart-in selects shop/cart, and "
        "ingress[0] allows shop/web on TCP 8080. (test.yaml:58)",
    ]


def test_a_denied_flow_names_the_policy_that_isolates() -> None:
    found = ask("shop/ads", "shop/cart", 8080)
    assert (found.outcome, found.reason) == (Outcome.DENY, "egress_denied")
    assert found.deciding is not None
    assert found.deciding.rule == "NetworkPolicy/shop/ads-out/egress/default"
    lines = explanation_text(found).splitlines()
    assert lines[0] == "shop/ads -> shop/cart, TCP 8080: DENY (egress_denied)"
    assert "NetworkPolicy shop/ads-out selects shop/ads, but no egress rule selects "
    assert "selects shop/ads, but no egress rule selects shop/cart. (" in lines[1]
    assert "selects shop/cart, but no ingress rule selects shop/ads. (" in lines[2]


def test_a_near_miss_says_which_ports_there_are() -> None:
    """A rule that fails by the port alone is what people look for."""
    found = ask("shop/web", "shop/cart", 8443)
    assert found.reason == "ingress_denied"
    assert (
        "NetworkPolicy shop/cart-in selects shop/cart; ingress rules allow shop/web "
        "on TCP 8080, but not on TCP 8443." in explanation_text(found)
    )


def test_protocols_are_told_apart() -> None:
    assert ask("shop/web", "shop/cart", 8080, "UDP").outcome is Outcome.DENY
    assert "but not on UDP 8080" in text("shop/web", "shop/cart", 8080, "UDP")


def test_nobody_judges_what_is_outside() -> None:
    assert "10.1.1.1 is outside the overlay, so nobody judges what it sends." in text(
        "10.1.1.1", "shop/cart", 8080
    )
    assert "so nobody judges what it receives." in text("shop/ads", "10.1.1.1", 443)


def test_a_port_may_be_named() -> None:
    found = ask("shop/web", "shop/cart", "http")
    assert (found.outcome, found.port) == (Outcome.ALLOW, 8080)


# --- Services, addresses, host names ----------------------


@pytest.mark.parametrize(
    "name",
    ["shop/basket", "basket.shop.svc.cluster.local", "cart.shop.svc.cluster.local"],
)
def test_a_service_leads_to_the_port_behind_it(name: str) -> None:
    found = ask("shop/web", name, 80)
    assert found.outcome is Outcome.ALLOW
    assert [(f.destination, f.port) for f in found.flows] == [("shop/cart", 8080)]
    assert ask("shop/web", name, "web") == found


def test_a_workload_has_the_name_before_a_service() -> None:
    """Port 80 is the Service's: the answer says so instead of a bare no."""
    found = ask("shop/web", "shop/cart", 80)
    assert found.outcome is Outcome.DENY
    assert found.notes == (
        "Service shop/cart leads from port 80 to http: to ask about it, name "
        "cart.shop.svc.cluster.local.",
    )
    assert ask("shop/web", "shop/cart", 8080).notes == ()
    assert ask("shop/web", "cart.shop.workload.pepmesh", 8080).outcome is Outcome.ALLOW


def test_a_service_port_that_leads_nowhere_is_denied() -> None:
    found = ask("shop/web", "shop/basket", 81)
    assert (found.outcome, found.reason) == (Outcome.DENY, "target_empty")
    assert found.flows == () and found.deciding is None
    assert "Service shop/basket leads nowhere on TCP 81; its ports are 80." in text(
        "shop/web", "shop/basket", 81
    )


@pytest.mark.parametrize("name, port", [("shop/extern", 443), ("shop/hole", 80)])
def test_a_service_without_pods_is_an_unknown_address(name: str, port: int) -> None:
    """Only rules for any peer can allow it."""
    assert ask("shop/web", name, port).outcome is Outcome.ALLOW
    found = ask("shop/ads", name, port)
    assert (found.outcome, found.reason) == (Outcome.DENY, "egress_denied")
    assert "where it leads is not known" in explanation_text(found)


def test_the_address_of_a_pod_is_that_pod() -> None:
    mesh = mesh_of(
        namespace()
        + pod("web", "10.0.0.1")
        + pod("db", "10.0.0.2", labels="{app: db}")
        + policy("db", "{podSelector: {matchLabels: {app: db}}}")
    )
    found = mesh.explain("shop/web", "10.0.0.2", 80)
    assert (found.destination, found.outcome) == ("shop/db (10.0.0.2)", Outcome.DENY)
    assert mesh.explain("10.0.0.3", "10.0.0.2", 80).source == "10.0.0.3"


def test_a_pod_may_always_reach_itself() -> None:
    mesh = mesh_of(
        namespace()
        + pod("db", "10.0.0.2", labels="{app: db}")
        + policy("db", "{podSelector: {}, policyTypes: [Ingress, Egress]}")
    )
    found = mesh.explain("10.0.0.2", "10.0.0.2", 80)
    assert found.outcome is Outcome.ALLOW
    assert found.deciding is not None
    title = "shop/db (10.0.0.2)"
    for side in (found.deciding.egress, found.deciding.ingress):
        assert side.text == f"{title} may always reach itself by its own address."
        assert [step.text for step in side.trace] == [
            "no policy is asked about a flow to itself"
        ]
    # Of two pods whose addresses are not known, nobody knows that they are one.
    assert mesh.explain("shop/db", "shop/db", 80).outcome is Outcome.DENY


def test_a_host_network_pod_is_outside() -> None:
    mesh = mesh_of(namespace() + pod("agent", host_network=True) + deployment("web"))
    found = mesh.explain("shop/agent", "shop/web", 80)
    assert found.outcome is Outcome.ALLOW
    assert "shop/agent (host network) is outside the overlay" in explanation_text(found)


# --- what the filter checks before policy ----------------------


def test_a_revoked_sender_is_refused() -> None:
    mesh = with_revoked(mesh_of(SHOP), "shop/web")
    found = mesh.explain("shop/web", "shop/cart", 8080)
    assert (found.outcome, found.reason) == (Outcome.DENY, "source_revoked")
    assert "shop/web is revoked in the lock file" in explanation_text(found)
    assert mesh.explain("shop/web", "shop/cart", 1).reason == "ingress_denied"
    assert mesh.explain("shop/ads", "shop/web", 80).outcome is Outcome.ALLOW


def test_an_address_of_members_needs_a_key() -> None:
    mesh = mesh_of(namespace() + deployment("web"), "10.0.0.0/8")
    found = mesh.explain("10.1.1.1", "shop/web", 80)
    assert (found.outcome, found.reason) == (Outcome.DENY, "source_missing")
    assert "Only members live at 10.1.1.1" in explanation_text(found)
    assert mesh.explain("11.1.1.1", "shop/web", 80).outcome is Outcome.ALLOW
    closed = policy("closed", "{podSelector: {}}")
    mesh = mesh_of(namespace() + deployment("web") + closed, "10.0.0.0/8")
    assert mesh.explain("10.1.1.1", "shop/web", 80).reason == "source_missing"
    assert mesh.explain("11.1.1.1", "shop/web", 80).reason == "ingress_denied"


# --- endpoints that differ ----------------------

MIXED = (
    namespace()
    + pod("web", labels="{app: web}")
    + pod("set-0", owner="set", labels="{role: reader}")
    + pod("set-1", owner="set", labels="{role: writer}")
    + policy(
        "web",
        "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: "
        "{matchLabels: {role: reader}}}]}]}",
    )
)


def test_endpoints_that_differ_are_told_apart() -> None:
    found = mesh_of(MIXED).explain("shop/set", "shop/web", 80)
    assert (found.outcome, found.reason) == (Outcome.MIXED, "ingress_denied")
    shown = explanation_text(found)
    assert "shop/set (role=reader) -> shop/web 80: ALLOW" in shown
    assert "shop/set (role=writer) -> shop/web 80: ingress_denied" in shown
    assert mesh_of(MIXED).explain("shop/web", "shop/set", 80).outcome is Outcome.ALLOW


# --- JSON ----------------------


def test_document_has_everything_the_text_has() -> None:
    document: Any = explanation_document(ask("shop/web", "shop/cart", 8443), "sha256:x")
    document = json.loads(json.dumps(document))
    side = document["ingress"]
    assert {
        key: document[key] for key in document if key not in ("flows", "egress")
    } == {
        "apiVersion": "pepmesh.dev/v1",
        "audit": None,
        "overHttp": None,
        "request": None,
        "kind": "Explanation",
        "source": "shop/web",
        "destination": "shop/cart",
        "protocol": "TCP",
        "port": 8443,
        "verdict": "DENY",
        "reason": "ingress_denied",
        "rule": "NetworkPolicy/shop/cart-in/ingress/default",
        "ingress": side,
        "notes": [],
        "digest": "sha256:x",
    }
    assert side["file"] == "test.yaml" and side["line"] > 1
    assert side["verdict"] == "DENY" and side["rule"] == document["rule"]
    assert document["egress"]["verdict"] == "ALLOW"
    assert document["egress"]["rule"] is None
    assert document["flows"][0]["ingress"] == side


def test_document_of_a_flow_that_leads_nowhere() -> None:
    document = explanation_document(ask("shop/web", "shop/basket", 81), "sha256:x")
    assert document["egress"] is None and document["flows"] == []
    assert document["rule"] is None and document["reason"] == "target_empty"


# --- questions that have no answer ----------------------


@pytest.mark.parametrize(
    "source, destination, port, code, message, hint",
    [
        ("shop/wep", "shop/cart", 80, "RUN0010", "'shop/wep'", "did you mean shop/web"),
        ("web", "shop/cart", 80, "RUN0010", "'web'", "did you mean shop/web"),
        ("shop/web", "zzz/yyy", 80, "RUN0010", "'zzz/yyy'", ""),
        ("shop/basket", "shop/cart", 80, "RUN0010", "does not send", "workload"),
        ("shop/web", "fd00::1", 80, "", "", ""),
        ("shop/web", "shop/cart", 0, "RUN0011", "0 is not a port", ""),
        ("shop/web", "shop/cart", 65536, "RUN0011", "65536 is not a port", ""),
        ("shop/web", "shop/cart", "9" * 5000, "RUN0011", "is not a port", ""),
        ("shop/web", "shop/cart", "htp", "RUN0011", "'htp'", "names are http"),
        ("shop/web", "shop/ads", "http", "RUN0011", "'http'", "names are none"),
        ("shop/web", "shop/basket", "x", "RUN0011", "'x'", "names are web"),
        ("shop/web", "10.0.0.1", "http", "RUN0011", "an address", ""),
    ],
)
def test_unknown_names_and_ports(
    source: str, destination: str, port: int | str, code: str, message: str, hint: str
) -> None:
    if not code:
        assert ask(source, destination, port).outcome is Outcome.ALLOW
        return
    with pytest.raises(QuestionError) as caught:
        ask(source, destination, port)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert message in diagnostic.message
    assert hint in diagnostic.hint


def test_an_overlay_address_is_no_name() -> None:
    """Ids are the lock file's; without it an address would mean somebody else."""
    overlay = mesh_of(SHOP).built.overlay
    address = f"fd{overlay.id:010x}"
    groups = ":".join(address[i : i + 4] for i in range(0, 12, 4))
    with pytest.raises(QuestionError, match="is an overlay address"):
        ask("shop/web", f"{groups}::1", 80)

"""Near misses: which rules are told of a flow that is denied, and in what form."""

from __future__ import annotations

from typing import Any

from generator.analysis.explain.explanation import (
    explanation_document,
    explanation_text,
)
from tests.support.denied import MESH, WEB, cart_in, near_of, only, overlay, rules_of
from tests.support.meshes import mesh_of, policy

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

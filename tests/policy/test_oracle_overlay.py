"""What the oracle makes of OverlayPolicies, but for requests: `test_oracle_http`.

Each test restates the rule, then gives rows `source destination port yes|no`.
Inventory and rows are those of `test_oracle`.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address
from typing import Final

from generator.policy.model import Model, Protocol, Tier
from generator.policy.oracle import Endpoint, HostNetwork, OracleDecision, decide
from tests.policy.test_oracle import ask, check, end, model, policy
from tests.policy.test_oracle_http import ordered, overlay, rules
from tests.policy.test_tiers import BANK, EVERYBODY, cluster, decided, ingress

EDGE: Final = """\
apiVersion: v1
kind: NamespaceList
items:
- metadata: {name: edge, labels: {pepmesh.dev/edge: "true"}}
- metadata: {name: fake}
---
"""
ACCOUNTS: Final = """\
apiVersion: v1
kind: PodList
items:
- metadata: {name: front, namespace: bank}
  spec: {serviceAccountName: frontend}
- metadata: {name: front, namespace: shop}
  spec: {serviceAccountName: frontend}
- metadata: {name: hosted, namespace: bank}
  spec: {serviceAccountName: frontend, hostNetwork: true}
---
"""


def own(spec: str, name: str = "o", namespace: str = "shop") -> str:
    """An OverlayPolicy of the normal tier for all pods of its namespace."""
    return (
        "apiVersion: pepmesh.dev/v1\nkind: OverlayPolicy\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec:\n  subject: {{pods: {{podSelector: {{}}}}}}\n  {spec}\n---\n"
    )


# --- the normal tier: "isolates and is unioned with NetworkPolicy" --------------------


def test_it_isolates_its_subject_as_a_network_policy_does() -> None:
    port = "{ports: [{protocol: TCP, port: 80}]}"
    check(
        model(own(f"ingress: [{port}]")),
        """
        bank/web shop/db 80 yes
        bank/web shop/db 81 no
        bank/web shop/db 80/UDP no
        8.8.8.8 shop/db 80 yes
        shop/db bank/web 81 yes
        bank/web bare/api 81 yes
        """,
    )
    check(
        model(own(f"egress: [{port}]")),
        "shop/db bank/web 81 no\nshop/db bank/web 80 yes\nbank/web shop/db 80 no",
    )
    only_egress = own(f"policyTypes: [Egress]\n  egress: [{port}]")
    check(model(only_egress), "bank/web shop/db 81 yes\nshop/db bank/web 81 no")


def test_both_kinds_add_up() -> None:
    found = model(
        own("ingress: [{ports: [{port: 80}]}]"),
        policy("ingress: [{ports: [{port: 81}]}]"),
    )
    check(
        found,
        """
        bank/web shop/db 80 yes
        bank/web shop/db 81 yes
        bank/web shop/db 82 no
        """,
    )
    verdict = ingress(found, "bank/web shop/db 82")
    assert [p.kind for p in verdict.isolating] == ["OverlayPolicy", "NetworkPolicy"]
    verdict = ingress(found, "bank/web shop/db 80")
    assert [(p.kind, r.number) for p, r in verdict.allowing] == [("OverlayPolicy", 0)]


# --- tiers ----------------------------------------------------------------------------


def test_ordered_tiers_isolate_nobody() -> None:
    for tier in ("Admin", "Baseline"):
        found = model(
            overlay(rules(ordered("Accept", peer="networks: ['::/0']")), tier=tier)
        )
        check(found, "bank/web shop/db 80 yes\nshop/db bank/web 80 yes")
        assert decided(ingress(found, "bank/web shop/db 80")) == (None, None, None)


def test_priorities_are_those_of_cluster_wide_policies() -> None:
    deny = overlay(rules(ordered("Deny")), tier="Admin", priority=5)
    row = "bank/web shop/db 80"
    for priority, expected in ((4, True), (6, False)):
        found = model(deny, cluster(f"in Accept {BANK}", priority=priority))
        assert ask(found, row).allowed is expected
    base = overlay(rules(ordered("Deny")), tier="Baseline", priority=0)
    found = model(base, cluster(f"in Accept {BANK}", priority=1000))
    assert decided(ingress(found, row)) == (Tier.ADMIN, "c", 0)


def test_pass_leaves_the_tier_of_both_kinds() -> None:
    passing = overlay(rules(ordered("Pass")), tier="Admin", priority=0)
    deny = cluster(f"in Deny {EVERYBODY}")
    check(model(passing, deny), "bank/web shop/db 80 yes")
    base = cluster(f"in Deny {EVERYBODY}", tier="Baseline", name="b")
    check(model(passing, deny, base), "bank/web shop/db 80 no")


def test_an_audited_one_neither_isolates_nor_denies() -> None:
    row = "bank/web shop/db 80"
    for tier, more in (
        ("", "policyTypes: [Ingress]"),
        ("Admin", rules(ordered("Deny"))),
    ):
        found = model(overlay(more, tier=tier, mode="audit"))
        assert ask(found, row).allowed
        assert not ask(found, row, audit=True).allowed


# --- peers ----------------------------------------------------------------------------


def test_pods_without_a_namespace_selector_are_of_the_own_namespace() -> None:
    spec = "ingress: [{from: [{pods: {podSelector: {matchLabels: {app: web}}}}]}]"
    check(
        model(own(spec)),
        "shop/web shop/db 80 yes\nshop/api shop/db 80 no\nbank/web shop/db 80 no",
    )


def test_a_service_account_is_of_one_namespace() -> None:
    """The policy's own, if none is written; name and namespace must both be right."""
    bank = "ingress: [{from: [{serviceAccounts: [{name: frontend, namespace: bank}]}]}]"
    account = "ingress: [{{from: [{{serviceAccounts: [{{name: {}}}]}}]}}]"
    check(
        model(ACCOUNTS, own(bank)),
        """
        bank/front shop/db 80 yes
        shop/front shop/db 80 no
        bank/web shop/db 80 no
        8.8.8.8 shop/db 80 no
        """,
    )
    check(
        model(ACCOUNTS, own(account.format("frontend"))),
        "bank/front shop/db 80 no\nshop/front shop/db 80 yes",
    )
    check(
        model(ACCOUNTS, own(account.format("default"))),
        "shop/web shop/db 80 yes\nbank/web shop/db 80 no",
    )


def test_outsiders_have_no_account_whatever_the_action() -> None:
    """A pod on the host network is judged by its address, so it is one of them."""
    peer = "serviceAccounts: [{name: frontend, namespace: bank}]"
    found = model(ACCOUNTS, overlay(rules(ordered("Deny", peer=peer)), tier="Admin"))
    check(
        found,
        "bank/front shop/db 80 no\nbank/hosted shop/db 80 yes\n8.8.8.8 shop/db 80 yes",
    )
    check(found, "bank/hosted shop/db 80 no", HostNetwork.AS_POD)


def test_users_and_groups_are_labels_where_the_namespace_is_at_the_edge() -> None:
    entries = EDGE + "".join(
        "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{address: {name}.example, labels: {{{labels}}}}}\n---\n"
        for namespace, name, labels in (
            ("edge", "alice", "pepmesh.dev/user: alice, group.pepmesh.dev/eng: ''"),
            ("edge", "bob", "pepmesh.dev/user: bob"),
            ("fake", "eve", "pepmesh.dev/user: alice, group.pepmesh.dev/eng: ''"),
        )
    )
    alice = own("ingress: [{from: [{users: [alice]}]}]")
    table = "edge/alice shop/db 80 yes\nedge/bob shop/db 80 {}\nfake/eve shop/db 80 no"
    check(model(entries, alice), table.format("no"))
    both = own("ingress: [{from: [{users: [alice, bob]}]}]")
    check(model(entries, both), table.format("yes"))
    group = own("ingress: [{from: [{groups: [eng, ops]}]}]")
    check(model(entries, group), table.format("no"))


def test_networks_are_addresses_of_both_directions() -> None:
    found = model(
        overlay(rules(ordered("Deny", peer="networks: [10.1.0.0/16]")), tier="Admin")
    )
    check(
        found,
        "bank/web shop/db 80 no\n10.1.9.9 shop/db 80 no\n8.8.8.8 shop/db 80 yes",
    )


def test_domain_names_open_nothing_offline() -> None:
    found = model(own("egress: [{to: [{domainNames: ['*.example.org']}]}]"))
    check(found, "shop/db 93.184.216.34 80 no\nshop/db bank/web 80 no")


# --- overlay CIDRs --------------------------------------------------------------------


def numbered(found: Model, overlay_address: str) -> OracleDecision:
    """Ask about bank/web, at an overlay address, to shop/db."""
    source = end(found, "bank/web")
    assert isinstance(source, Endpoint)
    if overlay_address:
        source = replace(source, overlay=IPv6Address(overlay_address))
    return decide(found, source, end(found, "shop/db"), Protocol.TCP, 80)


def test_an_overlay_cidr_matches_members_by_their_overlay_address() -> None:
    cidr = "overlayCIDRs: ['fd12:3456:789a:1::/64']"
    found = model(own(f"ingress: [{{from: [{{{cidr}}}]}}]"))
    assert numbered(found, "fd12:3456:789a:1::1:0:7").allowed
    assert not numbered(found, "fd12:3456:789a:2::1:0:7").allowed
    assert not numbered(found, "fd13:3456:789a:1::1:0:7").allowed
    # Addresses outside never match, not even by looking like it.
    check(found, "fd12:3456:789a:1::1 shop/db 80 no\n10.1.0.1 shop/db 80 no")
    found = model(overlay(rules(ordered("Deny", peer=cidr)), tier="Admin"))
    assert not numbered(found, "fd12:3456:789a:1::1:0:7").allowed
    assert numbered(found, "fd12:3456:789a:2::1:0:7").allowed
    check(found, "fd12:3456:789a:1::1 shop/db 80 yes\nshop/node shop/db 80 yes")


def test_without_an_overlay_address_nothing_is_opened() -> None:
    """Accept does not match, Deny does, and so does Pass, which then is a Deny."""
    cidr = "overlayCIDRs: ['fd12:3456:789a:1::/64']"
    accept = model(own(f"ingress: [{{from: [{{{cidr}}}]}}]"))
    assert not numbered(accept, "").allowed
    for action in ("Deny", "Pass"):
        found = model(overlay(rules(ordered(action, peer=cidr)), tier="Admin"))
        verdict = numbered(found, "").ingress
        assert not verdict.allowed and decided(verdict) == (Tier.ADMIN, "o", 0)
    passing = rules(ordered("Pass", peer=cidr), ordered("Deny"))
    found = model(overlay(passing, tier="Admin"))
    assert numbered(found, "fd12:3456:789a:1::1:0:7").allowed
    assert not numbered(found, "fd12:3456:789a:2::1:0:7").allowed
    check(found, "8.8.8.8 shop/db 80 yes")


# --- via ------------------------------------------------------------------------------


def test_a_rule_with_via_matches_nothing() -> None:
    """Nothing checks yet what traffic has passed."""
    check(model(own("ingress: [{via: [waf]}]")), "bank/web shop/db 80 no")
    first = f"{ordered('Accept')}, via: [waf]"
    found = model(overlay(rules(first, ordered("Deny")), tier="Admin"))
    check(found, "bank/web shop/db 80 no")
    assert decided(ingress(found, "bank/web shop/db 80")) == (Tier.ADMIN, "o", 1)

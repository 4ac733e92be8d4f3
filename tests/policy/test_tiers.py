"""What the oracle decides by tiers: semantics.md, section 3, the rows about CNP.

Each test restates the rule, then gives rows `source destination port yes|no`, or asks
what decided. Inventory and rows are those of `test_oracle`.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

import pytest

from generator.policy.model import Action, Model, Protocol, Tier
from generator.policy.oracle import DirectionVerdict, Endpoint, HostNetwork, decide
from generator.policy.oracle_connections import connections
from tests.policy.test_oracle import ask, check, model, policy

EVERYBODY: Final = "{namespaces: {}}"
SHOP: Final = "{namespaces: {matchLabels: {team: a}}}"
BANK: Final = "{namespaces: {matchLabels: {team: b}}}"
API: Final = "{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: api}}}}"
DENY_ALL: Final = policy("policyTypes: [Ingress, Egress]")
ALLOW_ALL: Final = policy("policyTypes: [Ingress, Egress]\ningress: [{}]\negress: [{}]")


def cluster(
    *rules: str,
    tier: str = "Admin",
    priority: int = 1,
    subject: str = SHOP,
    name: str = "c",
    audited: bool = False,
) -> str:
    """A ClusterNetworkPolicy; a rule is `in|out ACTION PEERS [PROTOCOLS]`."""
    lists: dict[str, list[str]] = {"in": [], "out": []}
    for rule in rules:
        direction, action, rest = rule.split(" ", 2)
        peers, _, ports = rest.partition(" on ")
        field = "from" if direction == "in" else "to"
        ports = f", protocols: [{ports}]" if ports else ""
        lists[direction].append(f"{{action: {action}, {field}: [{peers}]{ports}}}")
    mode = "audit" if audited else "enforce"
    return (
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
        f"metadata: {{name: {name}, annotations: {{pepmesh.dev/mode: {mode}}}}}\n"
        f"spec: {{tier: {tier}, priority: {priority}, subject: {subject}, "
        f"ingress: [{', '.join(lists['in'])}], egress: [{', '.join(lists['out'])}]}}\n"
        "---\n"
    )


def port(number: int, protocol: str = "tcp") -> str:
    return f"{{{protocol}: {{destinationPort: {{number: {number}}}}}}}"


def ingress(found: Model, flow: str) -> DirectionVerdict:
    return ask(found, flow).ingress


def decided(verdict: DirectionVerdict) -> tuple[Tier | None, str | None, int | None]:
    """What decided: tier, name of the policy, number of the rule."""
    name = verdict.policy.name if verdict.policy else None
    return verdict.tier, name, verdict.rule.number if verdict.rule else None


# Unmatched traffic goes on: these policies isolate nobody.
def test_a_cluster_wide_policy_isolates_nobody() -> None:
    for tier in ("Admin", "Baseline"):
        found = model(cluster(f"in Accept {BANK}", f"out Accept {BANK}", tier=tier))
        check(found, "bare/api shop/db 80 yes\nshop/db bare/api 80 yes")
        assert decided(ingress(found, "bare/api shop/db 80")) == (None, None, None)


def test_accept_and_deny_of_admin_are_final() -> None:
    found = model(DENY_ALL, cluster(f"in Accept {BANK}", f"in Deny {EVERYBODY}"))
    check(found, "bank/web shop/db 80 yes\nbare/api shop/db 80 no")
    allowed = ingress(found, "bank/web shop/db 80")
    assert decided(allowed) == (Tier.ADMIN, "c", 0)
    assert allowed.isolating == () and allowed.allowing == ()
    found = model(ALLOW_ALL, cluster(f"in Deny {BANK}"))
    check(found, "bank/web shop/db 80 no\nbare/api shop/db 80 yes")
    assert decided(ingress(found, "bank/web shop/db 80")) == (Tier.ADMIN, "c", 0)


def test_rules_are_tried_in_their_order() -> None:
    one = cluster(f"in Deny {API}", f"in Accept {EVERYBODY}")
    two = cluster(f"in Accept {EVERYBODY}", f"in Deny {API}")
    check(model(one), "bare/api shop/db 80 no\nbank/web shop/db 80 yes")
    check(model(two), "bare/api shop/db 80 yes\nbank/web shop/db 80 yes")


def test_policies_are_tried_by_priority_and_then_by_name() -> None:
    deny = f"in Deny {BANK}"
    accept = f"in Accept {BANK}"
    row = "bank/web shop/db 80"
    for first, second, winner in (
        (0, 1000, "z"),
        (2, 1, "a"),
        (10, 9, "a"),
        (9, 10, "z"),
        (5, 5, "a"),
    ):
        found = model(
            cluster(deny, name="z", priority=first),
            cluster(accept, name="a", priority=second),
        )
        assert decided(ingress(found, row)) == (Tier.ADMIN, winner, 0)
        assert ask(found, row).allowed == (winner == "a")


def test_pass_leaves_the_tier() -> None:
    """What comes after it, in this policy and in later ones, is not looked at."""
    passing = cluster(f"in Pass {BANK}", f"in Deny {EVERYBODY}")
    later = cluster(f"in Deny {EVERYBODY}", name="later", priority=2)
    row = "bank/web shop/db 80"
    found = model(passing, later)
    assert decided(ingress(found, row)) == (None, None, None)
    check(found, "bank/web shop/db 80 yes\nbare/api shop/db 80 no")
    assert decided(ingress(model(passing, DENY_ALL), row)) == (Tier.NORMAL, "p", None)
    assert decided(ingress(model(passing, ALLOW_ALL), row)) == (Tier.NORMAL, "p", 0)
    base = cluster(f"in Deny {BANK}", tier="Baseline", name="base")
    assert decided(ingress(model(passing, base), row)) == (Tier.BASELINE, "base", 0)
    assert not ask(model(passing, base), row).allowed


def test_network_policy_is_final_once_it_isolates() -> None:
    """In that direction only; the baseline is for who is isolated by nobody."""
    base = cluster(
        f"in Deny {EVERYBODY}",
        f"out Deny {EVERYBODY}",
        tier="Baseline",
        subject=EVERYBODY,
    )
    found = model(base, policy("ingress: [{ports: [{port: 80}]}]"))
    check(
        found,
        """
        8.8.8.8 shop/db 80 yes
        8.8.8.8 shop/db 81 no
        8.8.8.8 bank/web 80 yes
        bare/api shop/db 80 no
        shop/db bare/api 80 no
        shop/db 8.8.8.8 80 yes
        """,
    )
    verdict = ask(found, "bare/api shop/db 81")
    assert decided(verdict.ingress) == (Tier.NORMAL, "p", None)
    assert decided(verdict.egress) == (Tier.BASELINE, "c", 0)


def test_baseline_accepts_passes_and_denies() -> None:
    """Pass there: allowed, since nothing comes after it."""
    found = model(
        cluster(
            f"in Accept {BANK}",
            f"in Pass {API}",
            f"in Deny {EVERYBODY}",
            tier="Baseline",
        )
    )
    row = "bank/web shop/db 80"
    assert decided(ingress(found, row)) == (Tier.BASELINE, "c", 0)
    assert decided(ingress(found, "bare/api shop/db 80")) == (None, None, None)
    check(found, "bare/api shop/db 80 yes\nshop/web shop/db 80 no")


def test_admin_comes_before_baseline_whatever_the_priority() -> None:
    found = model(
        cluster(f"in Deny {BANK}", tier="Baseline", priority=0, name="a"),
        cluster(f"in Accept {BANK}", tier="Admin", priority=1000, name="b"),
    )
    assert decided(ingress(found, "bank/web shop/db 80")) == (Tier.ADMIN, "b", 0)


def test_both_directions_are_needed() -> None:
    found = model(cluster(f"in Accept {EVERYBODY}"), cluster(name="d"))
    check(found, "bank/web shop/db 80 yes")
    found = model(
        cluster(f"in Accept {EVERYBODY}"),
        cluster(f"out Deny {SHOP}", subject=BANK, name="d"),
    )
    verdict = ask(found, "bank/web shop/db 80")
    assert (verdict.egress.allowed, verdict.ingress.allowed) == (False, True)
    assert not verdict.allowed


def test_subjects_select_pods_in_selected_namespaces() -> None:
    subject = (
        "{pods: {namespaceSelector: {matchLabels: {team: a}}, "
        "podSelector: {matchLabels: {app: api}}}}"
    )
    found = model(cluster(f"in Deny {EVERYBODY}", subject=subject))
    check(
        found,
        """
        bank/web shop/api 80 no
        bank/web shop/db 80 yes
        bank/web bare/api 80 yes
        """,
    )


def test_pods_alone_are_no_addresses() -> None:
    """A namespaces peer selects pods: addresses outside are not denied by it."""
    found = model(cluster(f"in Deny {EVERYBODY}", f"out Deny {EVERYBODY}"))
    check(
        found,
        """
        8.8.8.8 shop/db 80 yes
        shop/db 8.8.8.8 80 yes
        bank/web shop/db 80 no
        """,
    )


def test_networks_match_addresses_and_pods() -> None:
    """`networks: 0.0.0.0/0` Deny also cuts pods, where their address is known."""
    found = model(cluster('out Deny {networks: [10.1.0.0/16, "2001:db8::/32"]}'))
    check(
        found,
        """
        shop/db 10.1.2.3 80 no
        shop/db 10.2.0.0 80 yes
        shop/db 2001:db8::1 80 no
        shop/db bank/web 80 no
        shop/db bare/api 80 yes
        """,
    )
    front = cluster(f"out Pass {BANK}", priority=0, name="front")
    check(
        model(front, cluster("out Deny {networks: [0.0.0.0/0]}")),
        "shop/db bank/web 80 yes\nshop/db shop/web 80 no\nshop/db 8.8.8.8 80 no",
    )


def test_ports_and_ranges() -> None:
    ranged = "{sctp: {destinationPort: {range: {start: 90, end: 92}}}}"
    found = model(
        cluster(f"in Deny {EVERYBODY} on {port(80)}, {port(53, 'udp')}, {ranged}")
    )
    check(
        found,
        """
        bank/web shop/db 80 no
        bank/web shop/db 80/UDP yes
        bank/web shop/db 53 yes
        bank/web shop/db 53/UDP no
        bank/web shop/db 89/SCTP yes
        bank/web shop/db 90/SCTP no
        bank/web shop/db 92/SCTP no
        bank/web shop/db 93/SCTP yes
        bank/web shop/db 91 yes
        """,
    )


def test_a_named_port_has_no_protocol() -> None:
    """Any port of that name at the destination counts, with its own protocol."""
    found = model(cluster(f"in Deny {EVERYBODY} on {{destinationNamedPort: dns}}"))
    check(
        found,
        """
        bank/web shop/web 53/UDP no
        bank/web shop/web 53 yes
        bank/web shop/api 5353 no
        bank/web shop/api 5353/UDP yes
        bank/web shop/db 53/UDP yes
        """,
    )


def test_a_named_port_at_networks_matches_nothing() -> None:
    named = "{destinationNamedPort: http}"
    found = model(cluster(f"out Deny {{networks: [0.0.0.0/0]}} on {named}"))
    check(found, "shop/db shop/web 80 yes\nshop/db 8.8.8.8 80 yes")
    both = "{networks: [0.0.0.0/0]}, {namespaces: {}}"
    found = model(cluster(f"out Deny {both} on {named}"))
    check(found, "shop/db shop/web 80 no\nshop/db shop/web 81 yes")


def test_nodes_and_domain_names_match_no_address() -> None:
    """Their addresses are not known: Accept by name opens nothing offline."""
    found = model(
        cluster(
            "out Accept {domainNames: ['*.example.org']}",
            "out Accept {nodes: {}}",
            "out Deny {networks: [0.0.0.0/0]}",
        )
    )
    check(found, "shop/db 93.184.216.34 80 no\nshop/db shop/node 80 no")


def test_nodes_fail_closed() -> None:
    """Deny and Pass of nodes deny every address that is no member, at their ports."""
    for action in ("Deny", "Pass"):
        found = model(cluster(f"out {action} {{nodes: {{}}}}, {BANK} on {port(80)}"))
        check(
            found,
            """
            shop/db 8.8.8.8 80 no
            shop/db shop/node 80 no
            shop/db 8.8.8.8 81 yes
            shop/db bare/api 80 yes
            shop/db bank/web 80 no
            8.8.8.8 shop/db 80 yes
            """,
        )
        verdict = ask(found, "shop/db 8.8.8.8 80").egress
        assert decided(verdict) == (Tier.ADMIN, "c", 0)


# "they must assume an unknown option has been specified and fail closed"
@pytest.mark.parametrize("peer", ["{}", "{externalServices: {}}"])
def test_unknown_peers_fail_closed(peer: str) -> None:
    """Accept matches nothing by it; Deny and Pass deny all, on every port."""
    accept = cluster(f"in Accept {peer}, {BANK}", f"in Deny {EVERYBODY}")
    check(model(accept), "bank/web shop/db 80 yes\nbare/api shop/db 80 no")
    alone = cluster(f"in Accept {peer}", f"in Deny {EVERYBODY}")
    check(model(alone), "bank/web shop/db 80 no")
    for action in ("Deny", "Pass"):
        found = model(cluster(f"in {action} {peer}, {BANK} on {port(80)}"))
        check(
            found,
            """
            bare/api shop/db 81/SCTP no
            8.8.8.8 shop/db 80 no
            shop/db bare/api 80 yes
            bare/api bank/web 80 yes
            """,
        )
        verdict = ingress(found, "8.8.8.8 shop/db 80")
        assert verdict.rule is not None and verdict.rule.action is Action.DENY


def test_host_network_pods_are_neither_subject_nor_peer() -> None:
    found = model(cluster(f"in Deny {EVERYBODY}", subject=EVERYBODY))
    check(
        found,
        """
        bank/web shop/node 80 yes
        shop/node bank/web 80 yes
        shop/web bank/web 80 no
        """,
    )
    check(found, "bank/web shop/node 80 no", HostNetwork.AS_POD)
    found = model(cluster("out Deny {networks: [192.168.0.0/16]}"))
    check(found, "shop/db shop/node 80 no\nshop/node shop/node 80 yes")


def test_a_pod_reaches_itself() -> None:
    """By its address always, CNP included; another replica is another pod."""
    found = model(cluster(f"in Deny {EVERYBODY}", f"out Deny {EVERYBODY}"))
    check(found, "shop/web shop/web 80 yes\nshop/api shop/web 80 no")
    (member,) = [m for m in found.members if (m.namespace, m.name) == ("shop", "web")]
    one, two = (Endpoint(member, ip_address(f"10.0.0.{n}")) for n in (1, 2))
    assert not decide(found, one, two, Protocol.TCP, 80).allowed


def test_audited_policies_are_not_enforced() -> None:
    row = "bank/web shop/db 80"
    deny = f"in Deny {EVERYBODY}"
    for tier in ("Admin", "Baseline"):
        found = model(cluster(deny, tier=tier, audited=True))
        assert decided(ingress(found, row)) == (None, None, None)
        assert not ask(found, row, audit=True).allowed
    # An audited Accept does not open what a later Deny closes.
    audited = cluster(f"in Accept {EVERYBODY}", priority=0, name="a", audited=True)
    found = model(audited, cluster(deny))
    assert decided(ingress(found, row)) == (Tier.ADMIN, "c", 0)
    assert ask(found, row, audit=True).allowed


def test_an_audited_network_policy_does_not_isolate() -> None:
    """It alone: others isolate as before."""
    annotated = DENY_ALL.replace(
        "{name: p,", "{name: p, annotations: {pepmesh.dev/mode: audit},"
    )
    row = "bank/web shop/db 80"
    found = model(annotated)
    assert ask(found, row).allowed
    audited = ask(found, row, audit=True).ingress
    assert decided(audited) == (Tier.NORMAL, "p", None)
    other = policy("ingress: [{ports: [{port: 81}]}]", "other")
    verdict = ingress(model(annotated, other), row)
    assert [p.name for p in verdict.isolating] == ["other"]


def test_the_older_kinds_mean_the_same() -> None:
    rule = f"{{action: Deny, from: [{BANK}], ports: [{{portNumber: {{port: 80}}}}]}}"
    head = "apiVersion: policy.networking.k8s.io/v1alpha1\n"
    admin = (
        f"{head}kind: AdminNetworkPolicy\nmetadata: {{name: a}}\n"
        f"spec: {{priority: 1, subject: {SHOP}, ingress: [{rule}]}}\n---\n"
    )
    base = (
        f"{head}kind: BaselineAdminNetworkPolicy\nmetadata: {{name: default}}\n"
        f"spec: {{subject: {SHOP}, ingress: [{rule}]}}\n---\n"
    )
    new = f"in Deny {BANK} on {port(80)}"
    assert connections(model(admin)) == connections(model(cluster(new)))
    baseline = cluster(new, tier="Baseline")
    for more in (ALLOW_ALL, DENY_ALL, ""):
        assert connections(model(base, more)) == connections(model(baseline, more))
    row = "bank/web shop/db 80"
    assert decided(ingress(model(admin, base), row)) == (Tier.ADMIN, "a", 0)
    assert decided(ingress(model(base), row)) == (Tier.BASELINE, "default", 0)

"""What the oracle decides: semantics.md, section 3, row by row.

Each test restates the rule, then gives rows `source destination port -> allowed`.
"""

from __future__ import annotations

from ipaddress import ip_address
from textwrap import dedent, indent
from typing import Final

import pytest

from generator.policy.model import Direction, Model, Protocol
from generator.policy.oracle import (
    End,
    Endpoint,
    HostNetwork,
    OracleDecision,
    decide,
)
from generator.policy.oracle_connections import connections
from tests.support.connlist import canonical
from tests.support.loading import model_of

INVENTORY: Final = """\
apiVersion: v1
kind: NamespaceList
items:
- metadata: {name: shop, labels: {team: a}}
- metadata: {name: bank, labels: {team: b}}
- metadata: {name: bare}
---
apiVersion: v1
kind: PodList
items:
- metadata: {name: web, namespace: shop, labels: {app: web, tier: ""}}
  spec:
    containers:
    - ports:
      - {name: http, containerPort: 80}
      - {name: dns, containerPort: 53, protocol: UDP}
  status: {podIP: 10.0.0.1}
- metadata: {name: api, namespace: shop, labels: {app: api}}
  spec:
    containers:
    - ports:
      - {name: http, containerPort: 8080}
      - {name: dns, containerPort: 5353, protocol: TCP}
  status: {podIP: 10.0.0.2}
- metadata: {name: db, namespace: shop}
  spec: {}
- metadata: {name: web, namespace: bank, labels: {app: web}}
  spec: {}
  status: {podIP: 10.1.0.1}
- metadata: {name: api, namespace: bare, labels: {app: api}}
  spec: {}
- metadata: {name: node, namespace: shop, labels: {app: node}}
  spec:
    hostNetwork: true
    containers:
    - ports:
      - {name: http, containerPort: 80}
  status: {podIP: 192.168.0.1}
---
"""


def policy(spec: str, name: str = "p", namespace: str = "shop") -> str:
    body = indent(dedent(spec).strip(), "  ")
    return (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec:\n{body}\n---\n"
    )


def ingress_from(*peers: str) -> str:
    return f"ingress: [{{from: [{', '.join(f'{{{peer}}}' for peer in peers)}]}}]"


def model(*policies: str) -> Model:
    return model_of(INVENTORY + "".join(policies))


def end(found: Model, text: str) -> End:
    if "/" not in text:
        return ip_address(text)
    for member in found.members:
        if f"{member.namespace}/{member.name}" == text:
            address = member.addresses[0] if member.addresses else None
            return Endpoint(member, address)
    raise LookupError(text)


def ask(
    found: Model, flow: str, mode: HostNetwork | None = None, *, audit: bool = False
) -> OracleDecision:
    source, destination, port = flow.split()
    number, _, protocol = port.partition("/")
    return decide(
        found,
        end(found, source),
        end(found, destination),
        Protocol(protocol or "TCP"),
        int(number),
        host_network=mode or HostNetwork.BY_ADDRESS,
        audit=audit,
    )


def check(found: Model, table: str, mode: HostNetwork | None = None) -> None:
    """Check rows `source destination port yes|no`."""
    for row in dedent(table).strip().splitlines():
        flow, _, expected = row.rpartition(" ")
        assert ask(found, flow.strip(), mode).allowed == (expected == "yes"), row


def test_no_policy_allows_everything() -> None:
    check(
        model(),
        """
        shop/web shop/db 1 yes
        bank/web shop/db 65535/SCTP yes
        8.8.8.8 shop/db 80 yes
        shop/db 8.8.8.8 80 yes
        """,
    )


# spec.podSelector null or {} selects all pods of the policy's own namespace.
@pytest.mark.parametrize("selector", ["podSelector:", "podSelector: {}", "ingress: []"])
def test_empty_subject_selects_the_namespace(selector: str) -> None:
    check(
        model(policy(selector)),
        """
        bank/web shop/web 80 no
        bank/web shop/db 80 no
        shop/web bank/web 80 yes
        shop/web bare/api 80 yes
        8.8.8.8 shop/db 80 no
        """,
    )


def test_pod_selector_alone_means_the_own_namespace() -> None:
    spec = ingress_from("podSelector: {matchLabels: {app: web}}")
    check(
        model(policy(spec)),
        """
        shop/web shop/db 80 yes
        shop/api shop/db 80 no
        bank/web shop/db 80 no
        """,
    )


NAMESPACES_AND_PODS = (
    "namespaceSelector: {matchLabels: {team: b}}",
    "podSelector: {matchLabels: {app: web}}",
)


def test_both_selectors_in_one_entry_are_anded() -> None:
    spec = ingress_from(", ".join(NAMESPACES_AND_PODS))
    check(
        model(policy(spec)),
        """
        bank/web shop/db 80 yes
        shop/web shop/db 80 no
        bare/api shop/db 80 no
        """,
    )


def test_two_entries_are_ored() -> None:
    spec = ingress_from(*NAMESPACES_AND_PODS)
    check(
        model(policy(spec)),
        """
        bank/web shop/db 80 yes
        shop/web shop/db 80 yes
        shop/api shop/db 80 no
        """,
    )


# All four operators; the key is absent at shop/db.
OPERATORS: Final = [
    ("{key: app, operator: In, values: [web, x]}", "web"),
    ("{key: app, operator: NotIn, values: [web, x]}", "api db"),
    ("{key: app, operator: NotIn, values: [web, api]}", "db"),
    ("{key: app, operator: Exists}", "web api"),
    ("{key: app, operator: DoesNotExist}", "db"),
]


@pytest.mark.parametrize("expression, selected", OPERATORS)
def test_operators(expression: str, selected: str) -> None:
    spec = f"podSelector: {{matchExpressions: [{expression}]}}"
    found = model(policy(spec))
    for name in ("web", "api", "db"):
        is_isolated = not ask(found, f"bank/web shop/{name} 80").allowed
        assert is_isolated == (name in selected.split())


def test_empty_value_asks_for_the_key() -> None:
    check(
        model(policy('podSelector: {matchLabels: {tier: ""}}')),
        """
        bank/web shop/web 80 no
        bank/web shop/api 80 yes
        """,
    )


def test_namespaces_have_their_name_as_a_label() -> None:
    key = "kubernetes.io/metadata.name"
    spec = ingress_from(f"namespaceSelector: {{matchLabels: {{{key}: bare}}}}")
    check(
        model(policy(spec)),
        """
        bare/api shop/db 80 yes
        bank/web shop/db 80 no
        """,
    )


def test_not_in_on_a_namespace_does_not_select_the_world() -> None:
    """cilium#46996."""
    expression = "{key: team, operator: NotIn, values: [a]}"
    spec = ingress_from(f"namespaceSelector: {{matchExpressions: [{expression}]}}")
    check(
        model(policy(spec)),
        """
        bank/web shop/db 80 yes
        bare/api shop/db 80 yes
        shop/web shop/db 80 no
        8.8.8.8 shop/db 80 no
        """,
    )


# `egress: []` alone does not isolate egress; egress rules alone isolate ingress too.
def test_policy_types_default() -> None:
    check(
        model(policy("egress: []")), "shop/db bank/web 80 yes\nbank/web shop/db 80 no"
    )
    check(
        model(policy("egress: [{ports: [{port: 80}]}]")),
        """
        shop/db bank/web 80 yes
        shop/db bank/web 81 no
        bank/web shop/db 80 no
        """,
    )
    check(
        model(policy("policyTypes: [Egress]")),
        "shop/db bank/web 80 no\nbank/web shop/db 80 yes",
    )


@pytest.mark.parametrize("rules", ["", "ingress:", "ingress: []"])
def test_no_rules_deny_and_one_empty_rule_allows(rules: str) -> None:
    check(model(policy(f"policyTypes: [Ingress]\n{rules}")), "bank/web shop/db 80 no")
    check(model(policy("ingress: [{}]")), "8.8.8.8 shop/db 80/SCTP yes")


def test_ports() -> None:
    """Protocol defaults to TCP; endPort is inclusive; a protocol alone is all ports."""
    spec = """
    ingress:
    - ports:
      - {port: 80}
      - {port: 90, endPort: 92, protocol: UDP}
      - {port: 7, endPort: 7}
      - {protocol: SCTP}
    """
    check(
        model(policy(spec)),
        """
        bank/web shop/db 80 yes
        bank/web shop/db 80/UDP no
        bank/web shop/db 89/UDP no
        bank/web shop/db 90/UDP yes
        bank/web shop/db 92/UDP yes
        bank/web shop/db 93/UDP no
        bank/web shop/db 91 no
        bank/web shop/db 7 yes
        bank/web shop/db 8 no
        bank/web shop/db 65535/SCTP yes
        bank/web shop/db 1/SCTP yes
        """,
    )


# UDP- or SCTP-only policies isolate TCP.
@pytest.mark.parametrize("protocol", ["UDP", "SCTP"])
def test_other_protocols_isolate_tcp(protocol: str) -> None:
    found = model(policy(f"ingress: [{{ports: [{{protocol: {protocol}}}]}}]"))
    check(found, f"bank/web shop/db 80 no\nbank/web shop/db 80/{protocol} yes")


def test_named_port_is_resolved_at_each_destination() -> None:
    """Name and protocol must both match; a pod without the name has no such port."""
    found = model(policy("ingress: [{ports: [{port: http}, {port: dns}]}]"))
    check(
        found,
        """
        bank/web shop/web 80 yes
        bank/web shop/web 8080 no
        bank/web shop/web 53 no
        bank/web shop/web 53/UDP no
        bank/web shop/api 80 no
        bank/web shop/api 8080 yes
        bank/web shop/api 5353 yes
        bank/web shop/db 80 no
        8.8.8.8 shop/web 80 yes
        """,
    )
    egress = "policyTypes: [Egress]\negress: [{ports: [{port: http}]}]"
    check(
        model(policy(egress, namespace="bank")),
        """
        bank/web shop/web 80 yes
        bank/web shop/web 8080 no
        bank/web shop/api 8080 yes
        bank/web shop/db 80 no
        bank/web 8.8.8.8 80 no
        """,
    )


def test_named_port_at_an_ip_block_matches_nothing() -> None:
    """Not even a member whose address is in the block; as a pod peer it matches."""
    block = "{ipBlock: {cidr: 0.0.0.0/0}}"
    for peers, expected in (
        (block, "no"),
        (f"{block}, {{namespaceSelector: {{}}}}", "yes"),
    ):
        rule = f"{{to: [{peers}], ports: [{{port: http}}]}}"
        spec = f"policyTypes: [Egress]\negress: [{rule}]"
        found = model(policy(spec, namespace="bank"))
        check(found, f"bank/web shop/web 80 {expected}\nbank/web 8.8.8.8 80 no")
    # For ingress the destination is the subject, a pod: the name is resolved there.
    ingress = f"ingress: [{{from: [{block}], ports: [{{port: http}}]}}]"
    check(model(policy(ingress)), "8.8.8.8 shop/web 80 yes\n8.8.8.8 shop/web 81 no")


BLOCK: Final = "{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}"


def test_except_subtracts_from_its_own_block_only() -> None:
    """It is never a deny: another peer may still allow."""
    check(
        model(policy(ingress_from(f"ipBlock: {BLOCK}"))),
        """
        10.2.0.1 shop/db 80 yes
        10.1.0.1 shop/db 80 no
        11.0.0.0 shop/db 80 no
        9.255.255.255 shop/db 80 no
        2001:db8::1 shop/db 80 no
        """,
    )
    other = ingress_from(f"ipBlock: {BLOCK}", "ipBlock: {cidr: 10.1.2.0/24}")
    check(model(policy(other)), "10.1.2.3 shop/db 80 yes\n10.1.3.3 shop/db 80 no")


def test_ip_block_matches_members_by_their_address() -> None:
    spec = ingress_from(f"ipBlock: {BLOCK}")
    check(
        model(policy(spec)),
        """
        shop/web shop/db 80 yes
        bank/web shop/db 80 no
        shop/db shop/web 80 no
        """,
    )


def test_ipv6() -> None:
    block = '{cidr: "2001:db8::/32", except: ["2001:db8::/64"]}'
    spec = f"policyTypes: [Egress]\negress: [{{to: [{{ipBlock: {block}}}]}}]"
    check(
        model(policy(spec)),
        """
        shop/db 2001:db8::1 80 no
        shop/db 2001:db8:0:1::1 80 yes
        shop/db 2001:db9::1 80 no
        shop/db 32.1.13.184 80 no
        """,
    )


def test_policies_add_up_and_both_directions_are_needed() -> None:
    found = model(
        policy("ingress: [{ports: [{port: 80}]}]", "a"),
        policy("ingress: [{ports: [{port: 81}]}]", "b"),
        policy(
            "policyTypes: [Egress]\negress: [{ports: [{port: 81}, {port: 82}]}]",
            namespace="bank",
        ),
    )
    check(
        found,
        """
        bare/api shop/db 80 yes
        bare/api shop/db 81 yes
        bare/api shop/db 82 no
        bank/web shop/db 80 no
        bank/web shop/db 81 yes
        bank/web shop/db 82 no
        bank/web bare/api 82 yes
        """,
    )
    decision = ask(found, "bank/web shop/db 80")
    assert (decision.egress.allowed, decision.ingress.allowed) == (False, True)


def test_decision_names_the_policy_and_the_rule() -> None:
    found = model(
        policy("ingress: [{ports: [{port: 80}]}]", "b"),
        policy("ingress: [{ports: [{port: 81}]}, {ports: [{port: 80}]}]", "a"),
    )
    ingress = ask(found, "bank/web shop/db 80").ingress
    assert [(p.name, r.number) for p, r in ingress.allowing] == [("a", 1), ("b", 0)]
    assert ingress.policy is not None and ingress.policy.name == "a"
    assert ingress.rule is not None and ingress.rule.number == 1
    denied = ask(found, "bank/web shop/db 82")
    assert [p.name for p in denied.ingress.isolating] == ["a", "b"]
    assert denied.ingress.policy is not None and denied.ingress.policy.name == "a"
    assert denied.ingress.rule is None
    assert denied.egress.policy is None
    assert denied.egress.direction is Direction.EGRESS


def test_endpoint_reaches_itself_and_not_its_replica() -> None:
    found = model(policy("policyTypes: [Ingress, Egress]"))
    check(found, "shop/web shop/web 80 yes")
    (member,) = [m for m in found.members if (m.namespace, m.name) == ("shop", "web")]
    one, two = (Endpoint(member, ip_address(f"10.0.0.{n}")) for n in (1, 2))
    assert decide(found, one, one, Protocol.TCP, 80).allowed
    assert not decide(found, one, two, Protocol.TCP, 80).allowed
    # Of unknown address: nobody can say that it is itself.
    check(found, "shop/db shop/db 80 no")


def test_host_network_pod_is_judged_by_its_address() -> None:
    """Never a subject, never a pod peer, no named ports; or, if asked, like any pod."""
    deny = policy("policyTypes: [Ingress, Egress]")
    check(model(deny), "bank/web shop/node 80 yes\nshop/node bank/web 80 yes")
    check(model(deny), "bank/web shop/node 80 no", HostNetwork.AS_POD)
    pods = ingress_from("podSelector: {}")
    check(model(policy(pods)), "shop/node shop/db 80 no")
    check(model(policy(pods)), "shop/node shop/db 80 yes", HostNetwork.AS_POD)
    block = ingress_from("ipBlock: {cidr: 192.168.0.0/16}")
    check(model(policy(block)), "shop/node shop/db 80 yes")
    named = "policyTypes: [Egress]\negress: [{ports: [{port: http}]}]"
    check(model(policy(named)), "shop/db shop/node 80 no\nshop/db shop/web 80 yes")


def test_connections_join_what_is_equal() -> None:
    spec = f"""
    podSelector: {{matchLabels: {{app: web}}}}
    ingress:
    - {{from: [{{ipBlock: {BLOCK}}}], ports: [{{port: 80}}, {{port: 81, endPort: 90}}]}}
    """
    found = [
        c
        for c in connections(model(policy(spec)))
        if c["destination"] == "shop/web" and c["source"][0].isdigit()
    ]
    assert found == [
        {
            "source": source,
            "destination": "shop/web",
            "protocol": "TCP",
            "ports": [[80, 90]],
        }
        for source in ("10.0.0.0-10.0.255.255", "10.2.0.0-10.255.255.255")
    ]
    assert canonical(connections(model(policy(spec)))) == connections(
        model(policy(spec))
    )
    six = connections(model(policy(spec)), family=6)
    assert not [c for c in six if c["destination"] == "shop/web" and ":" in c["source"]]

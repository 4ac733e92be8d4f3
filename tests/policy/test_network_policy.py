"""What a NetworkPolicy manifest means, field by field: text to model."""

from __future__ import annotations

from ipaddress import ip_network
from textwrap import indent
from typing import Final

import pytest

from generator.policy.model import (
    BlockPeer,
    Direction,
    LabelSelector,
    Operator,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Requirement,
)
from tests.support.loading import load_text, pointed_at

HEAD: Final = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
"""
NAMESPACE: Final = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
"""
IN: Final = Direction.INGRESS
OUT: Final = Direction.EGRESS
EVERYTHING: Final = LabelSelector()


def read(spec: str) -> Policy:
    loaded = load_text(NAMESPACE + HEAD + f"spec:\n{indent(spec, '  ')}")
    (policy,) = loaded.model.policies
    return policy


def read_rule(rule: str) -> PolicyRule:
    policy = read(f"policyTypes: [Ingress]\ningress:\n- {rule}")
    return policy.rules[0]


def select(*requirements: tuple[str, Operator, tuple[str, ...]]) -> LabelSelector:
    return LabelSelector(tuple(Requirement(*each) for each in requirements))


# An absent, null or empty podSelector of the spec selects all pods.
@pytest.mark.parametrize("spec", ["policyTypes: []", "podSelector:", "podSelector: {}"])
def test_subject_defaults_to_everything(spec: str) -> None:
    assert read(spec).subject.pods == EVERYTHING


def test_policy_without_spec_isolates_all_pods_for_ingress() -> None:
    for spec in ("", "spec:\n", "spec: {}\n", "spec: null\nstatus: {}\n"):
        (policy,) = load_text(NAMESPACE + HEAD + spec).model.policies
        assert policy.subject.pods == EVERYTHING
        assert policy.isolates == {IN}
        assert policy.rules == ()


APP: Final = ("app", Operator.IN, ("web",))

SELECTORS: Final = [
    # "A single {key,value} in the matchLabels map is equivalent to [...] In"
    ("{matchLabels: {app: web}}", select(APP)),
    ('{matchLabels: {app: ""}}', select(("app", Operator.IN, ("",)))),
    ("{matchLabels: null, matchExpressions: null}", EVERYTHING),
    ("{matchLabels: {}, matchExpressions: []}", EVERYTHING),
    (
        "{matchExpressions: [{key: app, operator: In, values: [a, b]}]}",
        select(("app", Operator.IN, ("a", "b"))),
    ),
    (
        "{matchExpressions: [{key: app, operator: NotIn, values: [a]}]}",
        select(("app", Operator.NOT_IN, ("a",))),
    ),
    (
        "{matchExpressions: [{key: app, operator: Exists, values: []}]}",
        select(("app", Operator.EXISTS, ())),
    ),
    (
        "{matchExpressions: [{key: x.io/app, operator: DoesNotExist}]}",
        select(("x.io/app", Operator.DOES_NOT_EXIST, ())),
    ),
    # "The requirements are ANDed."
    (
        "{matchLabels: {app: web}, matchExpressions: [{key: b, operator: Exists}]}",
        select(APP, ("b", Operator.EXISTS, ())),
    ),
    # Quoted, these are texts; a plain one that is no number or boolean is one too.
    ('{matchLabels: {app: "1"}}', select(("app", Operator.IN, ("1",)))),
    ("{matchLabels: {app: 'yes'}}", select(("app", Operator.IN, ("yes",)))),
    ("{matchLabels: {app: !!str 1}}", select(("app", Operator.IN, ("1",)))),
    ("{matchLabels: {app: v1.2}}", select(("app", Operator.IN, ("v1.2",)))),
]


@pytest.mark.parametrize("text, expected", SELECTORS)
def test_selector(text: str, expected: LabelSelector) -> None:
    assert read(f"podSelector: {text}").subject.pods == expected


# "If this field is not specified, it will default based on the existence of ingress
# or egress rules": ingress always, egress only if the list is not empty.
@pytest.mark.parametrize(
    "spec, isolates",
    [
        ("podSelector: {}", {IN}),
        ("ingress: []", {IN}),
        ("egress:", {IN}),
        ("egress: []", {IN}),
        ("egress: [{}]", {IN, OUT}),
        ("policyTypes: []\negress: [{}]", {IN, OUT}),
        ("policyTypes: null\ningress: [{}]", {IN}),
        ("policyTypes: [Egress]", {OUT}),
        ("policyTypes: [Egress]\negress: [{}]", {OUT}),
        ("policyTypes: [Ingress]\negress: [{}]", {IN}),
        ("policyTypes: [Egress, Ingress]", {IN, OUT}),
        ("policyTypes: [Ingress, Ingress]", {IN}),
    ],
)
def test_policy_types(spec: str, isolates: set[Direction]) -> None:
    policy = read(spec)
    assert policy.isolates == isolates
    assert {rule.direction for rule in policy.rules} <= isolates


# "If this field is empty or missing, this rule matches all sources" and all ports.
@pytest.mark.parametrize("rule", ["{}", "{from: , ports: }", "{from: [], ports: []}"])
def test_empty_rule_matches_everything(rule: str) -> None:
    found = read_rule(rule)
    assert (found.peers, found.ports) == (None, None)


WEB: Final = select(APP)
TEAM: Final = select(("team", Operator.IN, ("a",)))

PEERS: Final = [
    # "Otherwise it selects the pods matching podSelector in the policy's own
    # namespace."
    ("{podSelector: {}}", PodPeer(EVERYTHING, None)),
    ("{podSelector: {matchLabels: {app: web}}}", PodPeer(WEB, None)),
    # "Otherwise it selects all pods in the namespaces selected by namespaceSelector."
    ("{namespaceSelector: {matchLabels: {team: a}}}", PodPeer(None, TEAM)),
    ("{namespaceSelector: {}, podSelector: null}", PodPeer(None, EVERYTHING)),
    ("{namespaceSelector: null, podSelector: {}}", PodPeer(EVERYTHING, None)),
    (
        "{namespaceSelector: {matchLabels: {team: a}}, "
        "podSelector: {matchLabels: {app: web}}}",
        PodPeer(WEB, TEAM),
    ),
    ("{ipBlock: {cidr: 10.0.0.0/8}}", BlockPeer(ip_network("10.0.0.0/8"))),
    ("{ipBlock: {cidr: 10.0.0.9/8}}", BlockPeer(ip_network("10.0.0.0/8"))),
    ("{ipBlock: {cidr: 10.0.0.9/32, except: }}", BlockPeer(ip_network("10.0.0.9/32"))),
    ('{ipBlock: {cidr: "2001:DB8::/32"}}', BlockPeer(ip_network("2001:db8::/32"))),
    ('{ipBlock: {cidr: "::/0"}}', BlockPeer(ip_network("::/0"))),
    (
        "{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 10.1.0.0/16]}}",
        BlockPeer(
            ip_network("0.0.0.0/0"),
            (ip_network("10.0.0.0/8"), ip_network("10.1.0.0/16")),
        ),
    ),
]


@pytest.mark.parametrize("text, expected", PEERS)
def test_peer(text: str, expected: PodPeer | BlockPeer) -> None:
    assert read_rule(f"{{from: [{text}]}}").peers == (expected,)


def test_selectors_in_one_entry_and_in_two_differ() -> None:
    """AND in one entry, OR in two."""
    both = "namespaceSelector: {matchLabels: {team: a}}"
    pods = "podSelector: {matchLabels: {app: web}}"
    one = read_rule(f"{{from: [{{{both}, {pods}}}]}}").peers
    two = read_rule(f"{{from: [{{{both}}}, {{{pods}}}]}}").peers
    assert one == (PodPeer(WEB, TEAM),)
    assert two == (PodPeer(None, TEAM), PodPeer(WEB, None))


TCP, UDP, SCTP = Protocol.TCP, Protocol.UDP, Protocol.SCTP

PORTS: Final = [
    # "If not specified, this field defaults to TCP."
    ("{port: 80}", PortMatch(TCP, first=80, last=80)),
    ("{port: 80, protocol: null}", PortMatch(TCP, first=80, last=80)),
    # "If this field is not provided, this matches all port names and numbers."
    ("{}", PortMatch(TCP)),
    ("{protocol: UDP, port: null}", PortMatch(UDP)),
    # "the range of ports from port to endPort if set, inclusive"
    ("{port: 80, endPort: 90}", PortMatch(TCP, first=80, last=90)),
    ("{port: 80, endPort: 80}", PortMatch(TCP, first=80, last=80)),
    ("{port: 80, endPort: null}", PortMatch(TCP, first=80, last=80)),
    ("{port: 1, endPort: 65535}", PortMatch(TCP, first=1, last=65535)),
    # "This can either be a numerical or named port on a pod."
    ("{port: http, protocol: SCTP}", PortMatch(SCTP, name="http")),
    ("{port: 8-0a}", PortMatch(TCP, name="8-0a")),
]


@pytest.mark.parametrize("text, expected", PORTS)
def test_port(text: str, expected: PortMatch) -> None:
    found = read_rule(f"{{ports: [{text}]}}").ports
    assert found == (expected,)
    assert expected.is_every_port == (text in ("{}", "{protocol: UDP, port: null}"))


def test_rules_are_numbered_within_their_list() -> None:
    policy = read("egress: [{}, {}]\ningress: [{}]")
    assert [(r.direction, r.number) for r in policy.rules] == [
        (IN, 0),
        (OUT, 0),
        (OUT, 1),
    ]


def test_everything_knows_its_place() -> None:
    text = (
        NAMESPACE
        + HEAD
        + """\
spec:
  podSelector:
    matchLabels:
      app: web
    matchExpressions:
    - {key: tier, operator: Exists}
  ingress:
  # comments and empty lines count

  - ports:
    - port: 80
      endPort: 90
    from:
    - podSelector: {}
    - ipBlock:
        cidr: 10.0.0.0/8
"""
    )
    (policy,) = load_text(text).model.policies
    (rule,) = policy.rules
    subject = policy.subject.pods
    assert subject is not None
    spans = [policy.span, rule.span]
    spans += [each.span for each in subject.requirements if each.span]
    spans += [each.span for each in rule.peers or () if each.span]
    spans += [each.span for each in rule.ports or () if each.span]
    assert [(pointed_at(text, span), span.start.line + 1) for span in spans] == [
        ("p", 7),
        ("ports", 17),
        ("app", 11),
        ("key", 13),
        ("podSelector", 21),
        ("ipBlock", 22),
        ("80", 18),
    ]


def test_named_port_for_ingress_from_a_block_is_no_mistake() -> None:
    """The destination is the subject, a pod: the name can be resolved."""
    rule = "{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: http}]}"
    text = f"{NAMESPACE}{HEAD}spec: {{ingress: [{rule}]}}\n"
    assert load_text(text).diagnostics == ()

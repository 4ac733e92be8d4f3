"""What cluster-wide policies mean, field by field: text to model."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any, Final

import pytest

from generator.policy.model import (
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    LabelSelector,
    NodePeer,
    Operator,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Requirement,
    Tier,
)
from tests.support.loading import diagnose, load_text, pointed_at

IN, OUT = Direction.INGRESS, Direction.EGRESS
TCP, UDP, SCTP = Protocol.TCP, Protocol.UDP, Protocol.SCTP
EVERYTHING: Final = LabelSelector()
TEAM: Final = LabelSelector((Requirement("team", Operator.IN, ("a",)),))
WEB: Final = LabelSelector((Requirement("app", Operator.IN, ("web",)),))
SUBJECT: Final = "subject: {namespaces: {}}"


def cluster(spec: str, head: str = "tier: Admin, priority: 5") -> str:
    return (
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
        f"metadata: {{name: c}}\nspec: {{{head}, {spec}}}\n"
    )


def admin(spec: str) -> str:
    return (
        "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
        f"metadata: {{name: a}}\nspec: {{priority: 7, {spec}}}\n"
    )


def baseline(spec: str) -> str:
    return (
        "apiVersion: policy.networking.k8s.io/v1alpha1\n"
        "kind: BaselineAdminNetworkPolicy\n"
        f"metadata: {{name: default}}\nspec: {{{spec}}}\n"
    )


def read(text: str) -> Policy:
    (policy,) = load_text(text).model.policies
    return policy


def rule_of(text: str) -> PolicyRule:
    (rule,) = read(text).rules
    return rule


def ingress(body: str, *, action: str = "Accept") -> str:
    return cluster(f"{SUBJECT}, ingress: [{{action: {action}, {body}}}]")


def egress(body: str, *, action: str = "Accept") -> str:
    return cluster(f"{SUBJECT}, egress: [{{action: {action}, {body}}}]")


@pytest.mark.parametrize(
    "text, expected",
    [
        (cluster(SUBJECT), ("ClusterNetworkPolicy", "c", Tier.ADMIN, 5)),
        (
            cluster(SUBJECT, "tier: Baseline, priority: 1000"),
            ("ClusterNetworkPolicy", "c", Tier.BASELINE, 1000),
        ),
        (
            cluster(SUBJECT, "tier: Admin, priority: 0"),
            ("ClusterNetworkPolicy", "c", Tier.ADMIN, 0),
        ),
        (admin(SUBJECT), ("AdminNetworkPolicy", "a", Tier.ADMIN, 7)),
        (
            baseline(SUBJECT),
            ("BaselineAdminNetworkPolicy", "default", Tier.BASELINE, 0),
        ),
    ],
)
def test_kinds_and_tiers(text: str, expected: tuple[Any, ...]) -> None:
    policy = read(text)
    assert (policy.kind, policy.name, policy.tier, policy.priority) == expected
    assert (policy.namespace, policy.isolates, policy.rules) == ("", frozenset(), ())
    assert not policy.is_audited


@pytest.mark.parametrize(
    "text, expected",
    [
        ("{namespaces: {}}", PodPeer(None, EVERYTHING)),
        ("{namespaces: {matchLabels: {team: a}}}", PodPeer(None, TEAM)),
        ("{namespaces: {matchLabels: {}}, pods: null}", PodPeer(None, EVERYTHING)),
        (
            "{pods: {namespaceSelector: {}, podSelector: {}}}",
            PodPeer(EVERYTHING, EVERYTHING),
        ),
        (
            "{pods: {namespaceSelector: {matchLabels: {team: a}}, "
            "podSelector: {matchLabels: {app: web}}}}",
            PodPeer(WEB, TEAM),
        ),
    ],
)
def test_subjects_and_pod_peers(text: str, expected: PodPeer) -> None:
    assert read(cluster(f"subject: {text}")).subject == expected
    assert rule_of(ingress(f"from: [{text}]")).peers == (expected,)
    assert rule_of(egress(f"to: [{text}]")).peers == (expected,)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("{networks: [10.0.0.0/8]}", [BlockPeer(ip_network("10.0.0.0/8"))]),
        (
            '{networks: [10.0.0.1/8, "::/0"]}',
            [BlockPeer(ip_network("10.0.0.0/8")), BlockPeer(ip_network("::/0"))],
        ),
        ("{nodes: {}}", [NodePeer(EVERYTHING)]),
        (
            "{nodes: {matchExpressions: [{key: a, operator: Exists}]}}",
            [NodePeer(LabelSelector((Requirement("a", Operator.EXISTS),)))],
        ),
        (
            "{domainNames: [www.Example.org, '*.a.b.', a_b.c]}",
            [DomainPeer("www.example.org"), DomainPeer("*.a.b"), DomainPeer("a_b.c")],
        ),
    ],
)
def test_egress_peers(text: str, expected: list[Any]) -> None:
    assert rule_of(egress(f"to: [{text}]")).peers == tuple(expected)


NEW_PORTS: Final = [
    ("{tcp: {destinationPort: {number: 80}}}", PortMatch(TCP, first=80, last=80)),
    ("{udp: {destinationPort: {number: 1}}}", PortMatch(UDP, first=1, last=1)),
    (
        "{sctp: {destinationPort: {range: {start: 1, end: 65535}}}}",
        PortMatch(SCTP, first=1, last=65535),
    ),
    ("{destinationNamedPort: web}", PortMatch(None, name="web")),
    ("{destinationNamedPort: web, tcp: null}", PortMatch(None, name="web")),
]
OLD_PORTS: Final = [
    ("{portNumber: {port: 80}}", PortMatch(TCP, first=80, last=80)),
    ("{portNumber: {protocol: UDP, port: 80}}", PortMatch(UDP, first=80, last=80)),
    (
        "{portRange: {protocol: SCTP, start: 1, end: 2}}",
        PortMatch(SCTP, first=1, last=2),
    ),
    ("{portRange: {start: 80, end: 90}}", PortMatch(TCP, first=80, last=90)),
    ("{namedPort: web}", PortMatch(None, name="web")),
]


@pytest.mark.parametrize("text, expected", NEW_PORTS)
def test_ports_of_v1alpha2(text: str, expected: PortMatch) -> None:
    rule = rule_of(ingress(f"from: [{{namespaces: {{}}}}], protocols: [{text}]"))
    assert rule.ports == (expected,)


@pytest.mark.parametrize("text, expected", OLD_PORTS)
def test_ports_of_v1alpha1(text: str, expected: PortMatch) -> None:
    rule = f"{{action: Allow, from: [{{namespaces: {{}}}}], ports: [{text}]}}"
    for kind in (admin, baseline):
        assert rule_of(kind(f"{SUBJECT}, ingress: [{rule}]")).ports == (expected,)


@pytest.mark.parametrize("field", ["", "protocols: , "])
def test_no_protocols_are_all(field: str) -> None:
    rule = rule_of(ingress(f"{field}from: [{{namespaces: {{}}}}]"))
    assert rule.ports is None


def test_actions_names_and_numbers() -> None:
    peers = "from: [{namespaces: {}}]"
    rules = (
        f"{{action: Pass, {peers}, name: first}}, {{action: Deny, {peers}}}, "
        f"{{action: Accept, {peers}, name: third}}"
    )
    out = "{action: Deny, to: [{namespaces: {}}], name: out}"
    policy = read(cluster(f"{SUBJECT}, egress: [{out}], ingress: [{rules}]"))
    assert [(r.direction, r.number, r.action, r.name) for r in policy.rules] == [
        (IN, 0, Action.PASS, "first"),
        (IN, 1, Action.DENY, ""),
        (IN, 2, Action.ACCEPT, "third"),
        (OUT, 0, Action.DENY, "out"),
    ]


@pytest.mark.parametrize("lists", ["", ", ingress: []", ", ingress: , egress: []"])
def test_a_policy_may_have_no_rules(lists: str) -> None:
    assert read(cluster(SUBJECT + lists)).rules == ()


# "they must assume an unknown option has been specified and fail closed"
@pytest.mark.parametrize("peer", ["{}", "{externalServices: {}}", "{namespaces: null}"])
def test_an_unknown_peer_fails_closed(peer: str) -> None:
    ports = "protocols: [{destinationNamedPort: web}]"
    peers = f"to: [{peer}, {{namespaces: {{}}}}], {ports}, name: rule"
    accept = rule_of(egress(peers))
    assert accept.action is Action.ACCEPT
    assert accept.peers == (PodPeer(None, EVERYTHING),)
    assert accept.ports == (PortMatch(None, name="web"),)
    assert rule_of(egress(f"to: [{peer}]")).peers == ()
    for action in ("Deny", "Pass"):
        rule = rule_of(egress(peers, action=action))
        assert (rule.action, rule.peers, rule.ports) == (Action.DENY, None, None)
        assert (rule.name, rule.number, rule.direction) == ("rule", 0, OUT)


def many(item: str, count: int) -> str:
    return ", ".join([item] * count)


def numbered(template: str, count: int) -> str:
    return ", ".join(template.replace("#", str(n)) for n in range(1, count + 1))


ALL: Final = "{namespaces: {}}"
PORT: Final = "{tcp: {destinationPort: {number: #}}}"
LIMITS: Final = [
    (
        "rules",
        lambda n: cluster(
            f"{SUBJECT}, egress: [{many(f'{{action: Deny, to: [{ALL}]}}', n)}]"
        ),
        25,
    ),
    ("peers", lambda n: egress(f"to: [{many(ALL, n)}]"), 25),
    (
        "protocols",
        lambda n: egress(f"to: [{ALL}], protocols: [{numbered(PORT, n)}]"),
        25,
    ),
    (
        "networks",
        lambda n: egress(f"to: [{{networks: [{many('0.0.0.0/0', n)}]}}]"),
        25,
    ),
    ("domains", lambda n: egress(f"to: [{{domainNames: [{many('a.b', n)}]}}]"), 25),
    (
        "AdminNetworkPolicy",
        lambda n: admin(
            f"{SUBJECT}, egress: [{many(f'{{action: Deny, to: [{ALL}]}}', n)}]"
        ),
        100,
    ),
    (
        "BaselineAdminNetworkPolicy",
        lambda n: baseline(
            f"{SUBJECT}, egress: [{many(f'{{action: Deny, to: [{ALL}]}}', n)}]"
        ),
        100,
    ),
]


@pytest.mark.parametrize("name, text, most", LIMITS)
def test_lists_have_a_limit(name: str, text: Any, most: int) -> None:
    assert read(text(most))
    (error,) = diagnose(text(most + 1))
    assert error.code == "POL0034"
    assert error.message.endswith(f"{most + 1} entries, at most {most} are allowed")


def test_names_of_rules_have_a_limit() -> None:
    read(ingress(f"from: [{ALL}], name: {'n' * 100}"))
    (error,) = diagnose(ingress(f"from: [{ALL}], name: {'n' * 101}"))
    assert error.code == "POL0019"


def test_everything_knows_its_place() -> None:
    text = """\
    apiVersion: policy.networking.k8s.io/v1alpha2
    kind: ClusterNetworkPolicy
    metadata:
      name: c
    spec:
      tier: Admin
      priority: 1
      subject:
        namespaces: {}
      egress:
      - name: first
        action: Accept
        to:
        - networks: [10.0.0.0/8, 11.0.0.0/8]
        - domainNames: [a.b]
        - pods: {namespaceSelector: {}, podSelector: {}}
        protocols:
        - tcp: {destinationPort: {range: {start: 7, end: 9}}}
        - destinationNamedPort: web
    """
    policy = read(text)
    (rule,) = policy.rules
    spans = [policy.span, policy.subject.span, rule.span]
    spans += [peer.span for peer in rule.peers or ()]
    spans += [port.span for port in rule.ports or ()]
    assert [pointed_at(text, span) for span in spans if span] == [
        "c",
        "namespaces",
        "name",
        "10.0.0.0/8",
        "11.0.0.0/8",
        "a.b",
        "pods",
        "7",
        "web",
    ]


def test_all_faults_are_reported_together() -> None:
    text = """\
    apiVersion: policy.networking.k8s.io/v1alpha2
    kind: ClusterNetworkPolicy
    metadata: {name: c}
    spec:
      tier: Admim
      priority: 5000
      subject: {}
      ingress:
      - {action: Denny, from: [{namespaces: {}}]}
      - {action: Deny, from: [{networks: [x]}, {namespaces: {}, pods: {}}]}
      - action: Deny
        from: [{namespaces: {}}]
        protocols: [{tcp: {}}, {udp: {destinationPort: {number: 0}}}]
    """
    found = diagnose(text)
    assert [d.code for d in found] == [
        "POL0031",
        "POL0032",
        "POL0033",
        "POL0030",
        "POL0036",
        "POL0035",
        "POL0038",
        "POL0006",
    ]
    assert found[0].hint == 'did you mean "Admin"?'
    assert found[3].hint == 'did you mean "Deny"?'


def test_the_word_of_the_other_version_is_suggested() -> None:
    (error,) = diagnose(ingress(f"from: [{ALL}]", action="Allow"))
    assert error.hint == 'ClusterNetworkPolicy says "Accept"'
    rule = f"{{action: Accept, to: [{ALL}]}}"
    (error,) = diagnose(admin(f"{SUBJECT}, egress: [{rule}]"))
    assert error.hint == 'AdminNetworkPolicy says "Allow"'


def test_names_are_of_their_kind() -> None:
    """One name may stand for one policy of each kind, not for two of one."""
    namespaced = "metadata: {name: default}"
    texts = [
        baseline(SUBJECT),
        cluster(SUBJECT).replace("name: c", "name: default"),
        admin(SUBJECT).replace("name: a", "name: default"),
        f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{namespaced}\n",
    ]
    loaded = load_text("---\n".join(texts))
    assert len(loaded.model.policies) == 4
    (error,) = diagnose("---\n".join([cluster(SUBJECT), cluster(SUBJECT)]))
    assert error.code == "POL0014"
    assert error.message == 'ClusterNetworkPolicy "c" is there twice'


def test_cluster_wide_policies_are_in_no_namespace() -> None:
    """No namespace is made up for them, and none is missing."""
    loaded = load_text(cluster(SUBJECT))
    assert loaded.diagnostics == ()
    assert loaded.model.namespaces == {}


@pytest.mark.parametrize("mode, is_audited", [("audit", True), ("enforce", False)])
def test_mode_of_every_kind(mode: str, is_audited: bool) -> None:
    policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    for text in (
        cluster(SUBJECT),
        admin(SUBJECT),
        baseline(SUBJECT),
        policy + "metadata: {name: policy}\n",
    ):
        annotated = text.replace(
            "metadata: {", f"metadata: {{annotations: {{pepmesh.dev/mode: {mode}}}, "
        )
        assert read(annotated).is_audited == is_audited
        assert not read(text).is_audited

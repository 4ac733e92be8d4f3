"""Members of one workload whose named ports differ stop the build, if it matters."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from generator.errors import InternalError, OverlayError
from generator.overlay.build import build_overlay
from generator.policy.model import (
    Action,
    BlockPeer,
    ContainerPort,
    Direction,
    LabelSelector,
    Member,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Tier,
)
from tests.overlay.shapes import (
    member,
    model,
    pods,
    policy,
    ports,
    rule,
    selector,
    span,
)

ONE = member("one", {"app": "web", "id": "1"}, declared=ports(http=8080), line=1)
TWO = member("two", {"app": "web", "id": "2"}, declared=ports(http=9090), line=2)
BARE = member("bare", {"app": "web"}, line=3)


def ingress(protocol: Protocol = Protocol.TCP) -> PolicyRule:
    return rule(Direction.INGRESS, named="http", protocol=protocol)


def egress(*peers: PodPeer | BlockPeer) -> PolicyRule:
    return rule(Direction.EGRESS, named="http", peers=peers or None)


# A rule that names the port and selects the workload at the end where the port is.
SEEING = [
    policy("p", selector(app="web"), rules=(ingress(),)),
    policy("p", rules=(ingress(),)),
    policy("p", selector(app="db"), rules=(egress(),)),
    policy("p", namespace="pay", rules=(egress(),)),
    policy("p", rules=(egress(pods(app="web")),)),
    policy(
        "p",
        namespace="pay",
        rules=(egress(PodPeer(selector(app="web"), selector(team="a"))),),
    ),
    policy("p", namespace="pay", rules=(egress(PodPeer(None, LabelSelector())),)),
]

# A rule that names it elsewhere, or another port, or in a list that does not count.
NOT_SEEING = [
    policy("p", selector(app="db"), rules=(ingress(),)),
    policy("p", namespace="pay", rules=(ingress(),)),
    policy("p", rules=(egress(pods(app="db")),)),
    policy("p", namespace="pay", rules=(egress(pods(app="web")),)),
    policy(
        "p",
        namespace="pay",
        rules=(egress(PodPeer(selector(app="web"), selector(team="b"))),),
    ),
    policy("p", rules=(egress(BlockPeer(ip_network("10.0.0.0/8"))),)),
    policy("p", rules=(rule(Direction.INGRESS, named="metrics"),)),
    policy("p", rules=(ingress(Protocol.UDP),)),
    policy("p", rules=(ingress(),), isolates=[Direction.EGRESS]),
]
# Cluster-wide policies isolate nobody, and name a port of any protocol.
ANY_PROTOCOL = PortMatch(None, "http", span=span(50))


def cluster_wide(subject: PodPeer, rule_: PolicyRule) -> Policy:
    named = replace(rule_, ports=(ANY_PROTOCOL,), action=Action.DENY)
    kind, tier = "ClusterNetworkPolicy", Tier.ADMIN
    return Policy(kind, "", "c", tier, 1, subject, frozenset(), (named,), span(48))


EVERY_POD = PodPeer(None, LabelSelector())
SEEING += [
    cluster_wide(EVERY_POD, ingress()),
    cluster_wide(PodPeer(selector(app="web"), selector(team="a")), ingress()),
    cluster_wide(EVERY_POD, egress(PodPeer(None, selector(team="a")))),
]
NOT_SEEING += [
    cluster_wide(PodPeer(None, selector(team="b")), ingress()),
    cluster_wide(EVERY_POD, egress(PodPeer(selector(app="db"), LabelSelector()))),
    cluster_wide(EVERY_POD, egress(BlockPeer(ip_network("10.0.0.0/8")))),
]
KEYS = policy("keys", selector(app=None), namespace="other")
TEAMS = {"shop": {"team": "a"}}


# No label tells these from ONE: the labels are equal, or one has none, or only a
# controller's own label differs, which changes with every roll-out.
EQUAL = member("two", ONE.labels, declared=ports(http=9090), line=2)
ROLLED = [
    member(name, {"app": "web", "pod-template-hash": name}, declared=declared, line=1)
    for name, declared in (("one", ports(http=8080)), ("two", ports(http=9090)))
]


@pytest.mark.parametrize("seeing", SEEING)
def test_a_label_tells_members_apart(seeing: Policy) -> None:
    """The label becomes part of identities, in the filter too."""
    found = model(ONE, TWO, seeing, KEYS, namespaces=TEAMS)
    overlay, _, _ = build_overlay(found, None, name="x")
    assert len(overlay.workloads) == 2
    assert overlay.label_keys == ("app", "id")


def test_a_label_of_a_controller_tells_nothing() -> None:
    with pytest.raises(OverlayError, match="OVL0001"):
        build_overlay(model(*ROLLED, SEEING[0]), None, name="x")


@pytest.mark.parametrize("other", [EQUAL, BARE], ids=["differs", "missing"])
@pytest.mark.parametrize("seeing", SEEING)
def test_a_port_name_that_a_policy_sees_must_agree(
    seeing: Policy, other: Member
) -> None:
    with pytest.raises(OverlayError, match="OVL0001") as caught:
        build_overlay(model(ONE, other, seeing, KEYS, namespaces=TEAMS), None, name="x")
    (problem,) = caught.value.diagnostics
    assert {"8080"} <= set(problem.message.replace(",", "").split())
    assert len(problem.notes) == 2
    assert str(problem.notes[1].span) == "shop.yaml:51:1"


@pytest.mark.parametrize("policy_", NOT_SEEING)
def test_a_port_name_that_no_policy_sees_may_differ(policy_: Policy) -> None:
    found = model(ONE, TWO, policy_, KEYS, namespaces=TEAMS)
    overlay, _, _ = build_overlay(found, None, name="x")
    assert len(overlay.workloads) == 1


@pytest.mark.parametrize(
    "two",
    [
        member("two", {"app": "web"}, account="robot", declared=ports(http=9090)),
        member("two", {"app": "other"}, declared=ports(http=9090)),
        member("two", {"app": "web"}, declared=ports(http=8080)),
    ],
)
def test_the_hint_helps(two: Member) -> None:
    build_overlay(model(ONE, two, SEEING[0]), None, name="x")


def test_a_workload_answers_for_its_named_ports() -> None:
    declared = (
        ContainerPort("http", 9090, Protocol.TCP),
        ContainerPort("http", 8080, Protocol.TCP),
        ContainerPort("http", 53, Protocol.UDP),
    )
    found = model(member("web", declared=declared))
    (workload,) = build_overlay(found, None, name="x")[0].workloads
    assert workload.port_numbers("http", Protocol.TCP) == (8080, 9090)
    assert workload.port_numbers("http", Protocol.UDP) == (53,)
    assert workload.port_numbers("admin", Protocol.TCP) == ()


def test_a_workload_does_not_guess() -> None:
    (workload,) = build_overlay(model(ONE, TWO), None, name="x")[0].workloads
    with pytest.raises(InternalError, match="please report"):
        workload.port_numbers("http", Protocol.TCP)

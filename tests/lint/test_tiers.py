"""What lint says about rules is what the oracle says about every flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from itertools import product

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from generator.lint import tiers
from generator.lint.ground import Ground
from generator.lint.groups import Row, RuleId
from generator.policy.model import (
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    IPAddress,
    Model,
    NodePeer,
    OverlayPeer,
    Policy,
    PolicyRule,
    Protocol,
)
from generator.policy.oracle import End, OracleDecision, decide, endpoints
from generator.policy.request import HttpRequest
from tests.support import meshes
from tests.support.http_strategies import requests
from tests.support.loading import model_of
from tests.support.strategies import EVERY_KIND, models

Flow = tuple[End, End, Protocol, int]


def every_flow(model: Model) -> Iterator[Flow]:
    """All flows between which answers can change, with one address of each stretch."""
    members: list[End] = [e for member in model.members for e in endpoints(member)]
    outside = [*_outside(model)]
    ports = _ports(model)
    pairs = [*product(members, [*members, *outside]), *product(outside, members)]
    for source, destination in pairs:
        for protocol, port in product(Protocol, ports):
            yield source, destination, protocol, port


def _outside(model: Model) -> Iterator[IPAddress]:
    networks = [
        network
        for policy in model.policies
        for rule in policy.rules
        for peer in rule.peers or ()
        if isinstance(peer, BlockPeer)
        for network in (peer.cidr, *peer.excepts)
    ]
    found = {ip_address("203.0.113.9"), ip_address("2001:db8:9::9")}
    for network in networks:
        found.add(network.network_address)
        if int(network.broadcast_address) + 1 < 1 << network.max_prefixlen:
            found.add(network.broadcast_address + 1)
    mine = {address for member in model.members for address in member.addresses}
    yield from sorted(found - mine, key=lambda a: (a.version, int(a)))


def _ports(model: Model) -> list[int]:
    found = {1, 65535}
    for policy in model.policies:
        for rule in policy.rules:
            for port in rule.ports or ():
                if port.first is not None and port.last is not None:
                    found |= {port.first, min(port.last + 1, 65535)}
    found |= {port.number for member in model.members for port in member.ports}
    return sorted(found)


def without(model: Model, dead: set[RuleId], ground: Ground) -> Model:
    """Take rules away; policies stay, and so does what they isolate."""
    policies = []
    for place, policy in enumerate(ground.policies):
        kept = tuple(
            rule
            for rule in policy.rules
            if (place, rule.direction, rule.number) not in dead
        )
        policies.append(replace(policy, rules=kept))
    return replace(model, policies=tuple(policies))


def verdicts(
    model: Model, flows: list[Flow], asked: list[HttpRequest | None]
) -> Iterator[tuple[Flow, OracleDecision]]:
    for flow in flows:
        for request in asked:
            if request is None or flow[2] is Protocol.TCP:
                yield flow, decide(model, *flow, request=request)


small = models(max_members=3, max_policies=4, kinds=EVERY_KIND, audited=True)
some_requests = st.lists(st.none() | requests(), min_size=1, max_size=2)


@given(small, some_requests)
def test_rules_that_never_decide_can_go(
    model: Model, asked: list[HttpRequest | None]
) -> None:
    ground = Ground(model)
    dead = {number for number, fate in ground.fates.items() if not fate.decides}
    event(f"dead rules: {bool(dead)}")
    if dead:
        compare(model, without(model, dead, ground), asked)


@given(small, some_requests)
def test_redundant_rules_can_go(model: Model, asked: list[HttpRequest | None]) -> None:
    ground = Ground(model)
    redundant = set(ground.redundant)
    event(f"redundant rules: {bool(redundant)}")
    if redundant:
        compare(model, without(model, redundant, ground), asked)


def compare(before: Model, after: Model, asked: list[HttpRequest | None]) -> None:
    flows = list(every_flow(before))
    first = verdicts(before, flows, asked)
    for (flow, one), (_, other) in zip(
        first, verdicts(after, flows, asked), strict=True
    ):
        assert one.allowed == other.allowed, flow


@given(models(max_members=3, max_policies=3, kinds=EVERY_KIND))
def test_all_other_rules_do_decide(model: Model) -> None:
    """Where everything is certain, a rule that lint keeps is the one that decides."""
    # Without addresses no flow is one of an endpoint to itself, which is not judged.
    members = tuple(replace(member, addresses=()) for member in model.members)
    model = replace(model, members=members)
    ground = Ground(model)
    alive = {
        number
        for number, policy, rule in ground.rules()
        if number in ground.fates
        and ground.fates[number].decides
        and ground.fates[number].decides_in_tier
        and _is_certain(rule)
    }
    deciding = set()
    for _, decision in verdicts(model, list(every_flow(model)), [None]):
        for verdict in (decision.egress, decision.ingress):
            pairs = list(verdict.allowing)
            if verdict.policy is not None and verdict.rule is not None:
                pairs.append((verdict.policy, verdict.rule))
            deciding |= {_id(*pair, verdict.direction, ground) for pair in pairs}
    event(f"living rules: {bool(alive)}")
    assert alive <= deciding


def _is_certain(rule: PolicyRule) -> bool:
    """Tell whether the oracle can see everything that a rule matches."""
    unsure: tuple[type, ...] = (BlockPeer, DomainPeer, OverlayPeer)
    if rule.action is Action.ACCEPT:
        unsure = (*unsure, NodePeer)
    has_unsure = any(isinstance(peer, unsure) for peer in rule.peers or ())
    return rule.action is not Action.PASS and rule.http is None and not has_unsure


def _id(
    policy: Policy, rule: PolicyRule, direction: Direction, ground: Ground
) -> RuleId:
    return ground.policies.index(policy), direction, rule.number


ADMIN = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: admin}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress:
  - {action: Accept, from: [{namespaces: {}}]}
---
"""


@pytest.mark.parametrize("workloads", [2, 20])
def test_rules_that_subjects_have_in_common_are_walked_once(
    workloads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked: list[RuleId] = []
    take = tiers._Taken.take

    def counting(taken: tiers._Taken, row: Row, bits: int) -> None:
        walked.append(row.id)
        take(taken, row, bits)

    monkeypatch.setattr(tiers._Taken, "take", counting)
    names = [f"w{number}" for number in range(workloads)]
    own = "{podSelector: {matchLabels: {app: %s}}, ingress: [{ports: [{port: 80}]}]}"
    text = ADMIN + "".join(
        meshes.pod(name, labels=f"{{app: {name}}}") + meshes.policy(name, own % name)
        for name in names
    )
    ground = Ground(model_of(text))
    assert len(ground.groups) == workloads
    assert len(ground.fates) == 1 + workloads
    # The rule of the Admin tier: once within it, and once from the tiers after it.
    assert walked == [(0, Direction.INGRESS, 0)] * 2

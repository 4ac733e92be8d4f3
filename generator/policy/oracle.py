"""The slow, obvious evaluator: what the policies of a model say about one flow.

The reference for tests. It reads the model and nothing else: it shares no code with
the rule table, the compiler or the filter, not even the evaluation of selectors, since
a shared mistake would agree with itself. Written to be compared with the API's text,
sentence by sentence; nothing is cached.

    Admin tier -> normal tier, if it isolates -> Baseline tier -> allowed

The normal tier has NetworkPolicies and the OverlayPolicies of that tier; an
OverlayPolicy of another tier takes its place by priority among the cluster-wide kinds.

Decisions of ours where the API leaves a choice (DESIGN.md has the reasons):
- ipBlock matches a member by the underlay address that the flow has, if it is known;
- a flow from an endpoint to itself is always allowed; two endpoints of one member, or
  endpoints of unknown address, are not known to be the same and are judged;
- a pod on the host network is judged by its address only (`HostNetwork.BY_ADDRESS`);
- policies of one tier and priority go by namespace, name and kind;
- who matches an overlay CIDR is not known if an endpoint's overlay address is not. As
  with nodes, Accept then does not match; Deny does, and Pass does and is a Deny, since
  leaving the tier might skip a Deny, and staying might find an Accept.
"""

from __future__ import annotations

from generator.policy.model import Action, Direction, Model, PolicyRule, Protocol, Tier
from generator.policy.oracle_flow import (
    DirectionVerdict,
    End,
    Endpoint,
    HostNetwork,
    OracleDecision,
    endpoints,
)
from generator.policy.oracle_http import Holds
from generator.policy.oracle_rules import Question
from generator.policy.request import HttpRequest

__all__ = [
    "DirectionVerdict",
    "End",
    "Endpoint",
    "HostNetwork",
    "OracleDecision",
    "decide",
    "endpoints",
]


def decide(
    model: Model,
    source: End,
    destination: End,
    protocol: Protocol,
    port: int,
    *,
    host_network: HostNetwork = HostNetwork.BY_ADDRESS,
    audit: bool = False,
    request: HttpRequest | None = None,
) -> OracleDecision:
    """Decide one flow to a port of the destination.

    `audit`: as if audited policies were enforced; otherwise they are not there.
    `request` None: the flow is not HTTP.
    """
    flow = source, destination, protocol, port
    asked = Question(model, *flow, host_network, audit, request)
    # "exception: a pod cannot block access to itself"
    if asked.is_self():
        ways = Direction.EGRESS, Direction.INGRESS
        return OracleDecision(*map(DirectionVerdict, ways))
    # Both are needed: egress at the source and ingress at the destination.
    return OracleDecision(
        _judge(asked, Direction.EGRESS, source, destination),
        _judge(asked, Direction.INGRESS, destination, source),
    )


def _judge(
    asked: Question, direction: Direction, subject: End, peer: End
) -> DirectionVerdict:
    """Judge one direction, tier by tier; the first that decides is final."""
    return (
        _judge_by_order(asked, Tier.ADMIN, direction, subject, peer)
        or _judge_by_union(asked, direction, subject, peer)
        or _judge_by_order(asked, Tier.BASELINE, direction, subject, peer)
        or DirectionVerdict(direction)
    )


def _judge_by_order(
    asked: Question, tier: Tier, direction: Direction, subject: End, peer: End
) -> DirectionVerdict | None:
    """Judge by the first rule that matches; None: the next tier decides.

    "policies with lower priority values have higher precedence", and the rules of
    one policy are tried in their order.
    """
    for policy in asked.policies_of(tier, subject):
        for rule in policy.rules:
            if rule.direction != direction:
                continue
            answer = asked.rule_holds(rule, policy, peer)
            if answer is Holds.NO:
                continue
            is_ambiguous = answer is Holds.AMBIGUOUS
            action = Action.DENY if is_ambiguous else _action(asked, rule, peer)
            # Accept and Deny are final; Pass skips the rest of the tier.
            if action is Action.PASS:
                return None
            is_allowed = action is Action.ACCEPT
            return DirectionVerdict(
                direction, is_allowed, tier, policy, rule, is_ambiguous=is_ambiguous
            )
    return None


def _action(asked: Question, rule: PolicyRule, peer: End) -> Action:
    """Return what a rule that matches does: an unsure Pass is a Deny.

    Leaving the tier might skip a Deny that comes later.
    """
    is_unsure = rule.action is Action.PASS and asked.is_unsure(rule, peer)
    return Action.DENY if is_unsure else rule.action


def _judge_by_union(
    asked: Question, direction: Direction, subject: End, peer: End
) -> DirectionVerdict | None:
    """Judge by the normal tier; None if nothing in it isolates the subject.

    "Traffic is allowed to a pod if there are no NetworkPolicies selecting the pod
    [...] OR if the traffic matches at least one ingress rule across all of the
    NetworkPolicy objects whose podSelector matches the pod." Egress likewise, and
    likewise OverlayPolicies. A request that is ambiguous for a rule is not allowed by
    that rule, and may be allowed by another.
    """
    selecting = asked.policies_of(Tier.NORMAL, subject)
    isolating = tuple(p for p in selecting if direction in p.isolates)
    if not isolating:
        return None
    answers = [
        (policy, rule, asked.rule_holds(rule, policy, peer))
        for policy in isolating
        for rule in policy.rules
        if rule.direction == direction
    ]
    allowing = tuple((p, rule) for p, rule, answer in answers if answer is Holds.YES)
    is_unclear = any(answer is Holds.AMBIGUOUS for _, _, answer in answers)
    policy, rule = allowing[0] if allowing else (isolating[0], None)
    return DirectionVerdict(
        direction,
        bool(allowing),
        Tier.NORMAL,
        policy,
        rule,
        isolating,
        allowing,
        is_ambiguous=is_unclear and not allowing,
    )

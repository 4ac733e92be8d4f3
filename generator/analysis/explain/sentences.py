"""Say in a sentence what one side of a flow decided.

NetworkPolicy shop/cart-in selects shop/cart, but no ingress rule selects shop/ads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from filters.decide import Verdict
from generator.analysis.explain.ambiguity import shown_path
from generator.analysis.explain.flow_ends import Asked
from generator.analysis.explain.near_misses import NearMiss
from generator.analysis.explain.tier_trace import Refusal, TraceStep
from generator.analysis.key_ranges import keys_text
from generator.policy.model import Direction
from generator.table.model import RuleTable, TableRule
from generator.table.ports import KeyRange, key_of

_VERBS: Final = {Direction.EGRESS: "sends", Direction.INGRESS: "receives"}


@dataclass(frozen=True, slots=True)
class Side:
    """One direction of a flow. `rule` is its name; None: no policy decided.

    `trace` is the way to the answer, and `near_misses` are of a denial. Both are empty
    if the manifests have other policies than the module: `is_traced` is then false.
    """

    direction: Direction
    verdict: Verdict
    rule: str | None
    file: str | None
    line: int | None
    text: str
    trace: Sequence[TraceStep] = ()
    near_misses: Sequence[NearMiss] = ()
    is_traced: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What the module decided for one direction: verdict, and the rule's id or None.

    `allowed` are the keys on which some flow is allowed. `refusal`: the request can be
    read in two ways, by that rule if it is known. The model knows whether policies
    that are asked in order speak about the subject, and whether a rule that might
    have allowed it `selects_peer`.
    """

    verdict: Verdict
    rule: int | None
    allowed: tuple[KeyRange, ...] = ()
    is_self: bool = False
    is_ambiguous: bool = False
    refusal: Refusal | None = None
    is_spoken_of: bool = False
    selects_peer: bool = False


def describe(table: RuleTable, asked: Asked, decision: Decision) -> Side:
    """Describe one side of a flow."""
    text = _sentence(table, asked, decision)
    direction, verdict = asked.direction, decision.verdict
    if decision.rule is None:
        return Side(direction, verdict, None, None, None, text)
    row = table.rules[decision.rule]
    file = table.policies[row.policy].file
    name = table.rule_name(decision.rule)
    return Side(direction, verdict, name, file, row.line, text)


def _sentence(table: RuleTable, asked: Asked, decision: Decision) -> str:
    subject, direction = asked.subject.title, asked.direction
    if decision.verdict is Verdict.NO_MATCH:
        verb = _VERBS[direction]
        return f"{subject} is outside the overlay, so nobody judges what it {verb}."
    if decision.is_self:
        return f"{subject} may always reach itself by its own address."
    if decision.rule is None and decision.verdict is Verdict.DENY:
        return f"{subject} is not a workload of this module."
    if decision.rule is None and decision.is_spoken_of:
        text = f"No policy isolates {subject} for {direction}, and no rule decides"
        return f"{text}, so it is allowed."
    if decision.rule is None:
        return f"No policy isolates {subject} for {direction}, so all is allowed."
    row = table.rules[decision.rule]
    head = f"{table.policy_title(row.policy)} selects {subject}"
    if decision.is_ambiguous:
        return f"{head}, and {_refusal_text(row, decision.refusal)}."
    peer, what = asked.peer.title, _asked_text(asked)
    if row.number is None and decision.verdict is Verdict.DENY:
        return f"{head}{_isolated_text(asked, decision)}."
    verb = "denies" if decision.verdict is Verdict.DENY else "allows"
    return f"{head}, and {direction}[{row.number}] {verb} {peer} {what}."


def _isolated_text(asked: Asked, decision: Decision) -> str:
    """Say what the rules of an isolated subject do allow to the peer."""
    direction, peer = asked.direction, asked.peer.title
    key = key_of(asked.protocol, asked.port)
    port = keys_text([(key, key)])
    if any(first <= key <= last for first, last in decision.allowed):
        but = "a flow that is not HTTP"
        if asked.request is not None:
            but = _request_text(asked)
        return (
            f"; {direction} rules allow {peer} some requests on {port}, but not {but}"
        )
    if decision.allowed:
        only = keys_text(decision.allowed)
        return f"; {direction} rules allow {peer} on {only}, but not on {port}"
    if decision.selects_peer:
        return f", but no {direction} rule allows {peer} on {port}"
    return f", but no {direction} rule selects {peer}"


def _refusal_text(row: TableRule, refusal: Refusal | None) -> str:
    if refusal is None:
        return "the request can be read in two ways"
    if row.number is not None:
        return f"{refusal.rule} refuses what is not clear: {refusal.why}"
    return f"{refusal.policy} {refusal.rule} does not accept it: {refusal.why}"


def _asked_text(asked: Asked) -> str:
    key = key_of(asked.protocol, asked.port)
    port = f"on {keys_text([(key, key)])}"
    return port if asked.request is None else f"{_request_text(asked)} {port}"


def _request_text(asked: Asked) -> str:
    assert asked.request is not None
    return f"{asked.request.method} {shown_path(asked.request.path)}"

"""Say in a sentence what one side of a flow decided.

NetworkPolicy shop/cart-in selects shop/cart, but no ingress rule selects shop/ads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from filters.decide import Verdict
from generator.analysis.key_ranges import keys_text
from generator.policy.model import Direction
from generator.table.model import RuleTable
from generator.table.ports import KeyRange

_VERBS: Final = {Direction.EGRESS: "sends", Direction.INGRESS: "receives"}


@dataclass(frozen=True, slots=True)
class Side:
    """One direction of a flow. `rule` is its name; None: no policy decided."""

    direction: Direction
    verdict: Verdict
    rule: str | None
    file: str | None
    line: int | None
    text: str


def describe(
    table: RuleTable,
    direction: Direction,
    parties: tuple[str, str],
    decision: tuple[Verdict, int | None],
    keys: tuple[int, tuple[KeyRange, ...]],
) -> Side:
    """Describe one side: parties are subject and peer, keys the asked and the allowed.

    The allowed keys are all that this side allows between the two.
    """
    verdict, rule = decision
    text = _sentence(table, direction, parties, decision, keys)
    if rule is None:
        return Side(direction, verdict, None, None, None, text)
    row = table.rules[rule]
    file = table.policies[row.policy].file
    return Side(direction, verdict, table.rule_name(rule), file, row.line, text)


def _sentence(
    table: RuleTable,
    direction: Direction,
    parties: tuple[str, str],
    decision: tuple[Verdict, int | None],
    keys: tuple[int, tuple[KeyRange, ...]],
) -> str:
    subject, peer = parties
    verdict, rule = decision
    key, allowed = keys
    asked = keys_text([(key, key)])
    if verdict is Verdict.NO_MATCH:
        return (
            f"{subject} is outside the overlay, so nobody judges what it "
            f"{_VERBS[direction]}."
        )
    if rule is None and verdict is Verdict.DENY:
        return f"{subject} is not a workload of this module."
    if rule is None:
        return f"No policy isolates {subject} for {direction}, so all is allowed."
    row = table.rules[rule]
    head = f"{table.policy_title(row.policy)} selects {subject}"
    if row.number is not None and verdict is Verdict.DENY:
        return f"{head}, and {direction}[{row.number}] denies {peer} on {asked}."
    if verdict is Verdict.ALLOW:
        return f"{head}, and {direction}[{row.number}] allows {peer} on {asked}."
    if allowed:
        only = keys_text(allowed)
        return f"{head}; {direction} rules allow {peer} on {only}, but not on {asked}."
    return f"{head}, but no {direction} rule selects {peer}."

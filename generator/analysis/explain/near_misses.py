"""Rules that would have let a denied flow through, had one condition been met.

    NetworkPolicy shop/cart-in ingress[0]: port 8443 is not in 8000-8100

Where in the pipeline: `model + Asked + the rule that denied -> near misses`. Only rules
that could have changed the answer are looked at: Accepts in the order before the
denial, and a Pass in the denying tier. At most three are told, of those that failed by
the fewest conditions, and first those that failed closest to the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from generator.analysis.explain.conditions import is_unsure, rule_misses
from generator.analysis.explain.flow_ends import Asked
from generator.analysis.explain.misses import Field, Misses, closeness, weight_of
from generator.analysis.explain.policy_names import (
    policy_title,
    rule_name,
    rule_place,
    rule_title,
)
from generator.analysis.explain.speaking import Speaking, rules_of
from generator.policy.model import Action, Policy, PolicyRule, Tier
from generator.table.rules import closed

MOST: Final = 3
_MOST_CONDITIONS: Final = 2
"""A rule that fails by more is another rule, not a miss."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that did not match, by its name for people and for programs."""

    title: str
    rule: str
    place: str
    misses: Misses

    @property
    def text(self) -> str:
        return f"{self.title}: {'; '.join(miss.text for miss in self.misses)}"

    @property
    def is_request_missing(self) -> bool:
        """Tell whether all that is missing is a request; a note says so already."""
        return all(miss.field is Field.REQUEST for miss in self.misses)


def find_near_misses(
    speaking: Speaking, asked: Asked, denied_by: str
) -> list[NearMiss]:
    """Return the nearest misses of a direction that the rule `denied_by` denied."""
    found: list[NearMiss] = []
    for policy, rule in _candidates(speaking, asked, denied_by):
        misses = rule_misses(asked, policy, rule)
        if 0 < weight_of(misses) <= _MOST_CONDITIONS and not is_unsure(misses):
            found.append(NearMiss(*_names(policy, rule), misses))
    found.sort(key=lambda near: closeness(near.misses))
    fewest = weight_of(found[0].misses) if found else 0
    return [near for near in found if weight_of(near.misses) == fewest][:MOST]


def _names(policy: Policy, rule: PolicyRule) -> tuple[str, str, str]:
    title = f"{policy_title(policy)} {rule_title(rule)}"
    return title, rule_name(policy, rule), rule_place(policy, rule)


def _candidates(
    speaking: Speaking, asked: Asked, denied_by: str
) -> Iterator[tuple[Policy, PolicyRule]]:
    """Yield the rules before a denial that would have ended otherwise, in order."""
    denying = _tier_of(speaking, asked, denied_by)
    for tier in Tier:
        for policy in speaking.policies(tier, asked):
            for rule in rules_of(policy, asked):
                if tier is denying and rule_name(policy, rule) == denied_by:
                    return
                action = closed(rule).action
                if action is Action.ACCEPT or (
                    action is Action.PASS and tier is denying
                ):
                    yield policy, rule
        if tier is denying:
            return


def _tier_of(speaking: Speaking, asked: Asked, denied_by: str) -> Tier:
    """Return the tier of the rule that denied; the normal one, if it is a default."""
    for tier in Tier:
        for policy in speaking.policies(tier, asked):
            for rule in rules_of(policy, asked):
                if rule_name(policy, rule) == denied_by:
                    return tier
    return Tier.NORMAL


def selects_peer(speaking: Speaking, asked: Asked) -> bool:
    """Tell whether a rule of the normal tier selects the peer, on whatever ports."""
    return any(
        not rule_misses(asked, policy, replace(rule, ports=None, http=None, via=()))
        for policy in speaking.policies(Tier.NORMAL, asked)
        for rule in rules_of(policy, asked)
    )

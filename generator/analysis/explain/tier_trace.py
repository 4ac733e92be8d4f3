"""Walk the tiers as the API tells it, and say what each policy adds to an answer.

    Admin    ClusterNetworkPolicy guard: none of its 2 ingress rules matches
    Normal   NetworkPolicy shop/cart-in: isolates shop/cart; ingress[0] accepts
    Default  nothing else decides

The verdict is the module's. The walk reads the model, so that it can also name those
who did not decide; who shows it compares its end with the module's answer first, and
shows nothing that disagrees (`ends_like`). Audited policies are not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from generator.analysis.explain.conditions import is_unsure, matches, rule_misses
from generator.analysis.explain.flow_ends import Asked
from generator.analysis.explain.misses import Misses
from generator.analysis.explain.policy_names import (
    default_name,
    policy_place,
    policy_title,
    rule_name,
    rule_place,
    rule_title,
)
from generator.analysis.explain.speaking import Speaking, rules_of
from generator.policy.model import Action, Policy, PolicyRule, Tier
from generator.table.rules import closed

TIER_NAMES: Final = {tier: tier.name.capitalize() for tier in Tier}
DEFAULT: Final = "Default"
_VERBS: Final = {
    Action.ACCEPT: "accepts",
    Action.DENY: "denies",
    Action.PASS: "passes, which leaves the tier",
}


class Effect(StrEnum):
    """What a step does. NO_MATCH: no rule of a policy matches; ISOLATE: likewise, and
    the policy isolates; AMBIGUOUS: a rule refuses what can be read in two ways; NONE:
    nothing in a tier speaks about the subject."""

    ACCEPT = "Accept"
    DENY = "Deny"
    PASS = "Pass"
    AMBIGUOUS = "Ambiguous"
    NO_MATCH = "NoMatch"
    ISOLATE = "Isolate"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """What one policy adds, or a tier without any. `rule`: the one that matched."""

    tier: str
    effect: Effect
    text: str
    policy: str | None = None
    rule: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that refuses a request which can be read in two ways."""

    policy: str
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps of one direction, and where they end: a rule's name, or None.

    `refusal`: the rule that a request can be read to match, if that is why it ends so.
    """

    steps: tuple[TraceStep, ...]
    is_allowed: bool
    rule: str | None = None
    refusal: Refusal | None = None

    def ends_like(self, is_allowed: bool, rule: str | None) -> bool:
        """Tell whether the module came to the same end."""
        return (self.is_allowed, self.rule) == (is_allowed, rule)


Judged = tuple[PolicyRule, Misses]


def walk(speaking: Speaking, asked: Asked) -> Trace:
    """Walk all tiers in their order, as far as they are asked."""
    steps: list[TraceStep] = []
    for tier in Tier:
        policies = speaking.policies(tier, asked)
        if tier is Tier.NORMAL:
            found = _union(policies, asked)
        else:
            found = _in_order(tier, policies, asked)
        steps += found.steps
        if found.rule is not None:
            return replace(found, steps=tuple(steps))
    text = "no policy decides, so it is allowed"
    steps.append(TraceStep(DEFAULT, Effect.ACCEPT, text))
    return Trace(tuple(steps), is_allowed=True)


def walk_to_itself() -> Trace:
    """A pod may always reach itself, so that no tier is asked."""
    text = "no policy is asked about a flow to itself"
    return Trace((TraceStep(DEFAULT, Effect.ACCEPT, text),), is_allowed=True)


def _judged(policy: Policy, asked: Asked) -> list[Judged]:
    return [(r, rule_misses(asked, policy, r)) for r in rules_of(policy, asked)]


# --- Admin and Baseline: the first rule that matches ---------------------------------


def _in_order(tier: Tier, policies: Sequence[Policy], asked: Asked) -> Trace:
    steps: list[TraceStep] = []
    for policy in policies:
        judged = _judged(policy, asked)
        step = _first_match(policy, judged, asked)
        steps.append(step)
        if step.effect is Effect.PASS:
            break
        if step.rule is not None:
            is_unclear = step.effect is Effect.AMBIGUOUS
            refusal = _refusal(policy, judged) if is_unclear else None
            is_allowed = step.effect is Effect.ACCEPT
            return Trace(tuple(steps), is_allowed, step.rule, refusal)
    return Trace(tuple(steps) or (_silent(tier, asked),), is_allowed=True)


def _first_match(policy: Policy, judged: list[Judged], asked: Asked) -> TraceStep:
    for rule, misses in judged:
        if matches(misses):
            action = closed(rule).action
            text = f"{rule_title(rule)} {_VERBS[action]}"
            return _step(policy, Effect(action.value), text, rule)
        if is_unsure(misses):
            text = f"{rule_title(rule)} refuses: {misses[0].text}"
            return _step(policy, Effect.AMBIGUOUS, text, rule)
    return _step(policy, Effect.NO_MATCH, _none_matches(judged, asked))


# --- Normal: isolation, and the union of what is accepted ----------------------------


def _union(policies: Sequence[Policy], asked: Asked) -> Trace:
    if not policies:
        return Trace((_silent(Tier.NORMAL, asked),), is_allowed=True)
    judged = [(policy, _judged(policy, asked)) for policy in policies]
    steps = tuple(_isolating_step(policy, rules, asked) for policy, rules in judged)
    for step in steps:
        if step.effect is Effect.ACCEPT:
            return Trace(steps, is_allowed=True, rule=step.rule)
    refusals = (_refusal(policy, rules) for policy, rules in judged)
    refusal = next((one for one in refusals if one is not None), None)
    # A policy without rules is there to deny, so it is named first, as in the table.
    named = min(policies, key=lambda policy: bool(rules_of(policy, asked)))
    return Trace(steps, False, default_name(named, asked.direction), refusal)


def _isolating_step(policy: Policy, judged: list[Judged], asked: Asked) -> TraceStep:
    head = f"isolates {asked.subject.title}"
    for rule, misses in judged:
        if matches(misses):
            text = f"{head}; {rule_title(rule)} accepts"
            return _step(policy, Effect.ACCEPT, text, rule)
    for rule, misses in judged:
        if is_unsure(misses):
            text = f"{head}; {rule_title(rule)} does not accept: {misses[0].text}"
            return _step(policy, Effect.AMBIGUOUS, text, rule)
    text = f"{head}; {_none_matches(judged, asked)}"
    return _step(policy, Effect.ISOLATE, text)


def _refusal(policy: Policy, judged: list[Judged]) -> Refusal | None:
    for rule, misses in judged:
        if is_unsure(misses):
            return Refusal(policy_title(policy), rule_title(rule), misses[0].text)
    return None


# --- steps ----------------------------------------------------------------------------


def _step(
    policy: Policy, effect: Effect, text: str, rule: PolicyRule | None = None
) -> TraceStep:
    tier, title = TIER_NAMES[policy.tier], policy_title(policy)
    if rule is None:
        return TraceStep(tier, effect, text, title, None, policy_place(policy))
    name, place = rule_name(policy, rule), rule_place(policy, rule)
    return TraceStep(tier, effect, text, title, name, place)


def _none_matches(judged: list[Judged], asked: Asked) -> str:
    if not judged:
        return f"it has no {asked.direction} rules"
    if len(judged) == 1:
        return f"its {asked.direction} rule does not match"
    return f"none of its {len(judged)} {asked.direction} rules matches"


def _silent(tier: Tier, asked: Asked) -> TraceStep:
    what = "isolates" if tier is Tier.NORMAL else "speaks about"
    text = f"no policy {what} {asked.subject.title} for {asked.direction}"
    return TraceStep(TIER_NAMES[tier], Effect.NONE, text)

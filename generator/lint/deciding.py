"""Checks: rules that decide nothing, since others come first or say the same.

Exact for the workloads in the manifests: see `tiers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generator.errors import Diagnostic, Note
from generator.lint.ground import Ground, policy_title, rule_title
from generator.lint.groups import RuleId
from generator.lint.tiers import Fate
from generator.policy.model import Policy, PolicyRule, Tier

_NAMED = 3


def check_deciding(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0010, LNT0011, LNT0012: rules that are never the ones that decide."""
    for number, policy, rule in ground.rules():
        fate = ground.fates.get(number)
        if fate is not None and fate.matches and not fate.decides:
            yield _diagnose(number, policy, rule, fate, ground)


def _diagnose(
    number: RuleId, policy: Policy, rule: PolicyRule, fate: Fate, ground: Ground
) -> Diagnostic:
    title = rule_title(policy, rule)
    notes = tuple(_notes(number, fate, ground))
    if not fate.decides_in_tier:
        message = (
            f"{title} can never decide: earlier rules of the "
            f"{policy.tier.name.capitalize()} tier match all that it matches"
        )
        return Diagnostic("LNT0010", message, rule.span, notes=notes)
    if policy.tier is Tier.NORMAL and fate.is_denied:
        message = f"{title} allows nothing: the Admin tier denies all that it accepts"
        return Diagnostic("LNT0011", message, rule.span, notes=notes)
    message = f"{title} is never reached: an earlier tier decides all that it matches"
    return Diagnostic("LNT0012", message, rule.span, notes=notes)


def _notes(number: RuleId, fate: Fate, ground: Ground) -> Iterator[Note]:
    mine = ground.policies[number[0]].tier
    earlier = sorted(fate.earlier)
    if not fate.decides_in_tier:
        earlier = [e for e in earlier if ground.policies[e[0]].tier is mine]
    yield from rule_notes(earlier, "decides before it", ground)
    isolating = sorted(fate.isolating)
    for place in isolating[:_NAMED]:
        policy = ground.policies[place]
        yield Note(f"{policy_title(policy)} isolates its workloads", policy.span)
    if len(isolating) > _NAMED:
        yield Note(f"and {len(isolating) - _NAMED} more policies isolate them")


def rule_notes(rules: Iterable[RuleId], what: str, ground: Ground) -> Iterator[Note]:
    """Name the first few of some rules."""
    found = sorted(rules)
    for number in found[:_NAMED]:
        policy, rule = ground.policy_and_rule(number)
        yield Note(f"{rule_title(policy, rule)} {what}", rule.span)
    if len(found) > _NAMED:
        yield Note(f"and {len(found) - _NAMED} more rules")


def check_redundant(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0013: a rule of the normal tier without which nothing would change."""
    for number, others in sorted(ground.redundant.items()):
        policy, rule = ground.policy_and_rule(number)
        message = (
            f"{rule_title(policy, rule)} is redundant: other rules accept all that it "
            "accepts"
        )
        notes = tuple(rule_notes(others, "accepts it too", ground))
        yield Diagnostic("LNT0013", message, rule.span, notes=notes)

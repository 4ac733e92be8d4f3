"""Say which rules look at requests, where a question is about a flow that is not HTTP.

    It is not HTTP, and some requests would be allowed: OverlayPolicy shop/cart-api
    ingress[0] allows GET /cart/{*}: add --method GET --path /cart/x

That some requests fare otherwise is the module's answer; which rules look at them is
read from the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from generator.analysis.explain.conditions import matches, rule_misses
from generator.analysis.explain.flow_ends import Asked
from generator.analysis.explain.policy_names import policy_title, rule_place, rule_title
from generator.analysis.explain.speaking import Speaking, rules_of
from generator.analysis.request_text import example_options, requests_text
from generator.policy.model import Action, Policy, PolicyRule, Tier
from generator.table.rules import closed

_MOST: Final = 3
_VERBS: Final = {Action.ACCEPT: "allows", Action.DENY: "denies", Action.PASS: "passes"}


@dataclass(frozen=True, slots=True)
class OverHttp:
    """What the same flow would be over HTTP: is some, is every request allowed?"""

    some: bool
    every: bool


def request_notes(
    speaking: Speaking, sides: Iterable[Asked], over_http: OverHttp, *, is_allowed: bool
) -> list[str]:
    """Return notes if requests fare otherwise than the flow, which is not HTTP."""
    if is_allowed:
        is_same, actions = over_http.every, {Action.DENY, Action.PASS}
        head = "It is not HTTP, and some requests would be denied"
    else:
        is_same, actions = not over_http.some, {Action.ACCEPT, Action.PASS}
        head = "It is not HTTP, and some requests would be allowed"
    if is_same:
        return []
    found = dict.fromkeys(
        _rule_text(policy, rule)
        for asked in sides
        for policy, rule in _looking(speaking, asked)
        if closed(rule).action in actions
    )
    return [f"{head}: {text}" for text in [*found][:_MOST]] or [f"{head}."]


def _looking(speaking: Speaking, asked: Asked) -> Iterator[tuple[Policy, PolicyRule]]:
    """Yield the rules that match a flow but for the request that it does not have."""
    for tier in Tier:
        for policy in speaking.policies(tier, asked):
            for rule in rules_of(policy, asked):
                bare = replace(rule, http=None)
                if rule.http and matches(rule_misses(asked, policy, bare)):
                    yield policy, rule


def _rule_text(policy: Policy, rule: PolicyRule) -> str:
    assert rule.http
    verb = _VERBS[closed(rule).action]
    entry = rule.http[0]
    return (
        f"{policy_title(policy)} {rule_title(rule)} {verb} {requests_text(entry)} "
        f"({rule_place(policy, rule)}): add {example_options(entry)}"
    )

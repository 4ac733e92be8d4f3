"""Check: what a policy denies, and no proxy will."""

from __future__ import annotations

from collections.abc import Iterator

from generator.enforcement.model import Status
from generator.enforcement.report import enforcement
from generator.errors import Diagnostic
from generator.lint.ground import Ground, rule_title
from generator.policy.model import Action


def check_denials(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0042: a Deny that cannot be enforced opens what people think is closed."""
    for row in enforcement(ground):
        rule = row.rule
        if rule is None or rule.action is not Action.DENY:
            continue
        if row.status is Status.IMPOSSIBLE:
            why = next(r.text for r in row.reasons if r.status is Status.IMPOSSIBLE)
            message = f"{rule_title(row.policy, rule)} cannot be enforced: {why}"
            yield Diagnostic("LNT0042", message, rule.span)

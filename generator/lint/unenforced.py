"""Check: what a policy denies, and no proxy will."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generator.enforcement.model import Row, Status
from generator.errors import Diagnostic
from generator.lint.ground import rule_title
from generator.policy.model import Action


def check_denials(rows: Iterable[Row]) -> Iterator[Diagnostic]:
    """LNT0042: a Deny that cannot be enforced opens what people think is closed."""
    for row in rows:
        rule = row.rule
        if rule is None or rule.action is not Action.DENY:
            continue
        if row.status is Status.IMPOSSIBLE:
            why = next(r.text for r in row.reasons if r.status is Status.IMPOSSIBLE)
            message = f"{rule_title(row.policy, rule)} cannot be enforced: {why}"
            yield Diagnostic("LNT0042", message, rule.span)

"""Rules of the normal tier whose flows other rules accept as well.

Of two rules that accept the same, the later one is redundant, not both: so each is
taken away, from the last, if what is left accepts all of it at every subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from generator.lint.groups import Group, Row, RuleId, by_keys
from generator.lint.tiers import Fate
from generator.policy.model import Tier


def find_redundant(
    groups: Sequence[Group], fates: Mapping[RuleId, Fate]
) -> dict[RuleId, set[RuleId]]:
    """Return redundant rules, each with the rules that accept its flows."""
    candidates = {
        number for number, fate in fates.items() if fate.matches and not fate.grants
    }
    subjects: dict[RuleId, list[tuple[Row, tuple[Row, ...]]]] = {}
    for group in groups:
        rows = group.tier(Tier.NORMAL)
        for row in rows:
            if row.id in candidates:
                subjects.setdefault(row.id, []).append((row, rows))
    found: dict[RuleId, set[RuleId]] = {}
    for number in sorted(subjects, reverse=True):
        others: set[RuleId] = set()
        for row, rows in subjects[number]:
            rest = [r for r in rows if r.id not in found and r is not row]
            accepting = _accepting(row, rest)
            if accepting is None:
                break
            others |= accepting
        else:
            found[number] = others
    return found


def _accepting(row: Row, rest: Iterable[Row]) -> set[RuleId] | None:
    """Return the rules that accept all that a rule does; None if something is left."""
    used: set[RuleId] = set()
    for stretch in by_keys([row, *(other for other in rest if other.is_plain)]):
        own, *others = stretch.rules
        if own.row is not row:
            continue
        left = own.perhaps
        for other in others:
            used |= {other.row.id} if left & other.certain else set()
            left &= ~other.certain
        if left:
            return None
    return used

"""Which rules can still decide something: the exact answer, over all workloads here.

For every distinct set of policies over a subject, the tiers are walked as a request
walks them, with all peers and all ports at once. What is left out errs towards "can
decide": audited policies cover nothing; what a rule matches only perhaps is not
covered; a rule with `http` covers rules with the same or fewer entries only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from generator.lint.groups import Group, Here, Row, RuleId, Stretch, by_keys
from generator.lint.index import Bits
from generator.policy.model import Action, Tier
from generator.table.ports import EVERY_KEY


@dataclass(slots=True)
class Fate:
    """What became of one rule, over all its subjects.

    `matches`: it matches something. `decides_in_tier`: no earlier rule of its tier has
    all of it. `decides`: nor has any earlier tier. `grants`: (normal tier) some of it
    is accepted by no other rule. `is_denied`: all of it was denied by an earlier tier.
    `earlier` are the rules, and `isolating` the policies, that have something of it.
    """

    matches: bool = False
    decides_in_tier: bool = False
    decides: bool = False
    grants: bool = False
    is_denied: bool = True
    earlier: set[RuleId] = field(default_factory=set)
    isolating: set[int] = field(default_factory=set)


def find_fates(groups: Sequence[Group]) -> dict[RuleId, Fate]:
    """Return the fate of every rule that has a subject."""
    fates = {row.id: Fate() for group in groups for row in group.rows}
    walk = _Walk(fates)
    for group in groups:
        walk.take(group)
    dead = {number for number, fate in fates.items() if not fate.decides}
    walk = _Walk(fates, dead)
    for group in groups:
        if any(row.id in dead for row in group.rows):
            walk.take(group)
    return fates


@dataclass
class _Taken:
    """What rules before have taken. Most take whole flows: one number says it."""

    whole: Bits = 0
    by_request: list[tuple[Row, Bits]] = field(default_factory=list)
    rows: list[tuple[Row, Bits]] = field(default_factory=list)

    def take(self, row: Row, bits: Bits) -> None:
        if row.is_plain:
            self.whole |= bits
        elif not row.policy.is_audited:
            self.by_request.append((row, bits))
        self.rows.append((row, bits))

    def left(self, row: Row, bits: Bits) -> Bits:
        """Return what of a rule's atoms no rule before has completely."""
        bits &= ~self.whole
        for other, has in self.by_request:
            if bits & has and other.covers(row):
                bits &= ~has
        return bits

    def rules_in(self, here: Here) -> set[RuleId]:
        """Return the rules that have something of what a rule matches."""
        return {
            other.id
            for other, has in self.rows
            if here.perhaps & has and other.covers(here.row)
        }


@dataclass(frozen=True, slots=True)
class _Decided:
    """What the Admin tier has decided on some keys, and what of it denies."""

    first: int
    last: int
    final: _Taken = field(default_factory=_Taken)
    denied: _Taken = field(default_factory=_Taken)


_NOTHING: Final = _Decided(*EVERY_KEY)
"""No rule of the Admin tier matches anything there."""

_Rows = tuple[int, ...]
"""Identities of rows."""


@dataclass
class _Walk:
    """Takes groups through the tiers, key range by key range.

    Most subjects have the rules of the Admin and Baseline tiers in common, so each
    distinct list of them is walked once. `explained` are the rules of which to say who
    was earlier.
    """

    fates: dict[RuleId, Fate]
    explained: set[RuleId] = field(default_factory=set)
    _admin: dict[_Rows, list[_Decided]] = field(default_factory=dict)
    _baseline: set[tuple[_Rows, _Rows, tuple[int, ...]]] = field(default_factory=set)

    def take(self, group: Group) -> None:
        """Note what becomes of the rules at the subjects of a group."""
        admin, normal, baseline = (group.tier(tier) for tier in Tier)
        decided = self._admin_tier(admin)
        for stretch in by_keys(normal):
            for before in _on(decided, stretch):
                self._normal(stretch.rules, before)
        key = _key(admin), _key(baseline), group.isolating
        if baseline and key not in self._baseline:
            self._baseline.add(key)
            for stretch in by_keys(baseline):
                for before in _on(decided, stretch):
                    self._ordered(stretch.rules, before.final, group.isolating)

    def _admin_tier(self, rows: Sequence[Row]) -> list[_Decided]:
        """Walk the first tier; return what it decides, by ascending keys."""
        key = _key(rows)
        if key not in self._admin:
            self._admin[key] = []
            for stretch in by_keys(rows):
                found = _Decided(stretch.first, stretch.last)
                _add(self._ordered(stretch.rules, _Taken()), found)
                self._admin[key].append(found)
        return self._admin[key]

    def _ordered(
        self, rows: Sequence[Here], final: _Taken, isolating: Sequence[int] = ()
    ) -> list[tuple[Here, Bits]]:
        """Rules in their order; return what each decides for certain.

        `isolating` are policies of the normal tier that leave nothing to this one.
        """
        gone = _Taken()
        decided: list[tuple[Here, Bits]] = []
        passed = 0
        for here in rows:
            row, fate = here.row, self.fates[here.row.id]
            fate.matches = True
            left = gone.left(row, here.perhaps)
            fate.decides_in_tier |= bool(left)
            fate.isolating.update(isolating)
            if not isolating:
                fate.decides |= bool(final.left(row, left))
            self._explain(here, gone, final)
            if row.rule.action is Action.PASS:
                passed |= here.perhaps | here.certain
            else:
                decided.append((here, gone.left(row, here.certain) & ~passed))
            gone.take(row, here.certain)
        return decided

    def _normal(self, rows: Sequence[Here], before: _Decided) -> None:
        """Rules add up; what the Admin tier decided is not theirs any more."""
        once, twice = _counts(rows)
        for here in rows:
            row, fate = here.row, self.fates[here.row.id]
            fate.matches = fate.decides_in_tier = True
            fate.decides |= bool(before.final.left(row, here.perhaps))
            fate.is_denied &= not before.denied.left(row, here.perhaps)
            self._explain(here, before.final)
            own = here.certain & here.perhaps if row.is_plain else 0
            fate.grants |= bool(own & ~twice) or bool(here.perhaps & ~own & ~once)

    def _explain(self, here: Here, *earlier: _Taken) -> None:
        if here.row.id in self.explained:
            for taken in earlier:
                self.fates[here.row.id].earlier |= taken.rules_in(here)


def _key(rows: Sequence[Row]) -> _Rows:
    """What makes two lists of rules one: groups share rows that are the same."""
    return tuple(map(id, rows))


def _on(decided: Sequence[_Decided], stretch: Stretch) -> Iterator[_Decided]:
    """Yield what was decided on the keys of a stretch, _NOTHING where nothing was."""
    covered = stretch.first
    start = bisect_left(decided, stretch.first, key=lambda each: each.last)
    for each in islice(decided, start, None):
        if each.first > stretch.last:
            break
        if each.first > covered:
            yield _NOTHING
        yield each
        covered = each.last + 1
    if covered <= stretch.last:
        yield _NOTHING


def _add(decided: Sequence[tuple[Here, Bits]], found: _Decided) -> None:
    """Keep what a tier decided, and what it denies whatever the request says."""
    accepted = 0
    for here, bits in decided:
        found.final.take(here.row, bits)
        if here.row.rule.action is Action.DENY:
            found.denied.take(here.row, bits & ~accepted)
        else:
            accepted |= here.perhaps | here.certain


def _counts(rows: Sequence[Here]) -> tuple[Bits, Bits]:
    """Return what one, and what two rules without `http` accept at least."""
    once = twice = 0
    for here in rows:
        if here.row.is_plain:
            twice |= once & here.certain
            once |= here.certain
    return once, twice

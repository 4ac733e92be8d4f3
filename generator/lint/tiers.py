"""Which rules can still decide something: the exact answer, over all workloads here.

For every distinct set of policies over a subject, the tiers are walked as a request
walks them, with all peers and all ports at once. What is left out errs towards "can
decide": audited policies cover nothing; what a rule matches only perhaps is not
covered; a rule with `http` covers rules with the same or fewer entries only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from generator.lint.groups import Group, Here, Row, RuleId, by_keys
from generator.lint.index import Bits
from generator.policy.model import Action, Tier


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
    fates: dict[RuleId, Fate] = {}
    for group in groups:
        _Walk(group, fates).run()
    dead = {number for number, fate in fates.items() if not fate.decides}
    for group in groups:
        if any(row.id in dead for row in group.rows):
            _Walk(group, fates, dead).run()
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


@dataclass
class _Walk:
    """One group on its way through the tiers, key range by key range.

    `explained` are the rules of which to say who was earlier.
    """

    group: Group
    fates: dict[RuleId, Fate]
    explained: set[RuleId] = field(default_factory=set)

    def run(self) -> None:
        for row in self.group.rows:
            self.fates.setdefault(row.id, Fate())
        for rows in by_keys(self.group.rows):
            self._at_key(rows)

    def _at_key(self, rows: Sequence[Here]) -> None:
        """Walk the tiers at one range of keys, on which all rules are constant."""
        final, denied = _Taken(), _Taken()
        for tier, found in groupby(rows, key=lambda here: here.row.policy.tier):
            if tier is Tier.NORMAL:
                self._normal(list(found), final, denied)
            else:
                decided = self._ordered(list(found), final)
                _add(decided, final, denied)

    def _ordered(self, rows: Sequence[Here], final: _Taken) -> list[tuple[Here, Bits]]:
        """Rules in their order; return what each decides for certain."""
        gone = _Taken()
        decided: list[tuple[Here, Bits]] = []
        passed = 0
        for here in rows:
            row, fate = here.row, self.fates[here.row.id]
            fate.matches = True
            left = gone.left(row, here.perhaps)
            fate.decides_in_tier |= bool(left)
            if row.policy.tier is Tier.BASELINE and self.group.isolating:
                fate.isolating.update(self.group.isolating)
            else:
                fate.decides |= bool(final.left(row, left))
            self._explain(here, gone, final)
            if row.rule.action is Action.PASS:
                passed |= here.perhaps | here.certain
            else:
                decided.append((here, gone.left(row, here.certain) & ~passed))
            gone.take(row, here.certain)
        return decided

    def _normal(self, rows: Sequence[Here], final: _Taken, denied: _Taken) -> None:
        """Rules add up; what the Admin tier decided is not theirs any more."""
        once, twice = _counts(rows)
        for here in rows:
            row, fate = here.row, self.fates[here.row.id]
            fate.matches = fate.decides_in_tier = True
            fate.decides |= bool(final.left(row, here.perhaps))
            fate.is_denied &= not denied.left(row, here.perhaps)
            self._explain(here, final)
            own = here.certain & here.perhaps if row.is_plain else 0
            fate.grants |= bool(own & ~twice) or bool(here.perhaps & ~own & ~once)

    def _explain(self, here: Here, *earlier: _Taken) -> None:
        if here.row.id in self.explained:
            for taken in earlier:
                self.fates[here.row.id].earlier |= taken.rules_in(here)


def _add(decided: Sequence[tuple[Here, Bits]], final: _Taken, denied: _Taken) -> None:
    """Keep what a tier decided, and what it denies whatever the request says."""
    accepted = 0
    for here, bits in decided:
        final.take(here.row, bits)
        if here.row.rule.action is Action.DENY:
            denied.take(here.row, bits & ~accepted)
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

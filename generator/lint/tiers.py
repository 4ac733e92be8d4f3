"""Which rules can still decide something: the exact answer, over all workloads here.

For every distinct set of policies over a subject, the tiers are walked as a request
walks them, with all peers and all ports at once. What is left out errs towards "can
decide": audited policies cover nothing; what a rule matches only perhaps is not
covered; a rule with `http` covers rules with the same or fewer entries only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from generator.lint.areas import Area, areas_of, bits_on, named_ports_at
from generator.lint.atoms import Atoms
from generator.lint.index import Bits, places
from generator.policy.model import (
    Action,
    Direction,
    Member,
    Policy,
    PolicyRule,
    Tier,
)
from generator.table.rules import closed

RuleId = tuple[int, Direction, int]
"""Place of the policy in the order of evaluation, direction, number of the rule."""


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


@dataclass(frozen=True, slots=True)
class Row:
    """A rule at one kind of subject."""

    id: RuleId
    policy: Policy
    rule: PolicyRule
    areas: tuple[Area, ...]

    def covers(self, other: Row) -> bool:
        """Tell whether it matches every request of a flow that the other matches."""
        if self.policy.is_audited:
            return False
        if self.rule.http is None:
            return True
        return other.rule.http is not None and (
            set(other.rule.http) <= set(self.rule.http)
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Subjects that the same policies select, with equal numbers of named ports.

    `isolating` are the places of the policies that isolate them; `would_isolate` has
    those that are audited too.
    """

    direction: Direction
    members: tuple[Member, ...]
    rows: tuple[Row, ...]
    isolating: tuple[int, ...]
    would_isolate: tuple[int, ...]

    def tier(self, tier: Tier) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.policy.tier is tier)


def make_groups(policies: Sequence[Policy], atoms: Atoms) -> Iterator[Group]:
    """Yield the groups of subjects; `policies` are in the order of evaluation."""
    selecting: list[list[int]] = [[] for _ in atoms.index.model.members]
    for place, policy in enumerate(policies):
        for number in places(atoms.index.select(policy.subject, policy.namespace)):
            selecting[number].append(place)
    for direction in Direction:
        found: dict[object, list[Member]] = {}
        chosen: dict[object, list[int]] = {}
        for number, member in enumerate(atoms.index.model.members):
            mine = [p for p in selecting[number] if _speaks(policies[p], direction)]
            if mine:
                ports = _ports(member, mine, policies, direction)
                key: object = (tuple(mine), ports)
                found.setdefault(key, []).append(member)
                chosen[key] = mine
        for key, members in found.items():
            yield _group(direction, members, chosen[key], policies, atoms)


def _speaks(policy: Policy, direction: Direction) -> bool:
    if policy.tier is Tier.NORMAL:
        return direction in policy.isolates
    return any(rule.direction is direction for rule in policy.rules)


def _ports(
    member: Member,
    chosen: Sequence[int],
    policies: Sequence[Policy],
    direction: Direction,
) -> object:
    if direction is Direction.EGRESS:
        return None
    return named_ports_at(member, (r for p in chosen for r in policies[p].rules))


def _group(
    direction: Direction,
    members: list[Member],
    chosen: Sequence[int],
    policies: Sequence[Policy],
    atoms: Atoms,
) -> Group:
    rows = tuple(
        Row(
            (place, direction, rule.number),
            policies[place],
            closed(rule),
            areas_of(closed(rule), policies[place], members[0], atoms),
        )
        for place in chosen
        for rule in policies[place].rules
        if rule.direction is direction
    )
    normal = tuple(p for p in chosen if policies[p].tier is Tier.NORMAL)
    enforced = tuple(p for p in normal if not policies[p].is_audited)
    return Group(direction, tuple(members), rows, enforced, normal)


def find_fates(groups: Sequence[Group]) -> dict[RuleId, Fate]:
    """Return the fate of every rule that has a subject."""
    fates: dict[RuleId, Fate] = {}
    for group in groups:
        _Walk(group, fates).run()
    return fates


@dataclass
class _Walk:
    """One group on its way through the tiers, key range by key range."""

    group: Group
    fates: dict[RuleId, Fate]

    def run(self) -> None:
        for row in self.group.rows:
            self.fates.setdefault(row.id, Fate())
        for key in key_starts(self.group.rows):
            rows = (
                _Here(
                    row,
                    bits_on(row.areas, key, is_certain=False),
                    bits_on(row.areas, key, is_certain=True),
                )
                for row in self.group.rows
            )
            self._at_key([here for here in rows if here.perhaps])

    def _at_key(self, rows: Sequence[_Here]) -> None:
        """Walk the tiers at one range of keys, on which all rules are constant."""
        final: list[_Has] = []
        denied: list[_Has] = []
        for tier, found in groupby(rows, key=lambda here: here.row.policy.tier):
            mine = list(found)
            if tier is Tier.NORMAL:
                self._normal(mine, final, denied)
            else:
                more = self._ordered(mine, final)
                final += more
                denied += _denials(mine, more)

    def _ordered(self, rows: Sequence[_Here], final: Sequence[_Has]) -> list[_Has]:
        """Rules in their order; return what they decide for certain."""
        gone: list[_Has] = []
        decided: list[_Has] = []
        passed = 0
        for here in rows:
            row, fate = here.row, self.fates[here.row.id]
            fate.matches = True
            left = _left(row, here.perhaps, gone)
            fate.earlier |= _touching(here, [*gone, *final])
            fate.decides_in_tier |= bool(left)
            if row.policy.tier is Tier.BASELINE and self.group.isolating:
                fate.isolating |= set(self.group.isolating)
            else:
                fate.decides |= bool(_left(row, left, final))
            if row.rule.action is Action.PASS:
                passed |= here.perhaps | here.certain
            else:
                mine = _left(row, here.certain, gone) & ~passed
                decided.append(_Has(row, mine))
            gone.append(_Has(row, here.certain))
        return decided

    def _normal(
        self, rows: Sequence[_Here], final: Sequence[_Has], denied: Sequence[_Has]
    ) -> None:
        """Rules add up; what the Admin tier decided is not theirs any more."""
        once, twice = _counts(rows)
        for here in rows:
            row, fate = here.row, self.fates[here.row.id]
            fate.matches = fate.decides_in_tier = True
            fate.decides |= bool(_left(row, here.perhaps, final))
            fate.is_denied &= not _left(row, here.perhaps, denied)
            fate.earlier |= _touching(here, final)
            own = here.certain & here.perhaps if is_plain(row) else 0
            fate.grants |= bool(own & ~twice) or bool(here.perhaps & ~own & ~once)


@dataclass(frozen=True, slots=True)
class _Here:
    """A rule at one range of keys, and whom it matches there."""

    row: Row
    perhaps: Bits
    certain: Bits


@dataclass(frozen=True, slots=True)
class _Has:
    """A rule, and what it has taken."""

    row: Row
    bits: Bits


def is_plain(row: Row) -> bool:
    """Tell whether a rule of the normal tier accepts whole flows, and does so now."""
    return row.rule.http is None and not row.policy.is_audited


def _denials(rows: Sequence[_Here], decided: Sequence[_Has]) -> Iterator[_Has]:
    """Yield what is denied for certain, whatever the request says."""
    accepted = 0
    taken = {has.row.id: has.bits for has in decided}
    for here in rows:
        if here.row.rule.action is Action.DENY:
            yield _Has(here.row, taken[here.row.id] & ~accepted)
        elif here.row.rule.action is Action.ACCEPT:
            accepted |= here.perhaps | here.certain


def _counts(rows: Sequence[_Here]) -> tuple[Bits, Bits]:
    """Return what one, and what two rules without `http` accept at least."""
    once = twice = 0
    for here in rows:
        if is_plain(here.row):
            twice |= once & here.certain
            once |= here.certain
    return once, twice


def _left(row: Row, bits: Bits, earlier: Sequence[_Has]) -> Bits:
    """Return what of a rule's atoms no earlier rule has completely."""
    for has in earlier:
        if bits & has.bits and has.row.covers(row):
            bits &= ~has.bits
    return bits


def _touching(here: _Here, earlier: Sequence[_Has]) -> set[RuleId]:
    return {
        has.row.id
        for has in earlier
        if here.perhaps & has.bits and has.row.covers(here.row)
    }


def key_starts(rows: Sequence[Row]) -> list[int]:
    """Return the keys at which some rule begins or ends."""
    found = {key for row in rows for area in row.areas for key in area.keys[:1]}
    found |= {area.keys[1] + 1 for row in rows for area in row.areas}
    return sorted(found)

"""Subjects that lint can treat as one, with the rules that are about them.

Most rules match the same whoever their subject is, so their areas are made once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from generator.lint.areas import Area, areas_of, named_ports_at
from generator.lint.atoms import Atoms
from generator.lint.index import Bits, places
from generator.policy.model import Direction, Member, Policy, PolicyRule, Tier
from generator.table.rules import closed

RuleId = tuple[int, Direction, int]
"""Place of the policy in the order of evaluation, direction, number of the rule."""


@dataclass(frozen=True, slots=True)
class Row:
    """A rule at one kind of subject."""

    id: RuleId
    policy: Policy
    rule: PolicyRule
    areas: tuple[Area, ...]

    def covers(self, other: Row) -> bool:
        """Tell whether it matches every request of a flow that the other matches."""
        if self.policy.is_audited or self.rule.http is None:
            return not self.policy.is_audited
        return other.rule.http is not None and (
            set(other.rule.http) <= set(self.rule.http)
        )

    @property
    def is_plain(self) -> bool:
        """Tell whether it takes whole flows, whatever requests say, and does so now."""
        return self.rule.http is None and not self.policy.is_audited


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


@dataclass
class Grouper:
    """Makes the groups of a model; `policies` are in the order of evaluation."""

    policies: Sequence[Policy]
    atoms: Atoms
    _rows: dict[RuleId, Row] = field(default_factory=dict)

    def groups(self) -> Iterator[Group]:
        members = self.atoms.index.model.members
        selecting: list[list[int]] = [[] for _ in members]
        for place, policy in enumerate(self.policies):
            selected = self.atoms.index.select(policy.subject, policy.namespace)
            for number in places(selected):
                selecting[number].append(place)
        for direction in Direction:
            found: dict[object, list[Member]] = {}
            chosen: dict[object, list[int]] = {}
            for member, mine in zip(members, selecting, strict=True):
                speaking = [p for p in mine if _speaks(self.policies[p], direction)]
                if speaking:
                    key = self._key(member, speaking, direction)
                    found.setdefault(key, []).append(member)
                    chosen[key] = speaking
            for key, group in found.items():
                yield self._group(direction, group, chosen[key])

    def _key(self, member: Member, chosen: list[int], direction: Direction) -> object:
        """What makes two subjects one: policies, and numbers of named ports."""
        if direction is Direction.EGRESS:
            return tuple(chosen)
        rules = (rule for place in chosen for rule in self.policies[place].rules)
        return tuple(chosen), named_ports_at(member, rules)

    def _group(
        self, direction: Direction, members: list[Member], chosen: Sequence[int]
    ) -> Group:
        rows = tuple(
            self._row(place, rule, members[0])
            for place in chosen
            for rule in self.policies[place].rules
            if rule.direction is direction
        )
        normal = tuple(p for p in chosen if self.policies[p].tier is Tier.NORMAL)
        enforced = tuple(p for p in normal if not self.policies[p].is_audited)
        return Group(direction, tuple(members), rows, enforced, normal)

    def _row(self, place: int, rule: PolicyRule, subject: Member) -> Row:
        """Return a rule at a subject: the same object, if it is the same at all."""
        number = (place, rule.direction, rule.number)
        known = self._rows.get(number)
        if known is not None:
            return known
        policy, rule = self.policies[place], closed(rule)
        row = Row(number, policy, rule, areas_of(rule, policy, subject, self.atoms))
        is_named = rule.direction is Direction.INGRESS and any(
            port.name for port in rule.ports or ()
        )
        if not is_named:
            self._rows[number] = row
        return row


def _speaks(policy: Policy, direction: Direction) -> bool:
    if policy.tier is Tier.NORMAL:
        return direction in policy.isolates
    return any(rule.direction is direction for rule in policy.rules)


@dataclass(frozen=True, slots=True)
class Here:
    """A rule at one range of keys, and whom it matches there."""

    row: Row
    perhaps: Bits
    certain: Bits


@dataclass(frozen=True, slots=True)
class Stretch:
    """Keys `first` to `last`, on which all of some rules are constant."""

    first: int
    last: int
    rules: tuple[Here, ...]


def by_keys(rows: Sequence[Row]) -> Iterator[Stretch]:
    """Yield the rules that match something, stretch by stretch."""
    starts = sorted(
        {area.keys[0] for row in rows for area in row.areas}
        | {area.keys[1] + 1 for row in rows for area in row.areas}
    )
    found: list[dict[int, Here]] = [{} for _ in starts]
    for number, row in enumerate(rows):
        for area in row.areas:
            first = bisect_left(starts, area.keys[0])
            last = bisect_left(starts, area.keys[1] + 1)
            reached = area.reached
            for at in range(first, last):
                old = found[at].get(number) or Here(row, 0, 0)
                found[at][number] = Here(
                    row, old.perhaps | reached.perhaps, old.certain | reached.certain
                )
    for (first, stop), each in zip(pairwise(starts), found, strict=False):
        rules = tuple(here for here in each.values() if here.perhaps)
        if rules:
            yield Stretch(first, stop - 1, rules)

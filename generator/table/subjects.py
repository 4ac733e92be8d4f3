"""Subjects: what a distinct set of policies of one tier says in one direction.

Where in the pipeline: `rules + peers -> subjects -> rule table`. Workloads that the
same policies select, with the same numbers for the ports that those name, share a
subject. In every tier the first matching rule counts; for NetworkPolicy, which only
adds ("the set of connections allowed is the union"), any is as good. A pod that no
policy of the normal tier selects is not isolated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from generator.overlay.model import Overlay, Workload
from generator.policy.model import Direction, Tier
from generator.table.chains import PlacedChains
from generator.table.drafts import DraftMemory, Part, SubjectMemory, make_draft, placed
from generator.table.model import Chain, Subject, SubjectSet
from generator.table.peers import Peers, named_ports
from generator.table.rules import DIRECTIONS, PortName, Rules, sorted_names


@dataclass(frozen=True, slots=True)
class View:
    """What is asked about: one direction, with audited policies enforced or not."""

    direction: Direction
    is_audited: bool


VIEWS: Final = tuple(View(d, a) for a in (False, True) for d in DIRECTIONS)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Subjects, and each workload's subjects by view and its id.

    `chains` are what the subjects' port lists lead to.
    """

    subjects: tuple[Subject, ...]
    chains: tuple[Chain, ...]
    sets: Mapping[View, Mapping[int, SubjectSet]]


class SubjectsMemory:
    """What the subjects of one table leave to those of the next one."""

    def __init__(self) -> None:
        self.drafts = DraftMemory()
        self.subjects = SubjectMemory()


def assign_subjects(
    overlay: Overlay, rules: Rules, peers: Peers, memory: SubjectsMemory
) -> Assignment:
    """Make every distinct subject once, in the order of workloads, views and tiers."""
    memory.drafts.start()
    memory.subjects.start()
    subjects = _Subjects(rules, peers, memory)
    views = _views(rules)
    sets: dict[View, dict[int, SubjectSet]] = {view: {} for view in views}
    slots = [
        (sets[view], [_Slot(overlay, view, tier, rules, peers) for tier in Tier])
        for view in views
    ]
    for workload in overlay.workloads:
        for found, tiers in slots:
            admin, normal, baseline = (subjects.number(workload, t) for t in tiers)
            found[workload.id] = admin, normal, baseline
    if len(views) < len(VIEWS):
        sets |= {view: sets[View(view.direction, False)] for view in VIEWS}
    return Assignment(tuple(subjects.made), tuple(subjects.chains.made), sets)


def _views(rules: Rules) -> tuple[View, ...]:
    """The views that differ: without audited policies both of a direction are one."""
    if any(policy.is_audited for policy in rules.policies):
        return VIEWS
    return tuple(view for view in VIEWS if not view.is_audited)


@dataclass(frozen=True, slots=True)
class _Group:
    """Some policies, the ports that they name at a destination, and their subjects by
    what those ports are. A destination's other ports make no difference."""

    names: tuple[PortName, ...]
    numbers: dict[object, int] = field(default_factory=dict)


class _Slot:
    """One tier in one view: whose policies are the same."""

    def __init__(
        self, overlay: Overlay, view: View, tier: Tier, rules: Rules, peers: Peers
    ) -> None:
        self.direction = view.direction
        self.groups: dict[tuple[int, ...], _Group] = {}
        self.selecting: dict[int, list[int]] = {w.id: [] for w in overlay.workloads}
        for place, one in enumerate(rules.statements):
            if one.policy.tier is not tier or not one.by_direction[self.direction].rows:
                continue
            if view.is_audited or not one.policy.is_audited:
                for workload in peers.subjects[place]:
                    self.selecting[workload.id].append(place)


@dataclass
class _Subjects:
    """All subjects so far; makes each when it is first needed."""

    rules: Rules
    peers: Peers
    memory: SubjectsMemory
    chains: PlacedChains = field(default_factory=PlacedChains)
    made: list[Subject] = field(default_factory=list)
    known: dict[object, int] = field(default_factory=dict)
    parts: dict[tuple[int, Direction], tuple[Part, range]] = field(default_factory=dict)

    def number(self, workload: Workload, slot: _Slot) -> int | None:
        """Return the subject of the policies that select a workload, if any do."""
        places = tuple(slot.selecting[workload.id])
        if not places:
            return None
        group = slot.groups.get(places)
        if group is None:
            group = slot.groups[places] = self._group(places, slot.direction)
        named = named_ports(workload, group.names) if group.names else ()
        number = group.numbers.get(named)
        if number is None:
            number = self._make(workload, slot.direction, places, named)
            group.numbers[named] = number
        return number

    def _group(self, places: tuple[int, ...], direction: Direction) -> _Group:
        if direction is Direction.EGRESS:
            return _Group(())
        said = (self.rules.statements[p].by_direction[direction] for p in places)
        names = {statement.names for statement in said if statement.names}
        if len(names) > 1:
            return _Group(sorted_names({name for each in names for name in each}))
        return _Group(names.pop() if names else ())

    def _make(
        self,
        workload: Workload,
        direction: Direction,
        places: tuple[int, ...],
        named: object,
    ) -> int:
        """Make a subject, or find it: in both views the same policies are one."""
        key = direction, places, named
        if key not in self.known:
            said = [self._part(place, direction) for place in places]
            parts = tuple([part for part, _ in said])
            draft = self.memory.drafts.get(
                (parts, named), lambda _: make_draft(parts, workload)
            )
            ids = tuple([number for _, numbers in said for number in numbers])
            self.known[key] = len(self.made)
            self.made.append(placed(draft, ids, self.chains, self.memory.subjects))
        return self.known[key]

    def _part(self, place: int, direction: Direction) -> tuple[Part, range]:
        """Return what a policy says, and the ids of its rules."""
        known = self.parts.get((place, direction))
        if known is None:
            statement = self.rules.statements[place].by_direction[direction]
            first = self.rules.firsts[place][direction]
            numbers = range(first, first + len(statement.rows))
            part = Part(statement, tuple(map(self.peers.reach, statement.asks)))
            known = self.parts[place, direction] = part, numbers
        return known

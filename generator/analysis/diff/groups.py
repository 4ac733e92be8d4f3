"""Changes that are equal but for who talks to whom, as one line: for people.

    12 workloads of shop -> shop/db: TCP 5432

Where in the pipeline: `Difference -> sections of groups -> text, markdown`. Flows of
workloads that are on one side only stand under that workload's heading, a flow between
two of these under its source's. No change is lost, and each is in one group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from generator.analysis.diff.access import Kind
from generator.analysis.diff.changes import Change
from generator.analysis.diff.diff import Difference

NAMED: Final = 3
"""So many names are spelt out; more are counted."""

EACH_OTHER: Final = "each other"

_ORDER: Final = {kind: place for place, kind in enumerate(Kind)}

Facts = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Equal changes: every source with every destination, but nobody with himself."""

    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def change(self) -> Change:
        """Any of them: they differ by their flows only."""
        return self.changes[0]

    @property
    def is_summary(self) -> bool:
        """Tell whether its title leaves names out."""
        return max(len(self.sources), len(self.destinations)) > NAMED

    @property
    def title(self) -> str:
        return " -> ".join(self.titles)

    @property
    def titles(self) -> tuple[str, str]:
        source = parties_title(self.sources)
        is_mutual = self.is_summary and set(self.sources) == set(self.destinations)
        return source, EACH_OTHER if is_mutual else parties_title(self.destinations)


class About(StrEnum):
    """Whose flows a section has."""

    BOTH = "both"
    NEW = "new"
    GONE = "gone"
    AUDITED = "audited"


@dataclass(frozen=True, slots=True)
class Section:
    """Groups under one heading; `workload` is the one that came or went, if any."""

    about: About
    kind: Kind | None
    workload: str
    groups: tuple[Group, ...]

    @property
    def flows(self) -> int:
        return len({change.flow for group in self.groups for change in group.changes})


def make_sections(difference: Difference) -> list[Section]:
    """Return all changes in sections: what most people look for comes first."""
    new, gone = set(difference.workloads.new), set(difference.workloads.gone)
    shared: list[Change] = []
    by_name: dict[str, list[Change]] = {}
    for change in difference.changes:
        ends = change.flow.source, change.flow.destination
        name = next((end for end in ends if end in new or end in gone), None)
        shared.append(change) if name is None else by_name.setdefault(name, []).append(
            change
        )
    return [
        *_by_kind(About.BOTH, shared),
        *(
            Section(about, None, name, make_groups(by_name.get(name, ())))
            for about, names in ((About.NEW, new), (About.GONE, gone))
            for name in sorted(names)
        ),
        *_by_kind(About.AUDITED, difference.audited),
    ]


def about_of(difference: Difference, change: Change) -> About:
    """Say under which kind of heading a change stands."""
    ends = {change.flow.source, change.flow.destination}
    if ends & set(difference.workloads.new):
        return About.NEW
    return About.GONE if ends & set(difference.workloads.gone) else About.BOTH


def _by_kind(about: About, changes: Sequence[Change]) -> Iterator[Section]:
    for kind in Kind:
        mine = [change for change in changes if change.kind is kind]
        if mine:
            yield Section(about, kind, "", make_groups(mine))


def make_groups(changes: Iterable[Change]) -> tuple[Group, ...]:
    """Group changes in two steps: by equal sources, then those with one destination
    by equal sources but for that destination, which is how a whole namespace looks.
    """
    towards: dict[tuple[Facts, str], list[Change]] = {}
    for change in changes:
        towards.setdefault((_facts(change), change.flow.destination), []).append(change)
    same: dict[tuple[Facts, frozenset[str]], list[Change]] = {}
    for (facts, _), found in towards.items():
        sources = frozenset(change.flow.source for change in found)
        same.setdefault((facts, sources), []).extend(found)
    mutual: dict[tuple[Facts, frozenset[str]], list[Change]] = {}
    groups = []
    for (facts, sources), found in same.items():
        destinations = {change.flow.destination for change in found}
        if len(destinations) > 1:
            groups.append(_group(found))
        else:
            mutual.setdefault((facts, sources | destinations), []).extend(found)
    groups += [_group(found) for found in mutual.values()]
    return tuple(sorted(groups, key=_group_order))


def _facts(change: Change) -> Facts:
    return change.keys, change.before, change.after, change.turns, change.examples


def _group(changes: list[Change]) -> Group:
    ordered = sorted(changes, key=lambda change: change.order)
    return Group(
        tuple(dict.fromkeys(change.flow.source for change in ordered)),
        tuple(dict.fromkeys(change.flow.destination for change in ordered)),
        tuple(ordered),
    )


def _group_order(group: Group) -> tuple[object, ...]:
    return _ORDER[group.change.kind], group.change.order


def parties_title(names: Sequence[str]) -> str:
    """Name a few parties, count many: "12 workloads of shop and 2 ranges outside"."""
    owners = [name for name in names if "/" in name]
    ranges = [name for name in names if "/" not in name]
    titles = [_owners_title(owners)] if owners else []
    if ranges:
        is_many = len(ranges) > NAMED
        count = f"{len(ranges)} ranges of addresses outside"
        titles.append(count if is_many else ", ".join(ranges))
    return " and ".join(titles)


def _owners_title(names: Sequence[str]) -> str:
    if len(names) <= NAMED:
        return ", ".join(names)
    namespaces = sorted({name.partition("/")[0] for name in names})
    shown = ", ".join(namespaces[:NAMED])
    rest = len(namespaces) - NAMED
    more = f" and {rest} more namespaces" if rest > 0 else ""
    return f"{len(names)} workloads of {shown}{more}"

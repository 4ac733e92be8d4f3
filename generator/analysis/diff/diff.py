"""Compare what two modules allow: access gained and lost, by flow, with the rules.

Where in the pipeline: `two sides -> changes -> Difference -> text, JSON, markdown`.
Only access counts: names of policies, order, comments and files do not. A flow is open
if some pod of the source may reach some pod of the destination, as in `simulate`, and
flows of an owner to itself are left out.

`compare(a, a)` has no changes; `compare(b, a)` is `compare(a, b)` with its sides
exchanged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from generator.analysis.diff.access import Kind
from generator.analysis.diff.audit import as_if_enforced
from generator.analysis.diff.changes import Change, find_changes
from generator.analysis.diff.requests import MOST
from generator.analysis.diff.sides import Side, make_alike
from generator.analysis.endpoints import find_owners

NOT_ALL: Final = (
    f"some ports tell more than {MOST:,} kinds of requests apart: no more were compared"
)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What is on one side only, by name."""

    new: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs.

    `audited`: what would change if audited policies were enforced, where that is not
    in `changes` anyway. `notes`: what could not be compared.
    """

    before: Side
    after: Side
    changes: tuple[Change, ...]
    audited: tuple[Change, ...]
    workloads: Arrivals
    policies: Arrivals
    notes: tuple[str, ...] = ()

    def count(self, kind: Kind) -> int:
        """Return how many flows changed in one way."""
        return len({change.flow for change in self.changes if change.kind is kind})


def compare(before: Side, after: Side) -> Difference:
    """Return what differs between two sides, in a stable order."""
    before, after, notes = make_alike(before, after)
    changes, tried_all = find_changes(before, after)
    audited, tried_all_audited = _audited(before, after, changes)
    if not (tried_all and tried_all_audited):
        notes = (*notes, NOT_ALL)
    return Difference(
        before,
        after,
        changes,
        audited,
        _arrivals(_owners(before), _owners(after)),
        _arrivals(_policies(before), _policies(after)),
        notes,
    )


def _audited(
    before: Side, after: Side, changes: Iterable[Change]
) -> tuple[tuple[Change, ...], bool]:
    if not any(side.table.has_audited_policies for side in (before, after)):
        return (), True
    found, tried_all = find_changes(as_if_enforced(before), as_if_enforced(after))
    known = {_facts(change) for change in changes}
    return tuple(c for c in found if _facts(c) not in known), tried_all


def _facts(change: Change) -> tuple[object, ...]:
    requests = tuple(example.request for example in change.examples)
    return change.flow, change.keys, change.before, change.after, requests


def _owners(side: Side) -> set[str]:
    return {owner.name for owner in find_owners(side.table, side.overlay)}


def _policies(side: Side) -> set[str]:
    return {side.table.policy_title(n) for n in range(len(side.table.policies))}


def _arrivals(before: set[str], after: set[str]) -> Arrivals:
    return Arrivals(tuple(sorted(after - before)), tuple(sorted(before - after)))

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

from generator.analysis.diff_access import Kind
from generator.analysis.diff_audit import as_if_enforced
from generator.analysis.diff_changes import Change, find_changes
from generator.analysis.diff_sides import Side, make_alike
from generator.analysis.endpoints import find_owners


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
    changes = find_changes(before, after)
    return Difference(
        before,
        after,
        changes,
        _audited(before, after, changes),
        _arrivals(_owners(before), _owners(after)),
        _arrivals(_policies(before), _policies(after)),
        notes,
    )


def _audited(
    before: Side, after: Side, changes: Iterable[Change]
) -> tuple[Change, ...]:
    if not any(side.table.has_audited_policies for side in (before, after)):
        return ()
    known = {(c.flow, c.keys, c.before, c.after) for c in changes}
    return tuple(
        change
        for change in find_changes(as_if_enforced(before), as_if_enforced(after))
        if (change.flow, change.keys, change.before, change.after) not in known
    )


def _owners(side: Side) -> set[str]:
    return {owner.name for owner in find_owners(side.table, side.overlay)}


def _policies(side: Side) -> set[str]:
    return {side.table.policy_title(n) for n in range(len(side.table.policies))}


def _arrivals(before: set[str], after: set[str]) -> Arrivals:
    return Arrivals(tuple(sorted(after - before)), tuple(sorted(before - after)))

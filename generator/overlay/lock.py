"""The lock: which number every realm, workload and target has, for ever.

Where in the pipeline: `identities -> update -> numbers`. `lockfile` reads and writes
the text. Promises, each of them tested:

- an id is given once; rows stay when what they describe goes away (`retired`) and
  come back to life if it returns;
- a row in use keeps its id. If the set of policy-relevant label keys changes, a
  workload keeps its row iff the row's members and the new identity's are the same
  ones; a workload that splits or merges gets new ids;
- a workload that takes the place of a revoked one starts revoked (OVL0018).

New ids are given in the order of the identities, whatever the order of the files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Protocol, TypeVar

from generator.errors import Diagnostic, OverlayError
from generator.overlay.address import MAX_REALM, MAX_WORKLOAD_ID
from generator.overlay.model import Identity, TargetName
from generator.overlay.workloads import Grouping, identity_of, title
from generator.policy.model import Member
from generator.source import Span

MAX_TARGET_ID: Final = 2**32 - 1


class RealmName(NamedTuple):
    """What a realm stands for."""

    cluster: str
    namespace: str


@dataclass(frozen=True, slots=True)
class RealmRow:
    id: int
    name: RealmName
    retired: bool = False
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    id: int
    name: Identity
    retired: bool = False
    revoked: bool = False
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TargetRow:
    id: int
    name: TargetName
    retired: bool = False
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Lock:
    """All rows of one overlay, sorted by id; `label_keys` of the last update."""

    name: str
    overlay_id: int
    label_keys: tuple[str, ...] = ()
    realms: tuple[RealmRow, ...] = ()
    workloads: tuple[WorkloadRow, ...] = ()
    targets: tuple[TargetRow, ...] = ()
    span: Span | None = field(default=None, compare=False)


def update(
    lock: Lock, grouping: Grouping, targets: Collection[TargetName]
) -> tuple[Lock, tuple[Diagnostic, ...]]:
    """Return the lock with a row in use for everything given, and warnings.

    Raises: OverlayError OVL0006 if no id is left.
    """
    realms = {RealmName(i.cluster, i.namespace) for i in grouping.groups}
    workloads, warnings = _update_workloads(lock, grouping)
    new = replace(
        lock,
        label_keys=grouping.label_keys,
        realms=_update_rows(lock.realms, realms, RealmRow, MAX_REALM),
        workloads=workloads,
        targets=_update_rows(lock.targets, targets, TargetRow, MAX_TARGET_ID),
    )
    return new, warnings


def revoke(lock: Lock, workload_id: int) -> Lock:
    """Return the lock with a workload revoked. Raises: OverlayError OVL0031."""
    if all(row.id != workload_id for row in lock.workloads):
        message = f"the lock file has no workload {workload_id}"
        raise OverlayError.of("OVL0031", message, lock.span)
    rows = (
        replace(row, revoked=True) if row.id == workload_id else row
        for row in lock.workloads
    )
    return replace(lock, workloads=tuple(rows))


# --- realms and targets: names do not change ------------------------------------------

_Name = TypeVar("_Name", RealmName, TargetName)
_Row = TypeVar("_Row", RealmRow, TargetRow)


def _update_rows(
    rows: tuple[_Row, ...],
    names: Iterable[_Name],
    make: Callable[[int, _Name], _Row],
    last: int,
) -> tuple[_Row, ...]:
    """Keep, retire and bring back rows by name; then number the new ones."""
    wanted = set(names)
    kept = [_with_retired(row, row.name not in wanted) for row in rows]
    new = sorted(wanted.difference(row.name for row in rows))
    ids = _free_ids(rows, len(new), last)
    kept += map(make, ids, new)
    return tuple(kept)


_AnyRow = TypeVar("_AnyRow", RealmRow, TargetRow, WorkloadRow)


def _with_retired(row: _AnyRow, retired: bool) -> _AnyRow:
    return row if row.retired is retired else replace(row, retired=retired)


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


def _free_ids(rows: Iterable[_Numbered], count: int, last: int) -> range:
    """Return `count` ids above all that were ever given."""
    start = max((row.id for row in rows), default=0) + 1
    if start + count - 1 > last:
        message = f"{count} more ids are needed, but {start - 1} of {last} are given"
        raise OverlayError.of("OVL0006", message)
    return range(start, start + count)


# --- workloads: labels may become more or fewer ---------------------------------------


@dataclass(frozen=True, slots=True)
class _History:
    """What the members of every identity were under the lock's own label keys."""

    rows: Mapping[Identity, WorkloadRow]
    before: Mapping[Identity, frozenset[Identity]]
    after: Mapping[Identity, frozenset[Identity]]

    def successor_row(self, identity: Identity) -> WorkloadRow | None:
        """Return the row in use whose members are those of `identity`, if any."""
        before = self.before[identity]
        if len(before) != 1:
            return None
        (old,) = before
        return self.rows.get(old) if self.after[old] == {identity} else None

    def revoked_row(self, identity: Identity) -> WorkloadRow | None:
        """Return a revoked row in use that some member of `identity` had."""
        found = (self.rows.get(old) for old in sorted(self.before[identity]))
        return next((row for row in found if row and row.revoked), None)


def _update_workloads(
    lock: Lock, grouping: Grouping
) -> tuple[tuple[WorkloadRow, ...], tuple[Diagnostic, ...]]:
    history = _read_history(lock, grouping)
    rows = {row.id: row for row in lock.workloads}
    used: set[int] = set()
    others: list[Identity] = []
    for identity in grouping.groups:
        row = history.successor_row(identity)
        if row is None:
            others.append(identity)
        else:
            rows[row.id] = row if row.name == identity else replace(row, name=identity)
            used.add(row.id)
    warnings: list[Diagnostic] = []
    for row in _rows_for(lock, others):
        revoked_row = history.revoked_row(row.name)
        rows[row.id] = replace(row, revoked=row.revoked or revoked_row is not None)
        used.add(row.id)
        if revoked_row is not None and not row.revoked:
            first = grouping.groups[row.name][0]
            warnings.append(_inherited(row.id, revoked_row, first))
    kept = (_with_retired(rows[n], n not in used) for n in sorted(rows))
    return tuple(kept), tuple(warnings)


def _rows_for(lock: Lock, identities: Iterable[Identity]) -> Iterator[WorkloadRow]:
    """Bring back the newest row that was retired with a name, or number the name."""
    retired = {row.name: row for row in lock.workloads if row.retired}
    new: list[Identity] = []
    for identity in identities:
        if identity in retired:
            yield replace(retired[identity], retired=False)
        else:
            new.append(identity)
    ids = _free_ids(lock.workloads, len(new), MAX_WORKLOAD_ID)
    yield from (WorkloadRow(*pair) for pair in zip(ids, new, strict=True))


def _read_history(lock: Lock, grouping: Grouping) -> _History:
    before: dict[Identity, frozenset[Identity]] = {}
    after: dict[Identity, set[Identity]] = {}
    keys = frozenset(lock.label_keys)
    # What a new lock knows of the past is nothing, whatever its keys.
    is_same = not lock.workloads or lock.label_keys == grouping.label_keys
    for identity, members in grouping.groups.items():
        olds = {identity}
        if not is_same:
            olds = {identity_of(member, keys, grouping.cluster) for member in members}
        before[identity] = frozenset(olds)
        for old in olds:
            after.setdefault(old, set()).add(identity)
    rows = {row.name: row for row in lock.workloads if not row.retired}
    frozen = {old: frozenset(identities) for old, identities in after.items()}
    return _History(rows, before, frozen)


def _inherited(workload_id: int, row: WorkloadRow, member: Member) -> Diagnostic:
    message = (
        f"{title(member)} becomes workload {workload_id}, revoked, since workload "
        f"{row.id}, which it was, is revoked"
    )
    return Diagnostic("OVL0018", message, row.span or member.span)

"""What a subject can tell about the other party of a flow.

Of the other party a subject can tell its realm, its classes, and the stretch of its
address. Flows that it cannot tell apart have one answer, so one of them is asked.
"""

from __future__ import annotations

from bisect import bisect_right

from generator.analysis.endpoints import Endpoint
from generator.analysis.spans import addresses_of
from generator.policy.model import Direction
from generator.table.model import RuleTable, TableWorkload

Class = tuple[int | None, ...]
"""Subjects and what they can tell about the other party; empty: nobody judges."""


class Classes:
    """Finds the class of either direction of a flow."""

    def __init__(self, table: RuleTable) -> None:
        self._table = table
        self._starts = {
            (number, version): [start for start, _ in addresses_of(subject, version)]
            for number, subject in enumerate(table.subjects)
            for version in (4, 6)
        }
        self._subjects = {
            (direction, row.id): [n for _, n in table.subjects_of(row, direction)]
            for row in table.workloads
            for direction in Direction
        }
        self._keys: dict[tuple[int, bool], tuple[int, ...]] = {}

    def of(self, direction: Direction, own: Endpoint, peer: Endpoint) -> Class:
        """Return what the answer of one direction depends on."""
        workload = own.workload
        if workload is None:
            return ()
        found: list[int | None] = [direction is Direction.EGRESS]
        for subject in self._subjects[direction, workload.id]:
            found += self._seen(subject, workload, peer)
        return tuple(found)

    def _seen(self, subject: int, own: TableWorkload, peer: Endpoint) -> Class:
        """Return what one subject can tell about the other party."""
        starts: Class = ()
        if peer.address is not None:
            version = peer.address.version
            place = bisect_right(self._starts[subject, version], int(peer.address))
            starts = (version, place)
        if peer.workload is None:
            return (subject, None, *starts)
        said = self._table.subjects[subject].peers
        keys = self._peer_keys(own, peer.workload) if said else ()
        return (subject, *[key for key in keys if key in said], *starts)

    def _peer_keys(self, own: TableWorkload, peer: TableWorkload) -> tuple[int, ...]:
        """The same for all workloads of a realm, so made once for each of two cases."""
        case = peer.id, own.realm == peer.realm
        keys = self._keys.get(case)
        if keys is None:
            keys = self._keys[case] = self._table.peer_keys(own, peer)
        return keys

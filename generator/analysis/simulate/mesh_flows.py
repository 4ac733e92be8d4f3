"""Every flow of a mesh as a cell: owners by owners, and owners by outside addresses.

Where in the pipeline: `Engine -> sides -> mesh_flows -> simulate, report`. Owners with
the same endpoints are one group. Flows with the same answers on both sides share one
cell, so that what is worked out for a cell is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generator.analysis.endpoints import Endpoint, find_owners
from generator.analysis.engine import Engine
from generator.analysis.sides import Access, Ids, Side, Sides, both, either
from generator.analysis.spans import (
    AddressSpan,
    addresses_of,
    is_for_members,
    make_spans,
    starts_of,
)
from generator.overlay.model import Overlay
from generator.policy.model import Direction, IPAddress
from generator.table.model import RuleTable
from generator.table.ports import KeyRange

Endpoints = frozenset[Endpoint]

Pairs = frozenset[Ids]
"""The sides of all pairs of endpoints of two groups."""


@dataclass(frozen=True)
class Cell:
    """What holds between two groups, whichever rules say so."""

    number: int
    flow: Side

    def keys_by_rules(self) -> dict[tuple[int, ...], list[KeyRange]]:
        """Return the allowed keys by the rules that look at requests there."""
        found: dict[tuple[int, ...], list[KeyRange]] = {}
        for stretch in self.flow:
            if stretch.access is not Access.NONE:
                keys = found.setdefault(stretch.by_request, [])
                keys.append((stretch.first, stretch.last))
        return found


class MeshFlows:
    """All flows of a mesh. `groups` has the names of owners that are alike."""

    def __init__(self, engine: Engine, overlay: Overlay) -> None:
        self.table: RuleTable = engine.table
        self.sides = Sides(engine)
        self._cells: dict[Pairs, Cell] = {}
        found: dict[Endpoints, list[str]] = {}
        for owner in find_owners(engine.table, overlay):
            found.setdefault(owner.endpoints, []).append(owner.name)
        self._endpoints = list(found)
        self.groups = [tuple(names) for names in found.values()]

    def matrix(self) -> Iterator[list[Pairs]]:
        """Yield what every group may send to each group, in the order of `groups`."""
        for sources in self._endpoints:
            yield [self._pairs(sources, others) for others in self._endpoints]

    def outside(
        self, group: int, direction: Direction
    ) -> Iterator[tuple[AddressSpan, Pairs]]:
        """Yield the ranges of addresses within which nothing changes, in order."""
        endpoints = self._endpoints[group]
        has_ipv6 = any(subject.addresses6 for subject in self.table.subjects)
        for version in (4, 6) if has_ipv6 else (4,):
            starts = self._starts(endpoints, direction, version)
            for span in make_spans(starts, version):
                if not is_for_members(self.table, span.first):
                    yield span, self._pairs_at(endpoints, span.first, direction)

    def cell(self, pairs: Pairs) -> Cell:
        """Return what holds between two groups; few cells stand for many pairs."""
        plain = self.sides.plain
        alike = frozenset(
            [(plain(egress), plain(ingress)) for egress, ingress in pairs]
        )
        found = self._cells.get(alike)
        if found is None:
            found = Cell(len(self._cells), self._flow(alike))
            self._cells[alike] = found
        return found

    def _flow(self, pairs: Pairs) -> Side:
        """What holds for the luckiest pair of endpoints."""
        found = [both(self.sides[e], self.sides[i]) for e, i in sorted(pairs)]
        return found[0] if len(found) == 1 else either(found)

    def _starts(
        self, endpoints: Endpoints, direction: Direction, version: int
    ) -> list[int]:
        """Where the answers of a group's own subjects can change."""
        rows = (e.workload for e in endpoints if e.workload is not None)
        numbers = {
            number
            for row in rows
            for _, number in self.table.subjects_of(row, direction)
        }
        subjects = self.table.subjects
        starts = starts_of(addresses_of(subjects[n], version) for n in numbers)
        blocks = (start for start, _ in self.table.member_blocks if version == 4)
        return sorted({*starts, *blocks})

    def _pairs_at(
        self, endpoints: Endpoints, address: IPAddress, direction: Direction
    ) -> Pairs:
        outside = frozenset((Endpoint(None, address),))
        if direction is Direction.EGRESS:
            return self._pairs(endpoints, outside)
        return self._pairs(outside, endpoints)

    def _pairs(self, sources: Endpoints, destinations: Endpoints) -> Pairs:
        of = self.sides.of
        return frozenset([of(s, d) for s in sources for d in destinations])

"""All allowed flows of a mesh, by the built module's own answers.

Flows are between named owners, and between them and addresses outside the cluster.
A flow is listed if some endpoint of the source may reach some endpoint of the
destination; flows of an owner to itself are left out. Owners on the host network are
listed with everything that no other side forbids, since nothing enforces them.

Address ranges are as long as possible: neighbours with equal answers for an owner and
direction are one range. Ranges where only members live are not outside, and left out.
IPv6 ranges are listed only if some policy speaks of IPv6 addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from generator.analysis.allowed import Allowed
from generator.analysis.endpoints import Endpoint, Owner, find_owners
from generator.analysis.engine import Engine
from generator.analysis.key_ranges import (
    PortSpan,
    ProtocolPorts,
    merge,
    split_keys,
)
from generator.analysis.spans import (
    AddressSpan,
    addresses_of,
    is_for_members,
    make_spans,
    starts_of,
)
from generator.overlay.model import Overlay
from generator.policy.model import Direction, IPAddress
from generator.table.ports import KeyRange

API_VERSION: Final = "pepmesh.dev/v1"

Profile = frozenset[Endpoint]
Row = tuple[AddressSpan, list[ProtocolPorts]]


@dataclass(frozen=True, slots=True, order=True)
class Connection:
    """An allowed flow: who, to whom, and on which ports of one protocol."""

    source: str
    destination: str
    protocol: str
    ports: tuple[PortSpan, ...]


def simulate(engine: Engine, overlay: Overlay) -> list[Connection]:
    """Return all allowed flows, sorted; ask the module for every class of flows."""
    return sorted(_Simulation(engine, overlay).connections())


def simulation_document(connections: Iterable[Connection]) -> dict[str, object]:
    """Return the flows as the JSON document of `pepmesh simulate -o json`."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Simulation",
        "connections": [
            {
                "source": connection.source,
                "destination": connection.destination,
                "protocol": connection.protocol,
                "ports": [list(span) for span in connection.ports],
            }
            for connection in connections
        ],
    }


class _Simulation:
    def __init__(self, engine: Engine, overlay: Overlay) -> None:
        self._table = engine.table
        self._allowed = Allowed(engine)
        self._profiles: dict[Profile, list[Owner]] = {}
        for owner in find_owners(engine.table, overlay):
            self._profiles.setdefault(owner.endpoints, []).append(owner)

    def connections(self) -> Iterator[Connection]:
        for profile, owners in self._profiles.items():
            yield from self._to_owners(profile, owners)
            for direction in Direction:
                yield from self._outside(profile, owners, direction)

    def _to_owners(self, profile: Profile, owners: list[Owner]) -> Iterator[Connection]:
        for other, others in self._profiles.items():
            ports = split_keys(self._union(profile, other))
            for protocol, spans in ports:
                for source in owners:
                    for destination in others:
                        if source.name != destination.name:
                            yield Connection(
                                source.name, destination.name, protocol, spans
                            )

    def _union(self, sources: Profile, destinations: Profile) -> tuple[KeyRange, ...]:
        """Return the keys that some endpoint may use towards some other."""
        found = [self._allowed.keys(s, d) for s in sources for d in destinations]
        return found[0] if len(found) == 1 else merge(found)

    def _outside(
        self, profile: Profile, owners: list[Owner], direction: Direction
    ) -> Iterator[Connection]:
        for span, ports in self._spans(profile, direction):
            for protocol, port_spans in ports:
                for owner in owners:
                    names = owner.name, str(span)
                    if direction is Direction.INGRESS:
                        names = names[1], names[0]
                    yield Connection(*names, protocol, port_spans)

    def _spans(self, profile: Profile, direction: Direction) -> Iterator[Row]:
        """Yield the ranges outside that one profile sends to or hears from."""
        has_ipv6 = any(subject.addresses6 for subject in self._table.subjects)
        for version in (4, 6) if has_ipv6 else (4,):
            spans = make_spans(self._starts(profile, direction, version), version)
            rows = (
                (span, split_keys(self._keys_at(profile, span.first, direction)))
                for span in spans
                if not is_for_members(self._table, span.first)
            )
            yield from _join(rows)

    def _starts(
        self, profile: Profile, direction: Direction, version: int
    ) -> list[int]:
        """Where the answers of a profile's own subjects can change."""
        rows = (e.workload for e in profile if e.workload is not None)
        numbers = {
            number
            for row in rows
            for _, number in self._table.subjects_of(row, direction)
        }
        subjects = self._table.subjects
        starts = starts_of(addresses_of(subjects[n], version) for n in numbers)
        blocks = (start for start, _ in self._table.member_blocks if version == 4)
        return sorted({*starts, *blocks})

    def _keys_at(
        self, profile: Profile, address: IPAddress, direction: Direction
    ) -> tuple[KeyRange, ...]:
        outside = frozenset((Endpoint(None, address),))
        if direction is Direction.EGRESS:
            return self._union(profile, outside)
        return self._union(outside, profile)


def _join(rows: Iterable[Row]) -> Iterator[Row]:
    """Make one range of neighbours with equal ports; drop those without any."""
    last: Row | None = None
    for span, ports in rows:
        if last and last[1] == ports and int(last[0].last) + 1 == int(span.first):
            last = AddressSpan(last[0].first, span.last), ports
            continue
        if last and last[1]:
            yield last
        last = span, ports
    if last and last[1]:
        yield last

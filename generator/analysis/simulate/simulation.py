"""All allowed flows of a mesh, by the built module's own answers.

Flows are between named owners, and between them and addresses outside the cluster.
A flow is listed if some endpoint of the source may reach some endpoint of the
destination; flows of an owner to itself are left out. Owners on the host network are
listed with everything that no other side forbids, since nothing enforces them.

Where rules look at requests, a line says which: what it lists is then allowed for some
requests only. All other lines hold for every request, and for what is not HTTP.

Address ranges are as long as possible: neighbours with equal answers for an owner and
direction are one range. Ranges where only members live are not outside, and left out.
IPv6 ranges are listed only if some policy speaks of IPv6 addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from generator.analysis.api_version import API_VERSION
from generator.analysis.engine import Engine
from generator.analysis.key_ranges import PortSpan, ProtocolPorts, split_keys
from generator.analysis.request_rules import RequestTexts
from generator.analysis.simulate.mesh_flows import Cell, MeshFlows, Pairs
from generator.analysis.spans import AddressSpan
from generator.overlay.model import Overlay
from generator.policy.model import Direction

Lines = tuple[tuple[ProtocolPorts, tuple[str, ...]], ...]
"""Ports of each protocol, and the rules that look at requests there."""


@dataclass(frozen=True, slots=True, order=True)
class Connection:
    """An allowed flow: who, to whom, and on which ports of one protocol.

    `http` has the rules that decide by request, in short; empty: all is allowed.
    """

    source: str
    destination: str
    protocol: str
    ports: tuple[PortSpan, ...]
    http: tuple[str, ...] = ()


def simulate(engine: Engine, overlay: Overlay) -> list[Connection]:
    """Return all allowed flows, sorted; ask the module for every class of flows."""
    return list_connections(MeshFlows(engine, overlay))


def list_connections(flows: MeshFlows) -> list[Connection]:
    """Return all allowed flows, sorted."""
    found = _Listing(flows)
    return sorted([*found.between_owners(), *found.with_outside()], key=_order)


def simulation_document(connections: Iterable[Connection]) -> dict[str, object]:
    """Return the flows as the JSON document of `pepmesh simulate -o json`.

    Only flows that depend on the request have `http`.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": "Simulation",
        "connections": [_fields(connection) for connection in connections],
    }


def _fields(connection: Connection) -> dict[str, object]:
    fields: dict[str, object] = {
        "source": connection.source,
        "destination": connection.destination,
        "protocol": connection.protocol,
        "ports": [list(span) for span in connection.ports],
    }
    return {**fields, "http": list(connection.http)} if connection.http else fields


def _order(connection: Connection) -> tuple[object, ...]:
    c = connection
    return c.source, c.destination, c.protocol, c.ports, c.http


class _Listing:
    """Spells the cells of a mesh, each once."""

    def __init__(self, flows: MeshFlows) -> None:
        self._flows = flows
        self._texts = RequestTexts(flows.table)
        self._lines: dict[int, Lines] = {}

    def between_owners(self) -> Iterator[Connection]:
        groups = self._flows.groups
        for row, senders in zip(self._flows.matrix(), groups, strict=True):
            for pairs, receivers in zip(row, groups, strict=True):
                for (protocol, ports), http in self._lines_of(pairs):
                    for source in senders:
                        for destination in receivers:
                            if source != destination:
                                yield Connection(
                                    source, destination, protocol, ports, http
                                )

    def with_outside(self) -> Iterator[Connection]:
        for number, owners in enumerate(self._flows.groups):
            for direction in Direction:
                rows = (
                    (span, self._lines_of(pairs))
                    for span, pairs in self._flows.outside(number, direction)
                )
                for span, lines in _join(rows):
                    yield from _outside(owners, direction, span, lines)

    def _lines_of(self, pairs: Pairs) -> Lines:
        cell = self._flows.cell(pairs)
        found = self._lines.get(cell.number)
        if found is None:
            found = self._lines[cell.number] = tuple(self._spell(cell))
        return found

    def _spell(self, cell: Cell) -> Iterator[tuple[ProtocolPorts, tuple[str, ...]]]:
        for rules, keys in cell.keys_by_rules().items():
            http = tuple(text for rule in rules for text in self._texts.of(rule))
            for protocol_ports in split_keys(keys):
                yield protocol_ports, http


def _outside(
    owners: Iterable[str], direction: Direction, span: AddressSpan, lines: Lines
) -> Iterator[Connection]:
    for (protocol, ports), http in lines:
        for owner in owners:
            ends = owner, str(span)
            if direction is Direction.INGRESS:
                ends = ends[1], ends[0]
            yield Connection(*ends, protocol, ports, http)


def _join(
    rows: Iterable[tuple[AddressSpan, Lines]],
) -> Iterator[tuple[AddressSpan, Lines]]:
    """Make one range of neighbours with equal lines; drop those without any."""
    last: tuple[AddressSpan, Lines] | None = None
    for span, lines in rows:
        if last and last[1] == lines and int(last[0].last) + 1 == int(span.first):
            last = AddressSpan(last[0].first, span.last), lines
            continue
        if last and last[1]:
            yield last
        last = span, lines
    if last and last[1]:
        yield last

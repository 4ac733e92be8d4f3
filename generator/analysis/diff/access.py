"""What flows may use, port by port, in a form in which two sides can be compared.

Where in the pipeline: `simulate -> Accesses -> pairs that differ`. A simulation has
lines of text; here they are flows with levels by key. Ranges outside the cluster are
cut differently on two sides, so those of one owner are laid over each other first: each
stretch between two bounds is a flow of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import pairwise
from typing import Final, NamedTuple

from generator.analysis.simulate.simulation import Connection
from generator.analysis.spans import AddressSpan
from generator.policy.model import Direction, Protocol
from generator.table.ports import key_of


class Level(IntEnum):
    """What a port is open to. SOME: some requests, as rules with `http` decide."""

    NOTHING = 0
    SOME = 1
    ALL = 2

    @property
    def title(self) -> str:
        return _TITLES[self]


_TITLES: Final = {
    Level.NOTHING: "nothing",
    Level.SOME: "some requests",
    Level.ALL: "all",
}


class Kind(StrEnum):
    """Which way access went. CHANGED: some of it came and some went."""

    GAINED = "gained"
    LOST = "lost"
    CHANGED = "changed"


class Piece(NamedTuple):
    """Keys `first` to `last` with one level, which is not NOTHING."""

    first: int
    last: int
    level: Level


Access = tuple[Piece, ...]
"""Disjoint and sorted pieces."""


class Step(NamedTuple):
    """Keys with one level on each side."""

    first: int
    last: int
    before: Level
    after: Level


@dataclass(frozen=True, slots=True)
class Flow:
    """Who sends to whom. `span`: the addresses of the party that has no name."""

    source: str
    destination: str
    span: AddressSpan | None = None

    @property
    def direction(self) -> Direction:
        """The side on which the owner of a flow with a span stands."""
        is_inward = self.span is not None and self.source == str(self.span)
        return Direction.INGRESS if is_inward else Direction.EGRESS

    @property
    def owner(self) -> str:
        """The party of a flow with a span that has a name."""
        is_inward = self.direction is Direction.INGRESS
        return self.destination if is_inward else self.source

    @property
    def order(self) -> tuple[str, str, int, int, int]:
        """Names first; ranges by address, not by text."""
        if self.span is None:
            return self.source, self.destination, 0, 0, 0
        first = self.span.first
        place = first.version, int(first), int(self.span.last)
        if self.direction is Direction.INGRESS:
            return "", self.destination, *place
        return self.source, "", *place


def outside_flow(owner: str, direction: Direction, span: AddressSpan) -> Flow:
    if direction is Direction.INGRESS:
        return Flow(str(span), owner, span)
    return Flow(owner, str(span), span)


Row = tuple[AddressSpan, Access]
Party = tuple[str, Direction, int]
"""An owner, the direction in which it is judged, and the version of addresses."""


@dataclass(frozen=True, slots=True)
class Accesses:
    """All that one side allows: between owners, and with addresses outside."""

    inside: dict[tuple[str, str], Access] = field(default_factory=dict)
    outside: dict[Party, list[Row]] = field(default_factory=dict)


def read_accesses(connections: Iterable[Connection]) -> Accesses:
    """Take the lines of a simulation apart."""
    pieces: dict[tuple[str, str], list[Piece]] = {}
    for connection in connections:
        ends = connection.source, connection.destination
        pieces.setdefault(ends, []).extend(_pieces(connection))
    found = Accesses()
    for (source, destination), rows in pieces.items():
        access = tuple(sorted(rows))
        if "/" not in source:
            party = destination, Direction.INGRESS, _span(source).first.version
            found.outside.setdefault(party, []).append((_span(source), access))
        elif "/" not in destination:
            party = source, Direction.EGRESS, _span(destination).first.version
            found.outside.setdefault(party, []).append((_span(destination), access))
        else:
            found.inside[source, destination] = access
    return found


def _pieces(connection: Connection) -> Iterator[Piece]:
    protocol = Protocol(connection.protocol)
    level = Level.SOME if connection.http else Level.ALL
    for first, last in connection.ports:
        yield Piece(key_of(protocol, first), key_of(protocol, last), level)


@cache
def _span(text: str) -> AddressSpan:
    first, _, last = text.partition("-")
    return AddressSpan(ip_address(first), ip_address(last))


def compare_access(before: Accesses, after: Accesses) -> Iterator[tuple[Flow, Step]]:
    """Yield what differs, and where equal levels may hide requests that differ."""
    for ends in sorted({*before.inside, *after.inside}):
        pair = before.inside.get(ends, ()), after.inside.get(ends, ())
        for step in steps(*pair):
            yield Flow(*ends), step
    for party in sorted({*before.outside, *after.outside}):
        owner, direction, version = party
        mine = before.outside.get(party, []), after.outside.get(party, [])
        for span, old, new in _overlaid(*mine, version):
            for step in steps(old, new):
                yield outside_flow(owner, direction, span), step


def steps(before: Access, after: Access) -> Iterator[Step]:
    """Lay two accesses over each other; leave out where nothing can differ."""
    if before == after and all(piece.level is Level.ALL for piece in before):
        return
    bounds = {piece.first for piece in (*before, *after)}
    bounds |= {piece.last + 1 for piece in (*before, *after)}
    old, new = _Reader(before), _Reader(after)
    for first, stop in pairwise(sorted(bounds)):
        levels = old.level_at(first), new.level_at(first)
        if levels[0] is not levels[1] or levels[0] is Level.SOME:
            yield Step(first, stop - 1, *levels)


class _Reader:
    """Reads an access at rising keys."""

    def __init__(self, access: Access) -> None:
        self._rest = list(reversed(access))

    def level_at(self, key: int) -> Level:
        while self._rest and self._rest[-1].last < key:
            self._rest.pop()
        if self._rest and self._rest[-1].first <= key:
            return self._rest[-1].level
        return Level.NOTHING


def _overlaid(
    before: list[Row], after: list[Row], version: int
) -> Iterator[tuple[AddressSpan, Access, Access]]:
    make = IPv4Address if version == 4 else IPv6Address
    bounds = {int(span.first) for span, _ in (*before, *after)}
    bounds |= {int(span.last) + 1 for span, _ in (*before, *after)}
    old, new = _by_start(before), _by_start(after)
    here: list[Row | None] = [None, None]
    for first, stop in pairwise(sorted(bounds)):
        for number, starts in enumerate((old, new)):
            here[number] = starts.get(first, _still(here[number], first))
        if any(here):
            access = [row[1] if row else () for row in here]
            yield AddressSpan(make(first), make(stop - 1)), access[0], access[1]


def _by_start(rows: Iterable[Row]) -> Mapping[int, Row]:
    return {int(row[0].first): row for row in rows}


def _still(row: Row | None, address: int) -> Row | None:
    return row if row and address <= int(row[0].last) else None

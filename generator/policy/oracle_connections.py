"""All allowed flows of a model, by asking the oracle about everything.

For tests: the result has the form of `connections` in `pepmesh simulate -o json`.
Endpoints of one `namespace/name` are one line, as in that output: a line says that
some endpoint of the source may reach some endpoint of the destination. Ports are
asked about once between each two numbers at which an answer can change, addresses
outside likewise; then what is equal and adjacent is joined.

Flows carry no request, and endpoints have no overlay address: what rules with `http`
or overlay CIDRs say is what they say of such flows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Final, TypedDict

from generator.policy.model import (
    BlockPeer,
    IPAddress,
    IPNetwork,
    Model,
    Protocol,
)
from generator.policy.oracle import End, HostNetwork, decide, endpoints

Range = tuple[int, int]
Ends = tuple[End, ...]

_LAST_PORT: Final = 65535
_LAST_ADDRESS: Final = {4: 2**32 - 1, 6: 2**128 - 1}


class Connection(TypedDict):
    """One line: all ports of one protocol between two names."""

    source: str
    destination: str
    protocol: str
    ports: list[list[int]]


def connections(
    model: Model,
    *,
    host_network: HostNetwork = HostNetwork.BY_ADDRESS,
    family: int = 4,
) -> list[Connection]:
    """Return all allowed flows, sorted; `family` is of the addresses outside."""
    names = _ends_by_name(model)
    ranges = list(_outside_ranges(model, family))
    starts = list(_port_starts(model))
    found: list[Connection] = []
    for protocol in Protocol:
        asker = _Asker(model, protocol, starts, host_network)
        for source, source_ends in names.items():
            for destination, destination_ends in names.items():
                if source != destination:
                    ports = asker.ports(source_ends, destination_ends)
                    found += _line(source, destination, protocol, ports)
        for name, ends in names.items():
            inward = [(r, asker.ports(_outside(r, family), ends)) for r in ranges]
            for span, ports in _join_equal(inward):
                found += _line(_spell(span, family), name, protocol, ports)
            outward = [(r, asker.ports(ends, _outside(r, family))) for r in ranges]
            for span, ports in _join_equal(outward):
                found += _line(name, _spell(span, family), protocol, ports)
    return sorted(found, key=lambda c: (c["source"], c["destination"], c["protocol"]))


class _Asker:
    """Asks the oracle about all ports of one protocol."""

    def __init__(
        self,
        model: Model,
        protocol: Protocol,
        starts: list[int],
        host_network: HostNetwork,
    ) -> None:
        self._model = model
        self._protocol = protocol
        self._host_network = host_network
        ends = [start - 1 for start in starts[1:]] + [_LAST_PORT]
        self._ranges = list(zip(starts, ends, strict=True))

    def ports(self, sources: Ends, destinations: Ends) -> tuple[Range, ...]:
        """Return the ports at which some source may reach some destination."""
        allowed = [r for r in self._ranges if self._any(sources, destinations, r[0])]
        return tuple(_join(allowed))

    def _any(self, sources: Ends, destinations: Ends, port: int) -> bool:
        return any(
            decide(
                self._model,
                source,
                destination,
                self._protocol,
                port,
                host_network=self._host_network,
            ).allowed
            for source in sources
            for destination in destinations
        )


def _ends_by_name(model: Model) -> Mapping[str, Ends]:
    names: dict[str, Ends] = {}
    for member in model.members:
        name = f"{member.namespace}/{member.name}"
        names[name] = names.get(name, ()) + endpoints(member)
    return names


def _port_starts(model: Model) -> Iterable[int]:
    """Return the ports at which an answer can change, in order."""
    starts = {1}
    for policy in model.policies:
        for rule in policy.rules:
            for port in rule.ports or ():
                if port.first is not None and port.last is not None:
                    starts |= {port.first, port.last + 1}
    for member in model.members:
        for declared in member.ports:
            starts |= {declared.number, declared.number + 1}
    return sorted(start for start in starts if start <= _LAST_PORT)


def _outside_ranges(model: Model, family: int) -> Iterator[Range]:
    """Yield ranges of addresses within which no answer changes."""
    starts = {0}
    for block in _blocks(model):
        if block.version == family:
            starts.add(int(block.network_address))
            starts.add(int(block.broadcast_address) + 1)
    ordered = sorted(start for start in starts if start <= _LAST_ADDRESS[family])
    last = [start - 1 for start in ordered[1:]] + [_LAST_ADDRESS[family]]
    yield from zip(ordered, last, strict=True)


def _blocks(model: Model) -> Iterator[IPNetwork]:
    for policy in model.policies:
        for rule in policy.rules:
            for peer in rule.peers or ():
                if isinstance(peer, BlockPeer):
                    yield peer.cidr
                    yield from peer.excepts


def _address(number: int, family: int) -> IPAddress:
    return IPv4Address(number) if family == 4 else IPv6Address(number)


def _outside(span: Range, family: int) -> Ends:
    return (_address(span[0], family),)


def _spell(span: Range, family: int) -> str:
    return f"{_address(span[0], family)}-{_address(span[1], family)}"


def _join(ranges: Iterable[Range]) -> Iterator[Range]:
    """Join ranges that touch; they come in order."""
    current: Range | None = None
    for first, last in ranges:
        if current is not None and current[1] + 1 == first:
            current = current[0], last
            continue
        if current is not None:
            yield current
        current = first, last
    if current is not None:
        yield current


def _join_equal(
    answers: Iterable[tuple[Range, tuple[Range, ...]]],
) -> Iterator[tuple[Range, tuple[Range, ...]]]:
    """Join neighbouring address ranges that have the same ports."""
    by_ports: dict[tuple[Range, ...], list[Range]] = {}
    for span, ports in answers:
        by_ports.setdefault(ports, []).append(span)
    for ports, spans in by_ports.items():
        for span in _join(spans):
            yield span, ports


def _line(
    source: str, destination: str, protocol: Protocol, ports: tuple[Range, ...]
) -> list[Connection]:
    if not ports:
        return []
    pairs = [[first, last] for first, last in ports]
    return [
        Connection(
            source=source,
            destination=destination,
            protocol=protocol.value,
            ports=pairs,
        )
    ]

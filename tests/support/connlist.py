"""Expected connectivity of netpol-analyzer, in the form that `simulate` prints.

A line `SRC => DST : CONN` becomes one entry per protocol, as in `connections` of
`pepmesh simulate -o json`. `canonical` makes two lists comparable: it joins
neighbouring address ranges, which the analyser leaves split at every CIDR, and sorts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final, NamedTuple

from generator.policy.model import IPAddress
from generator.policy.oracle_connections import Connection

CONFORMANCE: Final = Path(__file__).parents[2].parent / "shared" / "conformance"
"""Cases written by others. A test that needs them fails without them."""

ANALYZER: Final = CONFORMANCE / "netpol-analyzer"
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")

_END: Final = re.compile(r"(?P<name>[^\[\]]+)\[(?P<kind>\w+)\]")
_RANGE: Final = re.compile(r"(?P<first>[0-9a-f.:]+)-(?P<last>[0-9a-f.:]+)")


def read_connlist(case: str) -> list[Connection]:
    """Return the expected connections of a case of netpol-analyzer."""
    folder = ANALYZER / "test_outputs" / "connlist"
    for ending in ("connlist_output.txt", "exposure_output.txt"):
        path = folder / f"{case}_{ending}"
        if path.exists():
            return parse_connlist(path.read_text())
    raise FileNotFoundError(f"no expected connections of {case} in {folder}")


def parse_connlist(text: str) -> list[Connection]:
    """Parse an expected file. What follows an empty line is another report."""
    found: list[Connection] = []
    for line in text.strip().split("\n\n")[0].splitlines():
        ends, _, ports = line.partition(" : ")
        source, _, destination = ends.partition(" => ")
        found += parse_line(_name(source), _name(destination), ports)
    return canonical(found)


def parse_line(source: str, destination: str, text: str) -> Iterator[Connection]:
    """Yield the connections that one `CONN` spells."""
    for protocol, ports in _parse_ports(text):
        yield Connection(
            source=source, destination=destination, protocol=protocol, ports=ports
        )


def canonical(connections: Iterable[Connection]) -> list[Connection]:
    """Return connections sorted, with touching address ranges joined."""
    found: list[Connection] = []
    outside: dict[_Key, list[tuple[int, int]]] = {}
    for each in connections:
        source, destination = _as_range(each["source"]), _as_range(each["destination"])
        span = source or destination
        if span is None:
            found.append(each)
            continue
        name = each["destination"] if source else each["source"]
        ports = tuple((first, last) for first, last in each["ports"])
        key = _Key(bool(source), name, each["protocol"], ports, span[0].version)
        outside.setdefault(key, []).append((int(span[0]), int(span[1])))
    for key, spans in outside.items():
        found += [_join_line(key, *span) for span in _join(sorted(spans))]
    return sorted(found, key=lambda c: (c["source"], c["destination"], c["protocol"]))


class _Key(NamedTuple):
    """What address ranges must have in common to be one."""

    is_source: bool
    name: str
    protocol: str
    ports: tuple[tuple[int, int], ...]
    version: int


def _join_line(key: _Key, first: int, last: int) -> Connection:
    family = IPv4Address if key.version == 4 else IPv6Address
    span = f"{family(first)}-{family(last)}"
    return Connection(
        source=span if key.is_source else key.name,
        destination=key.name if key.is_source else span,
        protocol=key.protocol,
        ports=[[first, last] for first, last in key.ports],
    )


def _join(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in spans:
        if joined and joined[-1][1] + 1 == first:
            joined[-1] = joined[-1][0], last
        else:
            joined.append((first, last))
    return joined


def _as_range(name: str) -> tuple[IPAddress, IPAddress] | None:
    match = _RANGE.fullmatch(name)
    if match is None:
        return None
    return ip_address(match["first"]), ip_address(match["last"])


def _name(text: str) -> str:
    match = _END.fullmatch(text.strip())
    assert match, f"cannot read {text!r}"
    return match["name"]


def _parse_ports(text: str) -> Iterator[tuple[str, list[list[int]]]]:
    """Yield protocols and ports of `TCP 80,90-92,UDP 53` or `All Connections`."""
    if text == "No Connections":
        return
    if text == "All Connections":
        for protocol in PROTOCOLS:
            yield protocol, [[1, 65535]]
        return
    protocol, ports = "", list[list[int]]()
    for part in text.split(","):
        word, space, numbers = part.rpartition(" ")
        if space:
            if protocol:
                yield protocol, ports
            protocol, ports = word, []
        first, _, last = numbers.partition("-")
        ports.append([int(first), int(last or first)])
    yield protocol, ports

"""Ports as ranges of keys, and many rules over one line of keys.

`flatten([(first, last, rule), ...])` gives disjoint ranges in which the rule with the
lowest id, the first in the order of evaluation, holds:

    rule 3: [80, 90]   rule 7: [85, 99]   ->   [80, 90] 3, [91, 99] 7
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from filters.layout import SCTP, TCP, UDP
from generator.overlay.model import Workload
from generator.policy.model import PortMatch, Protocol
from generator.table.chains import Chains
from generator.table.model import PortList, PortRange

PROTOCOL_NUMBERS: Final = {Protocol.TCP: TCP, Protocol.UDP: UDP, Protocol.SCTP: SCTP}
LAST_PORT: Final = 0xFFFF
EVERY_KEY: Final = (0, SCTP << 16 | LAST_PORT)

KeyRange = tuple[int, int]


def key_of(protocol: Protocol, port: int) -> int:
    return PROTOCOL_NUMBERS[protocol] << 16 | port


def key_ranges(
    ports: Sequence[PortMatch] | None, destination: Workload | None
) -> list[KeyRange]:
    """Return the keys that a rule's ports match at a destination.

    A named port is looked up on the destination workload, by name and, if it is given,
    protocol; on an address (None) it matches nothing.
    """
    if ports is None:
        return [EVERY_KEY]
    return [found for port in ports for found in _key_ranges(port, destination)]


def _key_ranges(port: PortMatch, destination: Workload | None) -> list[KeyRange]:
    if port.name:
        if destination is None:
            return []
        return [
            (key_of(protocol, number), key_of(protocol, number))
            for protocol in ([port.protocol] if port.protocol else Protocol)
            for number in destination.port_numbers(port.name, protocol)
        ]
    assert port.protocol is not None, "only a named port has no protocol"
    if port.first is None:
        return [(key_of(port.protocol, 0), key_of(port.protocol, LAST_PORT))]
    last = port.first if port.last is None else port.last
    return [(key_of(port.protocol, port.first), key_of(port.protocol, last))]


def flatten(ranges: Collection[tuple[int, int, int]], chains: Chains) -> PortList:
    """Make disjoint, sorted ranges; the lowest rule wins, equal neighbours merge.

    Where the lowest rule asks about the request, `chains` gets all that count.
    """
    if not ranges:
        return ()
    rows = sorted(set(ranges))
    if len(rows) == 1:
        ((first, last, rule),) = rows
        return (chains.port_range(first, last, [rule]),)
    found: list[PortRange] = []
    here: list[int] = []  # the rules between two bounds, sorted
    turns = sorted(_turns(rows))
    for (start, is_start, rule), (stop, _, _) in pairwise(turns):
        if is_start:
            insort(here, rule)
        else:
            del here[bisect_left(here, rule)]
        if here and start < stop:
            rules = dict.fromkeys(here) if here[0] in chains.http else here[:1]
            _append(found, chains.port_range(start, stop - 1, list(rules)))
    return tuple(found)


def _turns(rows: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, bool, int]]:
    """Yield where each range starts and where it no longer holds."""
    for first, last, rule in rows:
        yield first, True, rule
        yield last + 1, False, rule


def _append(ranges: list[PortRange], new: PortRange) -> None:
    """Add a range, or widen the last one if it touches and has the same rule."""
    last = ranges[-1] if ranges else None
    if (
        last
        and last.last + 1 == new.first
        and (last.rule, last.chain) == (new.rule, new.chain)
    ):
        new = new._replace(first=ranges.pop().first)
    ranges.append(new)

"""Ranges of keys (protocol << 16 | port) as people and JSON have them.

    ((0x50, 0x50), (0x10000, 0x1FFFF)) -> TCP 80-80, UDP 1-65535

Port 0 is no port: it is in no answer, and "all ports" is 1 to 65535.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from generator.policy.model import Protocol
from generator.table.ports import LAST_PORT, PROTOCOL_NUMBERS, KeyRange

PortSpan = tuple[int, int]
ProtocolPorts = tuple[Protocol, tuple[PortSpan, ...]]


def merge(lists: Iterable[Iterable[KeyRange]]) -> tuple[KeyRange, ...]:
    """Return the union of some lists, sorted; ranges that touch become one."""
    found: list[KeyRange] = []
    for first, last in sorted(key for keys in lists for key in keys):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return tuple(found)


def split_keys(keys: Iterable[KeyRange]) -> list[ProtocolPorts]:
    """Return the ports by protocol; protocols without a port are left out."""
    rows = tuple(keys)
    found: list[ProtocolPorts] = []
    for protocol, number in PROTOCOL_NUMBERS.items():
        low, high = number << 16 | 1, number << 16 | LAST_PORT
        spans = tuple(
            (max(first, low) & LAST_PORT, min(last, high) & LAST_PORT)
            for first, last in rows
            if first <= high and last >= low
        )
        if spans:
            found.append((protocol, spans))
    return found


def ports_text(spans: Iterable[PortSpan]) -> str:
    """Spell port ranges: "80,8000-8100"."""
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def keys_text(keys: Iterable[KeyRange]) -> str:
    """Spell the ports of all protocols: "TCP 80,8000-8100, UDP 53", "all ports"."""
    return protocols_text(split_keys(keys))


def protocols_text(found: Sequence[ProtocolPorts]) -> str:
    """Spell ports by protocol, as `keys_text` does."""
    everything = ((1, LAST_PORT),)
    if [spans for _, spans in found] == [everything] * len(Protocol):
        return "all ports"
    return ", ".join(
        f"{protocol} {'all ports' if spans == everything else ports_text(spans)}"
        for protocol, spans in found
    )

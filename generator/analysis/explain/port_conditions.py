"""Why a rule's ports do not hold the port of a flow, in words.

port 8443 is not in 8000-8100
port 8443 is not http (8080 at shop/cart)
it is TCP, rule wants UDP 53
"""

from __future__ import annotations

from generator.analysis.explain.flow_ends import Asked
from generator.analysis.explain.misses import Field, Miss, Misses
from generator.overlay.model import port_numbers
from generator.policy.model import (
    BlockPeer,
    Direction,
    Peer,
    PortMatch,
    Protocol,
    protocols_of,
)
from generator.wording import listed


def port_misses(
    ports: tuple[PortMatch, ...] | None, asked: Asked, peer: Peer | None
) -> Misses:
    """Return what keeps a list of ports from matching; `peer` matched the other end."""
    if ports is None or any(_holds(port, asked, peer) for port in ports):
        return ()
    if not ports:
        return (Miss(Field.PORT, "the rule's list of ports is empty"),)
    mine = [port for port in ports if asked.protocol in protocols_of(port)]
    if not mine:
        wanted = listed(dict.fromkeys(_protocol_text(port) for port in ports))
        return (Miss(Field.PROTOCOL, f"it is {asked.protocol}, rule wants {wanted}"),)
    texts = list(dict.fromkeys(_port_text(port, asked, peer) for port in mine))
    if len(texts) > 1:
        wanted = f"none of {listed(texts)}"
    else:
        is_range = mine[0].first != mine[0].last
        wanted = f"not in {texts[0]}" if is_range else f"not {texts[0]}"
    return (Miss(Field.PORT, f"port {asked.port} is {wanted}"),)


def _holds(port: PortMatch, asked: Asked, peer: Peer | None) -> bool:
    if asked.protocol not in protocols_of(port):
        return False
    if port.name:
        return asked.port in _numbers(port, asked, peer)
    if port.first is None:
        return True
    return port.first <= asked.port <= _last(port)


def _last(port: PortMatch) -> int:
    assert port.first is not None
    return port.first if port.last is None else port.last


def _numbers(port: PortMatch, asked: Asked, peer: Peer | None) -> tuple[int, ...]:
    """Look a name up at the destination; an address has no port names.

    A destination that a block matched is an address to that rule.
    """
    member = asked.destination.member
    by_block = asked.direction is Direction.EGRESS and isinstance(peer, BlockPeer)
    if member is None or by_block:
        return ()
    return port_numbers(member, port.name, asked.protocol)


def _port_text(port: PortMatch, asked: Asked, peer: Peer | None) -> str:
    if not port.name:
        last = _last(port)
        return str(port.first) if last == port.first else f"{port.first}-{last}"
    place = asked.destination.title
    numbers = _numbers(port, asked, peer)
    if not numbers:
        return f"{port.name} (not declared by {place})"
    return f"{port.name} ({listed(map(str, numbers))} at {place})"


def _protocol_text(port: PortMatch) -> str:
    protocol = port.protocol or Protocol.TCP
    if port.name:
        return f"{protocol} {port.name}"
    if port.first is None:
        return str(protocol)
    last = _last(port)
    return f"{protocol} {port.first}" + (f"-{last}" if last != port.first else "")

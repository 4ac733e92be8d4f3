"""What a rule matches at one subject: whom, on which ports.

An *area* is a set of atoms and a range of keys (protocol << 16 | port). A rule is a
list of areas, as a table's rules are, but for certain and perhaps: what depends on
addresses or numbers that manifests do not tell is never counted as covered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from generator.lint.atoms import NOBODY, Atoms, Reached
from generator.lint.index import Bits
from generator.overlay.model import port_numbers
from generator.policy.model import (
    AccountPeer,
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    Member,
    NodePeer,
    OverlayPeer,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    protocols_of,
)
from generator.table.ports import EVERY_KEY, LAST_PORT, KeyRange, key_of

_EVERY_TCP: Final = (key_of(Protocol.TCP, 0), key_of(Protocol.TCP, LAST_PORT))


@dataclass(frozen=True, slots=True)
class Area:
    reached: Reached
    keys: KeyRange


def reached_by(peer: Peer, policy: Policy, rule: PolicyRule, atoms: Atoms) -> Reached:
    """Return whom a peer matches. Nodes and names fail closed, as in the table."""
    match peer:
        case PodPeer():
            return _pods(peer, policy, atoms)
        case AccountPeer():
            found = atoms.index.account(peer)
            return Reached(found, found)
        case BlockPeer():
            return atoms.block(peer)
        case OverlayPeer():
            # Which numbers members have stands in the lock file.
            return Reached(0, atoms.members.perhaps)
        case DomainPeer() | NodePeer():
            if rule.action is Action.ACCEPT:
                return Reached(0, atoms.outside)
            return Reached(atoms.outside, atoms.outside)


def _pods(peer: PodPeer, policy: Policy, atoms: Atoms) -> Reached:
    found = atoms.index.select(peer, policy.namespace)
    is_everyone = peer.namespaces is not None and not (
        peer.namespaces.requirements or (peer.pods and peer.pods.requirements)
    )
    return atoms.members if is_everyone else Reached(found, found)


def areas_of(
    rule: PolicyRule, policy: Policy, subject: Member, atoms: Atoms
) -> tuple[Area, ...]:
    """Return what a rule matches at a subject; nothing if it needs a PEP."""
    if rule.via:
        return ()
    return tuple(_areas(rule, policy, subject, atoms))


def _areas(
    rule: PolicyRule, policy: Policy, subject: Member, atoms: Atoms
) -> Iterator[Area]:
    peers = [(peer, reached_by(peer, policy, rule, atoms)) for peer in rule.peers or ()]
    pairs: list[tuple[Peer | None, Reached]] = (
        [(None, atoms.everybody)] if rule.peers is None else [*peers]
    )
    for peer, reached in pairs:
        if reached == NOBODY:
            continue
        if rule.ports is None:
            keys = _EVERY_TCP if rule.http is not None else EVERY_KEY
            yield Area(reached, keys)
        for port in rule.ports or ():
            if not port.name:
                yield Area(reached, _numbered(port))
            elif rule.direction is Direction.INGRESS:
                yield from (Area(reached, keys) for keys in named_at(port, subject))
            elif not isinstance(peer, BlockPeer | NodePeer | DomainPeer):
                yield from _named_at_peers(port, reached, atoms)


def _numbered(port: PortMatch) -> KeyRange:
    assert port.protocol is not None, "only a named port has no protocol"
    if port.first is None:
        return key_of(port.protocol, 0), key_of(port.protocol, LAST_PORT)
    last = port.first if port.last is None else port.last
    return key_of(port.protocol, port.first), key_of(port.protocol, last)


def named_at(port: PortMatch, member: Member) -> list[KeyRange]:
    """Return the keys of a named port at a member."""
    return [
        (key_of(protocol, number),) * 2
        for protocol in protocols_of(port)
        for number in port_numbers(member, port.name, protocol)
    ]


def _named_at_peers(port: PortMatch, reached: Reached, atoms: Atoms) -> Iterator[Area]:
    """Look a named port up at every member that a peer matches."""
    for protocol in protocols_of(port):
        numbers = atoms.index.by_port.get((port.name, protocol), {})
        for number, members in numbers.items():
            found = Reached(reached.certain & members, reached.perhaps & members)
            if found != NOBODY:
                yield Area(found, (key_of(protocol, number),) * 2)


def named_ports_at(member: Member, rules: Iterable[PolicyRule]) -> object:
    """Tell members apart by the numbers of the ports that ingress rules name."""
    return tuple(
        tuple(named_at(port, member))
        for rule in rules
        for port in rule.ports or ()
        if port.name
    )


def bits_on(areas: Iterable[Area], first: int, *, is_certain: bool) -> Bits:
    """Return whom areas match at the key `first`."""
    found = 0
    for area in areas:
        if area.keys[0] <= first <= area.keys[1]:
            reached = area.reached
            found |= reached.certain if is_certain else reached.perhaps
    return found

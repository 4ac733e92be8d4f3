"""Everybody who can be the other side of a flow, as bits of a number.

The bits of members (`index`) come first. After them, for every stretch of addresses
between two bounds of the policies' blocks, two bits: somebody outside the cluster at
such an address, and a member whose address the manifests do not tell, if it has such
an address. So a set says what a rule matches whatever addresses pods will get.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, reduce
from ipaddress import ip_network
from operator import or_
from typing import Final

from generator.lint.index import Bits, MemberIndex
from generator.policy.model import BlockPeer, IPNetwork, Model

_END: Final = {4: 1 << 32, 6: 1 << 128}


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a peer matches: `certain` is what it takes from rules after it, `perhaps`
    what rules before it must leave to it, if it is to decide anything."""

    certain: Bits
    perhaps: Bits


NOBODY = Reached(0, 0)


@dataclass
class Atoms:
    """The bits of one model."""

    index: MemberIndex
    _starts: dict[int, list[int]] = field(default_factory=dict)
    _first: dict[int, int] = field(default_factory=dict)
    _known: dict[BlockPeer, Reached] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Cut both lines of addresses at the bounds of all blocks."""
        networks = list(_networks(self.index.model))
        first = self._count
        for version, end in _END.items():
            found = {0}
            for network in networks:
                if network.version == version:
                    found |= {int(network.network_address), _after(network)}
            self._starts[version] = sorted(found - {end})
            self._first[version] = first
            first += 2 * len(self._starts[version])
        self._size = first

    @property
    def _count(self) -> int:
        return len(self.index.model.members)

    @cached_property
    def everybody(self) -> Reached:
        """All members and all addresses outside.

        What is on the host network is seen as an address only.
        """
        return Reached(
            self._members_at_addresses | self.outside | self._members,
            self.outside | self._members,
        )

    @cached_property
    def members(self) -> Reached:
        """All members.

        Whoever covers all of them covers them at every address; but a rule about all
        of them decides something only if it does so for one of them.
        """
        return Reached(self._members_at_addresses | self._members, self._members)

    @property
    def _members(self) -> Bits:
        return self.index.everybody & ~self.index.on_host_network

    @cached_property
    def outside(self) -> Bits:
        """All addresses of nobody in the cluster."""
        return sum(1 << number for number in range(self._count, self._size, 2))

    @property
    def _members_at_addresses(self) -> Bits:
        return self.outside << 1

    def block(self, peer: BlockPeer) -> Reached:
        """Return whom a block holds."""
        if peer not in self._known:
            self._known[peer] = self._block(peer)
        return self._known[peer]

    def _block(self, peer: BlockPeer) -> Reached:
        addresses = self._stretch(peer.cidr)
        for network in peer.excepts:
            addresses &= ~self._stretch(network)
        certain = perhaps = 0
        for number, mine in self._stretches_of_members.items():
            inside = mine & addresses
            certain |= (inside == mine) << number
            perhaps |= bool(inside) << number
        return Reached(addresses | certain, addresses | perhaps)

    @cached_property
    def _stretches_of_members(self) -> dict[int, Bits]:
        """The stretches where members of known address are, by member."""
        found: dict[int, Bits] = {}
        for number, member in enumerate(self.index.model.members):
            if member.addresses and not member.host_network:
                ones = map(self._stretch, map(ip_network, member.addresses))
                found[number] = reduce(or_, ones)
        return found

    def _stretch(self, network: IPNetwork) -> Bits:
        """Return both bits of every stretch of a network."""
        starts = self._starts[network.version]
        low = bisect_right(starts, int(network.network_address)) - 1
        high = bisect_left(starts, _after(network))
        ones = (1 << 2 * (high - low)) - 1
        return ones << (self._first[network.version] + 2 * low)


def _after(network: IPNetwork) -> int:
    return int(network.broadcast_address) + 1


def _networks(model: Model) -> Iterable[IPNetwork]:
    for policy in model.policies:
        for rule in policy.rules:
            for peer in rule.peers or ():
                if isinstance(peer, BlockPeer):
                    yield from (peer.cidr, *peer.excepts)

"""Address blocks as sorted lists of start addresses.

A block allows what is in its cidr and in none of its excepts: "except" takes from its
own block only and denies nothing that another block allows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses

from generator.policy.model import BlockPeer, IPNetwork
from generator.table.chains import Chains
from generator.table.model import AddressList, PortList
from generator.table.ports import KeyRange, flatten


@dataclass(frozen=True, slots=True)
class Block:
    """A block peer with the keys that its rule allows there."""

    peer: BlockPeer
    keys: tuple[KeyRange, ...]
    rule: int

    def holds(self, address: int) -> bool:
        inside = _holds(self.peer.cidr, address)
        return inside and not any(_holds(e, address) for e in self.peer.excepts)


def _holds(network: IPNetwork, address: int) -> bool:
    return int(network.network_address) <= address <= int(network.broadcast_address)


def address_list(
    blocks: Iterable[Block], chains: Chains, *, version: int
) -> AddressList:
    """Say for every address of one family what the blocks allow from there on."""
    mine = [b for b in blocks if b.peer.cidr.version == version and b.keys]
    rows: list[tuple[int, PortList]] = []
    for start in _bounds(network for b in mine for network in _networks(b)):
        keys = [(*key, b.rule) for b in mine if b.holds(start) for key in b.keys]
        ports = flatten(keys, chains)
        if not rows or rows[-1][1] != ports:
            rows.append((start, ports))
    return tuple(rows) if mine else ()


def _networks(block: Block) -> tuple[IPNetwork, ...]:
    return (block.peer.cidr, *block.peer.excepts)


def _bounds(networks: Iterable[IPNetwork]) -> list[int]:
    """Every address at which some network begins, or one past where it ends."""
    found = {0}
    for network in networks:
        found.add(int(network.network_address))
        after = int(network.broadcast_address) + 1
        if after < 1 << network.max_prefixlen:
            found.add(after)
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Homes:
    """Where members are known to live: addresses that manifests have, and ranges that
    only members have. Merged, sorted spans of IPv4 addresses."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, networks: Iterable[IPv4Network]) -> Homes:
        merged = sorted(collapse_addresses(networks))
        return cls(
            tuple(int(network.network_address) for network in merged),
            tuple(int(network.broadcast_address) for network in merged),
        )

    def meet(self, network: IPNetwork) -> bool:
        """Tell whether some member may have an address of a network."""
        if network.version != 4:
            return False
        place = bisect_left(self.ends, int(network.network_address))
        last = int(network.broadcast_address)
        return place < len(self.starts) and self.starts[place] <= last


def member_blocks(networks: Iterable[IPv4Network]) -> tuple[tuple[int, bool], ...]:
    """Say for every IPv4 address whether only members live there."""
    known = list(networks)
    rows: list[tuple[int, bool]] = []
    for start in _bounds(known):
        inside = any(_holds(network, start) for network in known)
        if not rows or rows[-1][1] != inside:
            rows.append((start, inside))
    return tuple(rows)

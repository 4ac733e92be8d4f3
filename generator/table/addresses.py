"""Address blocks as sorted lists of start addresses.

A block allows what is in its cidr and in none of its excepts: "except" takes from its
own block only and denies nothing that another block allows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from itertools import groupby
from operator import itemgetter

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


def _holds(network: IPNetwork, address: int) -> bool:
    return int(network.network_address) <= address <= int(network.broadcast_address)


def address_list(
    blocks: Iterable[Block], chains: Chains, *, version: int
) -> AddressList:
    """Say for every address of one family what the blocks allow from there on."""
    mine = [b for b in blocks if b.peer.cidr.version == version and b.keys]
    if not mine:
        return ()
    rows: list[tuple[int, PortList]] = []
    inside: set[int] = set()
    excepted: Counter[int] = Counter()
    turns = sorted(_turns(mine))
    for start, group in groupby([(0, 0, False, 0), *turns], key=itemgetter(0)):
        for _, number, is_except, step in group:
            if is_except:
                excepted[number] += step
            elif step > 0:
                inside.add(number)
            elif step < 0:
                inside.remove(number)
        holding = (mine[number] for number in inside if not excepted[number])
        ports = flatten([(*k, b.rule) for b in holding for k in b.keys], chains)
        if not rows or rows[-1][1] != ports:
            rows.append((start, ports))
    return tuple(rows)


def _turns(blocks: Sequence[Block]) -> Iterator[tuple[int, int, bool, int]]:
    """Yield where networks of blocks begin (1) and where they are over (-1).

    An address, the number of the block, and whether it is one of its excepts.
    """
    for number, block in enumerate(blocks):
        networks = (block.peer.cidr, *block.peer.excepts)
        for place, network in enumerate(networks):
            yield int(network.network_address), number, place > 0, 1
            after = int(network.broadcast_address) + 1
            if after < 1 << network.max_prefixlen:
                yield after, number, place > 0, -1


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

"""Lines of ports and of addresses say at every point what the rules there say."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from generator.policy.model import BlockPeer, HttpMatch
from generator.table.addresses import Block, address_list
from generator.table.chains import Chains
from generator.table.model import NO_CHAIN, AddressList, PortList
from generator.table.ports import flatten

Ruled = tuple[int, int, int]

ASKING = 3
"""The rule that asks about the request."""


def ruled() -> st.SearchStrategy[Ruled]:
    point = st.integers(0, 12)
    return st.tuples(point, point, st.integers(0, 5)).map(
        lambda drawn: (min(drawn[:2]), max(drawn[:2]), drawn[2])
    )


@given(st.lists(ruled(), max_size=8))
def test_ports(rows: list[Ruled]) -> None:
    chains = Chains({ASKING: (HttpMatch(methods=("GET",)),)})
    found = flatten(rows, chains)
    for key in range(-1, 14):
        rules = sorted({rule for first, last, rule in rows if first <= key <= last})
        assert decided(found, chains, key) == until_certain(rules)
    for one, other in pairwise(found):
        assert one.last < other.first
        is_alike = (one.rule, one.chain) == (other.rule, other.chain)
        assert not is_alike or one.last + 1 < other.first


def until_certain(rules: list[int]) -> list[int]:
    """Rules behind one that asks nothing never decide."""
    if rules and rules[0] == ASKING:
        return rules[:2]
    return rules[:1]


def decided(ports: PortList, chains: Chains, key: int) -> list[int]:
    """All rules that may decide on a key."""
    for row in ports:
        if row.first <= key <= row.last:
            if row.chain == NO_CHAIN:
                return [row.rule]
            return [one.rule for one in chains.made[row.chain].alternatives]
    return []


def networks() -> st.SearchStrategy[IPv4Network]:
    """Blocks at both ends of all addresses, so that they meet and nest."""
    places = st.sampled_from((0, 0xFFFFFFF0))
    offsets = st.integers(0, 15)
    return st.builds(
        lambda place, offset, bits: IPv4Network((place + offset, bits), strict=False),
        *(places, offsets, st.integers(28, 32) | st.just(0)),
    )


def blocks() -> st.SearchStrategy[Block]:
    peers = st.builds(
        BlockPeer, networks(), st.lists(networks(), max_size=2).map(tuple)
    )
    keys = st.sampled_from((((1, 9),), ((2, 2), (4, 9))))
    return st.builds(Block, peers, keys, st.integers(0, 5))


@given(st.lists(blocks(), max_size=5))
def test_addresses(given_blocks: list[Block]) -> None:
    chains = Chains()
    found = address_list(given_blocks, chains, version=4)
    assert bool(found) == bool(given_blocks)
    starts = [start for start, _ in found]
    assert starts == sorted(set(starts)) and starts[:1] in ([], [0])
    for address in (*range(18), *range(0xFFFFFFEE, 0x100000000)):
        keys = [
            (*key, block.rule)
            for block in given_blocks
            if holds(block, address)
            for key in block.keys
        ]
        assert at(found, address) == flatten(keys, chains)


def holds(block: Block, address: int) -> bool:
    cidr, excepts = block.peer.cidr, block.peer.excepts
    return is_in(cidr, address) and not any(is_in(one, address) for one in excepts)


def is_in(network: object, address: int) -> bool:
    assert isinstance(network, IPv4Network)
    first, last = int(network.network_address), int(network.broadcast_address)
    return first <= address <= last


def at(addresses: AddressList, address: int) -> PortList:
    said: PortList = ()
    for start, ports in addresses:
        if start <= address:
            said = ports
    return said

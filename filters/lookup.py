"""Look rules up: what does one subject say about one peer on one key?

From wide to narrow: all members or all outside, a realm, a class, an address. Each
level has a port list at most; the rule with the lowest id wins, since ids are the order
of evaluation. What is found is left in SEARCH.
"""

from __future__ import annotations

from typing import Final

from filters.http import consider_chain
from filters.lang import View, Words, u32
from filters.layout import (
    ADDRESS4_BYTES,
    ADDRESS6_BYTES,
    ANY_INSTANCE,
    FLAG_IPV4_INSTANCES,
    FLAGS_AT,
    IS_CHAIN,
    LEVEL_LOCAL,
    LEVEL_REALM,
    LEVEL_WIDE,
    LOCAL_PEER_AT,
    LOCAL_PEERS,
    NONE,
    PEER_BYTES,
    RANGE_BYTES,
    WIDE_PEER_AT,
    WIDE_PEERS,
    Section,
)
from filters.party import Kind, Party
from filters.search import SEARCH
from filters.table import section_offset, section_rows, word, workload_row

REALM_MASK: Final = 0xFFFF

WANTED = Words(4)


def find_rule(
    subject: u32,
    own_word1: u32,
    at: u32,
    peer: Party,
    key: u32,
    requests: u32,
    pairs: View,
) -> None:
    """Leave the first rule of a subject that matches in SEARCH.

    `at` is the subject's row; `own_word1` has its realm, whose own namespace some
    rules mean; `key`, `requests` and `pairs` are what the flow is (filters/decide.py).
    """
    if peer.kind != Kind.MEMBER:
        consider(word(u32(at + 8)), key, requests, pairs)
        consider(address_list(at, peer), key, requests, pairs)
        return
    consider(word(u32(at + 4)), key, requests, pairs)
    offset = workload_row(peer.word2)
    if offset == NONE or word(offset) >> 16 == 0:
        return
    levels = word(u32(at + 20))
    realm = peer.word1 & REALM_MASK
    if (levels & LEVEL_REALM) != 0:
        consider(peer_list(subject, realm), key, requests, pairs)
    if (levels & LEVEL_WIDE) != 0:
        number = word(u32(offset + WIDE_PEER_AT))
        consider(peer_list(subject, u32(WIDE_PEERS + number)), key, requests, pairs)
    if (levels & LEVEL_LOCAL) != 0 and realm == own_word1 & REALM_MASK:
        number = word(u32(offset + LOCAL_PEER_AT))
        consider(peer_list(subject, u32(LOCAL_PEERS + number)), key, requests, pairs)
    if (word(FLAGS_AT) & FLAG_IPV4_INSTANCES) != 0 and peer.word3 != 0:
        list4 = word(u32(at + 12))
        if peer.word3 == ANY_INSTANCE:
            consider(word(u32(at + 24)), key, requests, pairs)
        elif list4 != 0:
            consider(find_address4(list4, peer.word3), key, requests, pairs)


def address_list(at: u32, peer: Party) -> u32:
    """The port list of an address outside the overlay; 0 if none."""
    if peer.kind == Kind.IPV4:
        list4 = word(u32(at + 12))
        return 0 if list4 == 0 else find_address4(list4, peer.word3)
    if peer.kind == Kind.IPV6:
        list6 = word(u32(at + 16))
        if list6 != 0:
            WANTED[0] = peer.word0
            WANTED[1] = peer.word1
            WANTED[2] = peer.word2
            WANTED[3] = peer.word3
            return find_address6(list6)
    return 0


def peer_hash(subject: u32, peer: u32) -> u32:
    """Spread (subject, peer) over 32 bits; the encoder uses the same function."""
    mixed = u32(subject * 0x9E3779B1) ^ u32(peer * 0x85EBCA77)
    return mixed ^ (mixed >> 15)


def peer_list(subject: u32, peer: u32) -> u32:
    """Find the port list that a subject has for a peer; 0 if none."""
    start = section_offset(Section.PEERS)
    mask = u32(section_rows(Section.PEERS) - 1)
    slot = peer_hash(subject, peer) & mask
    while True:
        at = u32(start + slot * PEER_BYTES)
        found = word(at)
        if found == NONE:
            return 0
        if found == subject and word(u32(at + 4)) == peer:
            return word(u32(at + 8))
        slot = u32(slot + 1) & mask


def consider(ports: u32, key: u32, requests: u32, pairs: View) -> None:
    """Take the rule of the port range that holds `key`, if it comes first."""
    if ports == 0:
        return
    at = u32(ports + 4)
    low: u32 = 0
    high = word(ports)
    while low < high:
        middle = (low + high) >> 1
        if word(u32(at + middle * RANGE_BYTES + 4)) < key:
            low = u32(middle + 1)
        else:
            high = u32(middle)
    if low == word(ports):
        return
    at = u32(at + low * RANGE_BYTES)
    first = word(at)
    if first > key:
        SEARCH.last_key = min(SEARCH.last_key, u32(first - 1))
        return
    SEARCH.last_key = min(SEARCH.last_key, word(u32(at + 4)))
    rule = word(u32(at + 8))
    if (rule & IS_CHAIN) != 0:
        consider_chain(rule & ~IS_CHAIN, requests, pairs)
    else:
        SEARCH.best = min(SEARCH.best, rule)


def find_address4(addresses: u32, wanted: u32) -> u32:
    """Second word of the last row whose IPv4 start is at or below `wanted`."""
    low: u32 = 0
    high = word(addresses)
    while u32(low + 1) < high:
        middle = u32((low + high) >> 1)
        if word(u32(addresses + 4 + middle * ADDRESS4_BYTES)) <= wanted:
            low = middle
        else:
            high = middle
    return word(u32(addresses + 8 + low * ADDRESS4_BYTES))


def find_address6(addresses: u32) -> u32:
    """Port list of the last row whose IPv6 start is at or below WANTED."""
    low: u32 = 0
    high = word(addresses)
    while u32(low + 1) < high:
        middle = u32((low + high) >> 1)
        if starts_at_or_below(u32(addresses + 4 + middle * ADDRESS6_BYTES)):
            low = middle
        else:
            high = middle
    return word(u32(addresses + 20 + low * ADDRESS6_BYTES))


def starts_at_or_below(at: u32) -> bool:
    for i in range(4):
        start = word(u32(at + i * 4))
        if start != WANTED[i]:
            return start < WANTED[i]
    return True

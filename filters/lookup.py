"""Look rules up: what does one subject say about one peer on one key?

From wide to narrow: all members or all outside, a realm, a class, an address. Each
level has a port list at most; the rule with the lowest id wins, since ids are the order
of evaluation. What is found is left in SEARCH.
"""

from __future__ import annotations

from filters.http import consider_chain
from filters.lang import View, Words, u32
from filters.layout import (
    ANY_INSTANCE,
    FLAG_IPV4_INSTANCES,
    FLAGS_AT,
    LEVEL_BITS,
    LONG_LIST,
    NONE,
    Column,
    Level,
    Section,
)
from filters.party import Kind, Party
from filters.search import SEARCH
from filters.table import (
    field,
    field_in,
    header_word,
    next_slot,
    optional,
    place_of,
    rows,
    slot,
    workload_row,
)

WANTED = Words(4)


def find_rule(
    subject: u32, own_realm: u32, peer: Party, key: u32, requests: u32, pairs: View
) -> None:
    """Leave the first rule of a subject that matches in SEARCH.

    `own_realm` is the subject's realm id, whose own namespace some rules mean; `key`,
    `requests` and `pairs` are what the flow is (filters/decide.py).
    """
    levels = field(Column.SUBJECT_LEVELS, subject)
    if peer.kind != Kind.MEMBER:
        if (levels & 1 << Level.OUTSIDE) != 0:
            consider(peer_list(subject, Level.OUTSIDE, 0), key, requests, pairs)
        consider(address_list(subject, peer), key, requests, pairs)
        return
    if (levels & 1 << Level.MEMBERS) != 0:
        consider(peer_list(subject, Level.MEMBERS, 0), key, requests, pairs)
    row = workload_row(peer.word2)
    if row == NONE:
        return
    realm = field(Column.WORKLOAD_REALM, row)
    if (levels & 1 << Level.REALM) != 0:
        consider(peer_list(subject, Level.REALM, realm), key, requests, pairs)
    if (levels & 1 << Level.REALM_CLASS) != 0:
        number = field(Column.REALM_CLASS, u32(realm - 1))
        consider(peer_list(subject, Level.REALM_CLASS, number), key, requests, pairs)
    if (levels & 1 << Level.WIDE) != 0:
        number = field(Column.WORKLOAD_WIDE, row)
        consider(peer_list(subject, Level.WIDE, number), key, requests, pairs)
    if (levels & 1 << Level.LOCAL) != 0 and realm == own_realm:
        number = field(Column.WORKLOAD_LOCAL, row)
        consider(peer_list(subject, Level.LOCAL, number), key, requests, pairs)
    if (header_word(FLAGS_AT) & FLAG_IPV4_INSTANCES) != 0 and peer.word3 != 0:
        if peer.word3 != ANY_INSTANCE:
            consider(list_of_address4(subject, peer.word3), key, requests, pairs)
        elif (levels & 1 << Level.ANY_ADDRESS) != 0:
            consider(peer_list(subject, Level.ANY_ADDRESS, 0), key, requests, pairs)


# --- peers -----------------------------------------------------------------------


def peer_key(level: u32, number: u32) -> u32:
    """What a subject knows a peer by: all of a level, a realm id, or a class."""
    return u32(number << LEVEL_BITS | level)


def peer_hash(peer: u32) -> u32:
    """Spread a peer's key over 32 bits; the encoder uses the same function."""
    return u32(peer * 0x9E3779B1)


def peer_list(subject: u32, level: u32, number: u32) -> u32:
    """Find the port list that a subject has for a peer, or NONE."""
    peer = peer_key(level, number)
    keys = place_of(Column.PEER_KEY)
    first = field(Column.SUBJECT_FIRST_PEER, subject)
    slots = field(Column.SUBJECT_PEERS, subject)
    place = slot(peer_hash(peer), slots)
    for _ in range(slots):
        at = u32(first + place)
        found = field_in(keys, at)
        if found == peer:
            return field(Column.PEER_LIST, at)
        if found == 0:
            return NONE
        place = next_slot(place, slots)
    return NONE


# --- ports -----------------------------------------------------------------------


def consider(ports: u32, key: u32, requests: u32, pairs: View) -> None:
    """Take the rule of the port range that holds `key`, if it comes first."""
    if ports == NONE:
        return
    low = ports
    end = u32(ports + field(Column.RANGE_LEFT, ports) + 1)
    high = end
    if u32(end - ports) > LONG_LIST:
        few, many = narrow(optional(Column.RANGE_INDEX, ports), key, u32(end - ports))
        low = u32(ports + few)
        high = u32(ports + many)
    lasts = place_of(Column.RANGE_LAST)
    while low < high:
        middle = u32((low + high) >> 1)
        if field_in(lasts, middle) < key:
            low = u32(middle + 1)
        else:
            high = middle
    if low == end:
        return
    first = field(Column.RANGE_FIRST, low)
    if first > key:
        SEARCH.last_key = min(SEARCH.last_key, u32(first - 1))
        return
    SEARCH.last_key = min(SEARCH.last_key, field_in(lasts, low))
    rule = field(Column.RANGE_DECISION, low)
    rules = rows(Section.RULES)
    if rule < rules:
        SEARCH.best = min(SEARCH.best, rule)
    else:
        consider_chain(u32(rule - rules), requests, pairs)


def narrow(index: u32, key: u32, last: u32) -> tuple[u32, u32]:
    """The rows of a list, from its first on, between which a key's is.

    So the search in a long list takes as many halvings as its rows are crowded around
    the key, not as many as there are. `last` is what holds without an index.
    """
    if index == NONE:
        return 0, last
    base = field(Column.INDEX_BASE, index)
    if key < base:
        return 0, 0
    step = u32(key - base) >> (field(Column.INDEX_SHIFT, index) & 31)
    step = min(step, u32(field(Column.INDEX_STEPS, index) - 2))
    at = u32(field(Column.INDEX_FIRST_STEP, index) + step)
    return field(Column.STEP_ROW, at), field(Column.STEP_ROW, u32(at + 1))


# --- addresses -------------------------------------------------------------------


def address_list(subject: u32, peer: Party) -> u32:
    """The port list of an address outside the overlay, or NONE."""
    if peer.kind == Kind.IPV4:
        return list_of_address4(subject, peer.word3)
    if peer.kind == Kind.IPV6:
        WANTED[0] = peer.word0
        WANTED[1] = peer.word1
        WANTED[2] = peer.word2
        WANTED[3] = peer.word3
        return list_of_address6(subject)
    return NONE


def list_of_address4(subject: u32, address: u32) -> u32:
    first = field(Column.SUBJECT_FIRST_ADDRESS4, subject)
    count = field(Column.SUBJECT_ADDRESSES4, subject)
    if count == 0:
        return NONE
    few: u32 = 0
    many = u32(count - 1)
    if count > LONG_LIST:
        few, many = narrow(optional(Column.SUBJECT_INDEX4, subject), address, many)
    low = u32(first + few)
    high = u32(first + many)
    place = last_start(Column.ADDRESS4_START, low, high, address)
    return optional(Column.ADDRESS4_LIST, place)


def last_start(column: u32, first: u32, last: u32, wanted: u32) -> u32:
    """The last of some rows whose start is at or below `wanted`, else the first."""
    low = first
    high = last
    starts = place_of(column)
    while low < high:
        middle = u32((low + high + 1) >> 1)
        if field_in(starts, middle) <= wanted:
            low = middle
        else:
            high = u32(middle - 1)
    return low


def list_of_address6(subject: u32) -> u32:
    """The port list of the last row whose IPv6 start is at or below WANTED."""
    low = field(Column.SUBJECT_FIRST_ADDRESS6, subject)
    high = u32(low + field(Column.SUBJECT_ADDRESSES6, subject))
    if low == high:
        return NONE
    while u32(low + 1) < high:
        middle = u32((low + high) >> 1)
        if starts_at_or_below(middle):
            low = middle
        else:
            high = middle
    return optional(Column.ADDRESS6_LIST, low)


def starts_at_or_below(row: u32) -> bool:
    for i in range(4):
        start = field(u32(Column.ADDRESS6_START0 + i), row)
        if start != WANTED[i]:
            return start < WANTED[i]
    return True

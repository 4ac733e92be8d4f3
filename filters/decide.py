"""The decision: may this source reach this destination on this port, by which rule?

A *party* is a member (kind MEMBER, four words of its overlay address) or an address
outside the overlay. `judge` asks the source's egress subject about the destination
and the destination's ingress subject about the source; both must allow.

Cost: a handful of look-ups per direction, whatever the number of rules and workloads.
Within a tier a rule with a lower id wins; rule ids are the order of evaluation. Only
subjects of the normal tier have a default rule: they are isolated in that direction.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from filters.lang import Words, record, u32
from filters.layout import (
    ACTION_ACCEPT,
    ACTION_DENY,
    ACTION_SHIFT,
    ADDRESS4_BYTES,
    ADDRESS6_BYTES,
    AUDIT_OFFSET,
    EGRESS_SET_AT,
    FLAG_AUDITED,
    FLAG_IPV4_INSTANCES,
    FLAGS_AT,
    INGRESS_SET_AT,
    LEVEL_LOCAL,
    LEVEL_REALM,
    LEVEL_WIDE,
    LOCAL_PEER_AT,
    LOCAL_PEERS,
    NONE,
    PEER_BYTES,
    RANGE_BYTES,
    RULE_BYTES,
    SET_BYTES,
    SUBJECT_BYTES,
    TIERS,
    WIDE_PEER_AT,
    WIDE_PEERS,
    Section,
)
from filters.table import row, section_offset, section_rows, word, workload_row

REALM_MASK: Final = 0xFFFF


class Kind(IntEnum):
    """What a party is."""

    MEMBER = 0  # words: the overlay address
    IPV4 = 1  # words: 0, 0, 0, the address
    IPV6 = 2  # words: the address
    UNKNOWN = 3  # outside, address not known: only rules for any peer match


class Verdict(IntEnum):
    NO_MATCH = 0  # not judged in this direction: the subject is outside the overlay
    ALLOW = 1
    DENY = 2


@record
class Party:
    kind: u32 = 0
    word0: u32 = 0
    word1: u32 = 0
    word2: u32 = 0
    word3: u32 = 0


@record
class Judgement:
    """Both directions, and the last key for which the answer is the same."""

    egress: u32 = 0
    egress_rule: u32 = 0xFFFFFFFF
    ingress: u32 = 0
    ingress_rule: u32 = 0xFFFFFFFF
    last_key: u32 = 0


# The best rule so far of the direction being judged, and where its answer ends.
best_rule: u32 = 0xFFFFFFFF
last_key: u32 = 0

WANTED = Words(4)


def judge(
    source: Party, destination: Party, key: u32, audited: bool, out: Judgement
) -> None:
    """Judge a flow; `key` is protocol << 16 | port. The table must be valid.

    `audited` asks what would be if audited policies were enforced.
    """
    global last_key
    last_key = key | 0xFFFF
    out.egress = Verdict.ALLOW
    out.egress_rule = NONE
    out.ingress = Verdict.ALLOW
    out.ingress_rule = NONE
    shift: u32 = AUDIT_OFFSET if audited else 0
    if not is_same_endpoint(source, destination):
        if source.kind == Kind.MEMBER:
            subjects = set_of(source, u32(EGRESS_SET_AT + shift))
            out.egress = judge_set(subjects, source.word1, destination, key)
            out.egress_rule = best_rule
        else:
            out.egress = Verdict.NO_MATCH
        if destination.kind == Kind.MEMBER:
            subjects = set_of(destination, u32(INGRESS_SET_AT + shift))
            out.ingress = judge_set(subjects, destination.word1, source, key)
            out.ingress_rule = best_rule
        else:
            out.ingress = Verdict.NO_MATCH
    out.last_key = last_key


def is_audited() -> bool:
    """Tell whether the table has policies that are audited, not enforced."""
    return (word(FLAGS_AT) & FLAG_AUDITED) != 0


def is_same_endpoint(source: Party, destination: Party) -> bool:
    """A pod is always allowed to reach itself by its own address."""
    return (
        source.kind == Kind.MEMBER
        and destination.kind == Kind.MEMBER
        and source.word2 == destination.word2
        and source.word3 == destination.word3
        and source.word3 != 0
    )


def set_of(party: Party, at: u32) -> u32:
    """Offset of a member's subject set, named at byte `at` of its row, or NONE."""
    offset = workload_row(party.word2)
    if offset == NONE or word(offset) >> 16 == 0:
        return NONE
    return row(Section.SUBJECT_SETS, word(u32(offset + at)), SET_BYTES)


def judge_set(subjects: u32, own_word1: u32, peer: Party, key: u32) -> u32:
    """Judge one direction, tier by tier; leave what decided it in `best_rule`.

    Admin rules come first, then NetworkPolicy, which is final for whom it isolates,
    then Baseline; Pass leaves the tier; what nobody speaks about is allowed.
    `own_word1` has the realm of the subject, whose own namespace some rules mean.
    """
    global best_rule
    best_rule = NONE
    if subjects == NONE:
        return Verdict.DENY
    for tier in range(TIERS):
        subject = word(u32(subjects + tier * 4))
        if subject != NONE:
            at = row(Section.SUBJECTS, subject, SUBJECT_BYTES)
            find_rule(subject, own_word1, at, peer, key)
            if best_rule == NONE:
                best_rule = word(at)
                if best_rule != NONE:
                    return Verdict.DENY
            elif rule_action(best_rule) == ACTION_ACCEPT:
                return Verdict.ALLOW
            elif rule_action(best_rule) == ACTION_DENY:
                return Verdict.DENY
            best_rule = NONE
    return Verdict.ALLOW


def rule_action(rule: u32) -> u32:
    return (word(u32(row(Section.RULES, rule, RULE_BYTES) + 4)) >> ACTION_SHIFT) & 3


def find_rule(subject: u32, own_word1: u32, at: u32, peer: Party, key: u32) -> None:
    """Leave the first rule of a subject that matches in `best_rule`."""
    if peer.kind == Kind.MEMBER:
        consider_member(subject, own_word1, at, peer, key)
    else:
        consider(word(u32(at + 8)), key)
        consider_address(at, peer, key)


def consider_member(
    subject: u32, own_word1: u32, at: u32, peer: Party, key: u32
) -> None:
    """Look at what the subject says of all members, a realm, a class, an address."""
    consider(word(u32(at + 4)), key)
    levels = word(u32(at + 20))
    realm = peer.word1 & REALM_MASK
    offset = workload_row(peer.word2)
    if offset == NONE or word(offset) >> 16 == 0:
        return
    if (levels & LEVEL_REALM) != 0:
        consider(peer_list(subject, realm), key)
    if (levels & LEVEL_WIDE) != 0:
        number = word(u32(offset + WIDE_PEER_AT))
        consider(peer_list(subject, u32(WIDE_PEERS + number)), key)
    if (levels & LEVEL_LOCAL) != 0 and realm == own_word1 & REALM_MASK:
        number = word(u32(offset + LOCAL_PEER_AT))
        consider(peer_list(subject, u32(LOCAL_PEERS + number)), key)
    if (word(FLAGS_AT) & FLAG_IPV4_INSTANCES) != 0 and peer.word3 != 0:
        list4 = word(u32(at + 12))
        if list4 != 0:
            consider(find_address4(list4, peer.word3), key)


def consider_address(at: u32, peer: Party, key: u32) -> None:
    """Look at what the subject says of an address outside the overlay."""
    if peer.kind == Kind.IPV4:
        list4 = word(u32(at + 12))
        if list4 != 0:
            consider(find_address4(list4, peer.word3), key)
    elif peer.kind == Kind.IPV6:
        list6 = word(u32(at + 16))
        if list6 != 0:
            WANTED[0] = peer.word0
            WANTED[1] = peer.word1
            WANTED[2] = peer.word2
            WANTED[3] = peer.word3
            consider(find_address6(list6), key)


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


def consider(ports: u32, key: u32) -> None:
    """Take the rule of the port range that holds `key`, if it comes first."""
    global best_rule, last_key
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
        last_key = min(last_key, u32(first - 1))
        return
    last_key = min(last_key, word(u32(at + 4)))
    best_rule = min(best_rule, word(u32(at + 8)))


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

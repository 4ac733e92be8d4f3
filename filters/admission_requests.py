"""Admission of chains, automata and conditions. Part of `admission`."""

from __future__ import annotations

from filters.inside import is_list, is_rule, is_text
from filters.lang import u32, u64
from filters.layout import (
    ALTERNATIVE_BYTES,
    CHAIN_BYTES,
    CONDITION_HEAD_BYTES,
    EDGE_BYTES,
    HAS_PATHS,
    HEADER_NEGATED,
    HEADER_PRESENT,
    HEADER_TEST_BYTES,
    NONE,
    PATH_BYTES,
    PATH_KINDS,
    STATE_BYTES,
    Section,
)
from filters.table import row, section_offset, section_rows, word


def check_chains() -> bool:
    for i in range(section_rows(Section.CHAINS)):
        at = row(Section.CHAINS, i, CHAIN_BYTES)
        if not is_rule(word(at)) or word(u32(at + 4)) >= section_rows(Section.STATES):
            return False
        if not is_alternatives(word(u32(at + 8))):
            return False
        if not is_alternatives(word(u32(at + 12))):
            return False
    return True


def check_states() -> bool:
    for i in range(section_rows(Section.STATES)):
        at = row(Section.STATES, i, STATE_BYTES)
        if not is_state(word(at)) or not is_alternatives(word(u32(at + 4))):
            return False
    return True


def check_edges() -> bool:
    for i in range(section_rows(Section.EDGES)):
        at = row(Section.EDGES, i, EDGE_BYTES)
        is_known = is_text(word(u32(at + 4))) and is_state(word(u32(at + 8)))
        if word(at) != NONE and not is_known:
            return False
    return True


def is_state(state: u32) -> bool:
    return state == NONE or state < section_rows(Section.STATES)


def is_alternatives(offset: u32) -> bool:
    """Alternatives in the order of evaluation, each of a known rule."""
    if not is_list(offset, ALTERNATIVE_BYTES):
        return False
    previous: u32 = 0
    for i in range(word(offset)):
        at = u32(offset + 4 + i * ALTERNATIVE_BYTES)
        rule = word(at) & ~HAS_PATHS
        if rule < previous or rule >= section_rows(Section.RULES):
            return False
        if not is_condition(word(u32(at + 4))):
            return False
        previous = rule
    return True


def is_condition(offset: u32) -> bool:
    """A condition, or none: it lies inside LISTS, and its texts are texts."""
    if offset == 0:
        return True
    start = section_offset(Section.LISTS)
    end = u64(start + u64(section_rows(Section.LISTS)) * 4)
    if offset < start or offset + CONDITION_HEAD_BYTES > end or (offset & 3) != 0:
        return False
    texts = u64(word(offset)) + word(u32(offset + 4))
    headers = word(u32(offset + 8))
    first = u64(offset + CONDITION_HEAD_BYTES)
    tests = u64(first + u64(texts) * 4)
    paths = u64(tests + u64(headers) * HEADER_TEST_BYTES)
    count = word(u32(offset + 12))
    if paths + u64(count) * PATH_BYTES > end:
        return False
    for i in range(count):
        at = u32(paths + i * PATH_BYTES)
        if word(at) >= PATH_KINDS or not is_text(word(u32(at + 4))):
            return False
    for i in range(u32(texts)):
        if not is_text(word(u32(first + i * 4))):
            return False
    for i in range(headers):
        if not is_header_test(u32(tests + i * HEADER_TEST_BYTES)):
            return False
    return True


def is_header_test(at: u32) -> bool:
    if not is_text(word(at)) or not is_text(word(u32(at + 4))):
        return False
    return word(u32(at + 8)) & ~HEADER_NEGATED <= HEADER_PRESENT

"""Admission of the embedded rule table: what is refused, and never repaired.

`table_is_valid` runs once per VM, before any request. It refuses what is truncated,
altered, of another version, or points outside itself; every row that a later look-up
can reach is then known to lie inside the table.
"""

from __future__ import annotations

from filters.admission_requests import check_chains, check_edges, check_states
from filters.inside import is_list, is_rule, is_text
from filters.lang import View, embedded, load_u32, u32, u64
from filters.layout import (
    ADDRESS4_BYTES,
    ADDRESS6_BYTES,
    BACKEND_BYTES,
    CHAIN_BYTES,
    CHECKSUM_AT,
    EDGE_BYTES,
    FIRST_ROW_AT,
    IDENTITY_BYTES,
    INGRESS_SET_AT,
    IS_CHAIN,
    MAGIC,
    MAGIC_AT,
    NONE,
    PEER_BYTES,
    POLICY_BYTES,
    PORT_BYTES,
    RANGE_BYTES,
    REALM_BYTES,
    RULE_BYTES,
    SECTIONS,
    SET_BYTES,
    SIZE_AT,
    STATE_BYTES,
    SUBJECT_BYTES,
    TARGET_BYTES,
    TIERS,
    VERSION,
    VERSION_AT,
    WORKLOAD_BYTES,
    Section,
)
from filters.table import row, section_offset, section_rows, word

checked: u32 = 0  # 0 not yet, 1 valid, 2 refused


def table_is_valid() -> bool:
    """Tell whether the embedded table may be used; checked once per VM."""
    global checked
    if checked == 0:
        checked = 2
        if check_table():
            checked = 1
    return checked == 1


def check_table() -> bool:
    return check_header() and check_sections() and check_rows()


def check_header() -> bool:
    table = embedded(b"table")
    if len(table) < FIRST_ROW_AT or (len(table) & 3) != 0:
        return False
    if load_u32(table, MAGIC_AT) != MAGIC or load_u32(table, VERSION_AT) != VERSION:
        return False
    if load_u32(table, SIZE_AT) != len(table):
        return False
    low = u64(load_u32(table, CHECKSUM_AT))
    high = u64(load_u32(table, CHECKSUM_AT + 4))
    return u64(low | (high << 32)) == checksum(table)


def checksum(table: View) -> u64:
    """FNV-1a over 32-bit words, the checksum's own two words left out.

    Each step is a bijection of the state, so any change within one word shows.
    """
    state: u64 = 0xCBF29CE484222325
    for i in range(len(table) // 4):
        if i != CHECKSUM_AT // 4 and i != CHECKSUM_AT // 4 + 1:
            state = u64((state ^ load_u32(table, u32(i * 4))) * 0x100000001B3)
    return state


def row_bytes_of(section: u32) -> u32:
    """Bytes of one row; texts count bytes and lists count words."""
    if section == Section.STRINGS:
        return 1
    if section == Section.LABEL_KEYS or section == Section.LISTS:
        return 4
    if section == Section.MEMBER_BLOCKS:
        return 4
    if section == Section.REALMS:
        return REALM_BYTES
    if section == Section.WORKLOADS:
        return WORKLOAD_BYTES
    if section == Section.IDENTITIES:
        return IDENTITY_BYTES
    if section == Section.TARGETS:
        return TARGET_BYTES
    if section == Section.PORTS or section == Section.PEERS:
        return PORT_BYTES
    if section == Section.BACKENDS:
        return BACKEND_BYTES
    if section == Section.SUBJECT_SETS:
        return SET_BYTES
    if section == Section.SUBJECTS:
        return SUBJECT_BYTES
    if section == Section.RULES:
        return RULE_BYTES
    if section == Section.CHAINS:
        return CHAIN_BYTES
    if section == Section.EDGES:
        return EDGE_BYTES
    if section == Section.STATES:
        return STATE_BYTES
    return POLICY_BYTES


def check_sections() -> bool:
    """Sections follow one another without gaps, except for padding to a word."""
    at: u32 = FIRST_ROW_AT
    for section in range(SECTIONS):
        offset = section_offset(section)
        rows = section_rows(section)
        if offset != at or rows > len(embedded(b"table")):
            return False
        size = u64(u64(rows) * row_bytes_of(section))
        if at + size > len(embedded(b"table")):
            return False
        at = u32((at + size + 3) & 0xFFFFFFFC)
    return at == len(embedded(b"table"))


def check_rows() -> bool:
    return (
        check_texts(Section.LABEL_KEYS, 4, 0)
        and check_texts(Section.REALMS, REALM_BYTES, 4)
        and check_workloads()
        and check_hash(Section.IDENTITIES, IDENTITY_BYTES, 16, 0)
        and check_hash(Section.TARGETS, TARGET_BYTES, 0, 0)
        and check_targets()
        and check_slices(Section.PORTS, PORT_BYTES, 4, Section.BACKENDS)
        and check_sets()
        and check_subjects()
        and check_hash(Section.PEERS, PEER_BYTES, 0, NONE)
        and check_peers()
        and check_member_blocks()
        and check_rules()
        and check_policies()
        and check_chains()
        and check_states()
        and check_hash(Section.EDGES, EDGE_BYTES, 0, NONE)
        and check_edges()
    )


def check_texts(section: u32, row_bytes: u32, at: u32) -> bool:
    for i in range(section_rows(section)):
        if not is_text(word(u32(row(section, i, row_bytes) + at))):
            return False
    return True


def check_workloads() -> bool:
    for i in range(section_rows(Section.WORKLOADS)):
        at = row(Section.WORKLOADS, i, WORKLOAD_BYTES)
        if word(at) >> 16 != 0:
            if not is_text(word(u32(at + 4))):
                return False
            for place in range(4):
                found = word(u32(at + INGRESS_SET_AT + place * 4))
                if found >= section_rows(Section.SUBJECT_SETS):
                    return False
    return True


def check_sets() -> bool:
    for i in range(section_rows(Section.SUBJECT_SETS)):
        at = row(Section.SUBJECT_SETS, i, SET_BYTES)
        for tier in range(TIERS):
            subject = word(u32(at + tier * 4))
            if subject != NONE and subject >= section_rows(Section.SUBJECTS):
                return False
    return True


def check_hash(section: u32, row_bytes: u32, at: u32, empty: u32) -> bool:
    """An open-addressed section: a power of two rows, at least one of them empty."""
    rows = section_rows(section)
    if rows == 0 or (rows & (rows - 1)) != 0:
        return False
    for i in range(rows):
        if word(u32(row(section, i, row_bytes) + at)) == empty:
            return True
    return False


def is_slice(first: u32, count: u32, section: u32) -> bool:
    return first + count <= section_rows(section)


def check_slices(section: u32, row_bytes: u32, at: u32, into: u32) -> bool:
    for i in range(section_rows(section)):
        offset = u32(row(section, i, row_bytes) + at)
        if not is_slice(word(offset), word(u32(offset + 4)), into):
            return False
    return True


def check_targets() -> bool:
    for i in range(section_rows(Section.TARGETS)):
        at = row(Section.TARGETS, i, TARGET_BYTES)
        if word(at) != 0:
            if word(u32(at + 4)) >> 16 >= section_rows(Section.REALMS):
                return False
            if not is_text(word(u32(at + 8))):
                return False
            if not is_slice(word(u32(at + 12)), word(u32(at + 16)), Section.PORTS):
                return False
    return True


def check_subjects() -> bool:
    for i in range(section_rows(Section.SUBJECTS)):
        at = row(Section.SUBJECTS, i, SUBJECT_BYTES)
        if not is_rule(word(at)) or not is_ports(word(u32(at + 4))):
            return False
        if not is_ports(word(u32(at + 8))) or not is_ports(word(u32(at + 24))):
            return False
        if not is_addresses(word(u32(at + 12)), ADDRESS4_BYTES):
            return False
        if not is_addresses(word(u32(at + 16)), ADDRESS6_BYTES):
            return False
    return True


def is_ports(offset: u32) -> bool:
    """A port list, or none: ranges in order, each with a known rule."""
    if offset == 0:
        return True
    if not is_list(offset, RANGE_BYTES):
        return False
    previous: u64 = 0
    for i in range(word(offset)):
        at = u32(offset + 4 + i * RANGE_BYTES)
        first = word(at)
        last = word(u32(at + 4))
        rule = word(u32(at + 8))
        if first < previous or last < first or not is_decision(rule):
            return False
        previous = u64(u64(last) + 1)
    return True


def is_decision(rule: u32) -> bool:
    """A rule, or a chain of them."""
    if (rule & IS_CHAIN) != 0:
        return rule & ~IS_CHAIN < section_rows(Section.CHAINS)
    return rule < section_rows(Section.RULES)


def is_addresses(offset: u32, row_bytes: u32) -> bool:
    """An address list, or none; its port lists too."""
    if offset == 0:
        return True
    if not is_list(offset, row_bytes) or word(offset) == 0:
        return False
    for i in range(word(offset)):
        at = u32(offset + 4 + i * row_bytes + row_bytes - 4)
        if not is_ports(word(at)):
            return False
    return True


def check_peers() -> bool:
    for i in range(section_rows(Section.PEERS)):
        at = row(Section.PEERS, i, PEER_BYTES)
        if word(at) != NONE:
            if word(at) >= section_rows(Section.SUBJECTS):
                return False
            if word(u32(at + 8)) == 0 or not is_ports(word(u32(at + 8))):
                return False
    return True


def check_member_blocks() -> bool:
    """One IPv4 address list and nothing else."""
    rows = section_rows(Section.MEMBER_BLOCKS)
    if rows == 0:
        return False
    count = word(section_offset(Section.MEMBER_BLOCKS))
    return count > 0 and rows == 1 + u64(count) * (ADDRESS4_BYTES // 4)


def check_rules() -> bool:
    for i in range(section_rows(Section.RULES)):
        if word(row(Section.RULES, i, RULE_BYTES)) >= section_rows(Section.POLICIES):
            return False
    return True


def check_policies() -> bool:
    for i in range(section_rows(Section.POLICIES)):
        at = row(Section.POLICIES, i, POLICY_BYTES)
        if not is_text(word(u32(at + 4))) or not is_text(word(u32(at + 8))):
            return False
        if not is_text(word(u32(at + 12))):
            return False
    return True

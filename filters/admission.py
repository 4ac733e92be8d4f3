"""Admission of the embedded rule table: what is refused, and never repaired.

`table_is_valid` runs once per VM, before any request. It refuses what is truncated,
altered, of another version, or points outside itself; every row that a later look-up
can reach is then known to lie inside the table. Which columns point where is data of
`filters.layout`; only what is not a plain reference has code of its own here.
"""

from __future__ import annotations

from filters.lang import View, embedded, load_u32, u32, u64
from filters.layout import (
    ACTION_PASS,
    CHECKSUM_AT,
    COLUMNS_AT,
    FIRST_COLUMN,
    FIRST_ROW_AT,
    HEADER_PRESENT,
    MAGIC,
    MAGIC_AT,
    MAX_COLUMN_BITS,
    MAX_TABLE_BYTES,
    NONE,
    OPTIONAL_REFERENCES,
    PADDING_BYTES,
    PATH_KINDS,
    REFERENCES,
    SECTIONS,
    SIZE_AT,
    SLICES,
    TARGET_WORKLOAD,
    VERSION,
    VERSION_AT,
    Column,
    Section,
)
from filters.table import field, first_bit, optional, rows

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
    return check_header() and check_directory() and check_rows()


def check_header() -> bool:
    table = embedded(b"table")
    size = len(table)
    if size < FIRST_ROW_AT + PADDING_BYTES or (size & 3) != 0 or size > MAX_TABLE_BYTES:
        return False
    if load_u32(table, MAGIC_AT) != MAGIC or load_u32(table, VERSION_AT) != VERSION:
        return False
    if load_u32(table, SIZE_AT) != size:
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


def check_directory() -> bool:
    """Sections follow one another without gaps, and columns within their rows."""
    table = embedded(b"table")
    at: u32 = FIRST_ROW_AT * 8
    for section in range(SECTIONS):
        row_bits: u32 = 0
        for column in range(FIRST_COLUMN[section], FIRST_COLUMN[section + 1]):
            bits = column_bits(column)
            if first_bit(column) != at + row_bits or bits > MAX_COLUMN_BITS:
                return False
            row_bits = u32(row_bits + bits)
        for column in range(FIRST_COLUMN[section], FIRST_COLUMN[section + 1]):
            if load_u32(table, u32(COLUMNS_AT + column * 8 + 4)) & 0xFFFF != row_bits:
                return False
        if rows(section) > len(table):
            return False
        end = u64(at + u64(u64(rows(section)) * row_bits) + 7)
        if end > u64(len(table)) * 8:
            return False
        at = u32(end) & 0xFFFFFFF8
    size = u32((at >> 3) + PADDING_BYTES + 3) & 0xFFFFFFFC
    return column_bits(Column.STRING_BYTE) == 8 and size == len(table)


def column_bits(column: u32) -> u32:
    return load_u32(embedded(b"table"), u32(COLUMNS_AT + column * 8 + 4)) >> 16


def section_of(column: u32) -> u32:
    section: u32 = 0
    while column >= FIRST_COLUMN[u32(section + 1)]:
        section = u32(section + 1)
    return section


# --- rows ------------------------------------------------------------------------


def check_rows() -> bool:
    return (
        check_references()
        and check_optional_references()
        and check_realms()
        and check_slices()
        and check_targets()
        and check_ranges()
        and check_indexes()
        and rows(Section.MEMBER_BLOCKS) > 0
        and is_below(Column.RULE_ACTION, ACTION_PASS + 1)
        and is_below(Column.HEADER_KIND, HEADER_PRESENT + 1)
        and is_below(Column.PATH_KIND, PATH_KINDS)
        and check_order(Column.CHAIN_FIRST_ALTERNATIVE)
        and check_order(Column.CHAIN_FIRST_DOUBT)
        and check_order(Column.STATE_FIRST_ACCEPTED)
    )


def check_references() -> bool:
    for i in range(len(REFERENCES) // 2):
        if not is_below(REFERENCES[i * 2], rows(REFERENCES[i * 2 + 1])):
            return False
    return True


def check_optional_references() -> bool:
    for i in range(len(OPTIONAL_REFERENCES) // 2):
        limit = u32(rows(OPTIONAL_REFERENCES[i * 2 + 1]) + 1)
        if not is_below(OPTIONAL_REFERENCES[i * 2], limit):
            return False
    return True


def is_below(column: u32, limit: u32) -> bool:
    """Tell whether all fields of a column are below a limit."""
    for i in range(rows(section_of(column))):
        if field(column, i) >= limit:
            return False
    return True


def check_realms() -> bool:
    """A realm that is in use has a name."""
    for i in range(rows(Section.WORKLOADS)):
        if not is_named(field(Column.WORKLOAD_REALM, i)):
            return False
    for i in range(rows(Section.REALM_SLOTS)):
        if not is_named(field(Column.SLOT_REALM, i)):
            return False
    return True


def is_named(realm: u32) -> bool:
    return realm == 0 or field(Column.REALM_NAMESPACE, u32(realm - 1)) != 0


def check_slices() -> bool:
    for i in range(len(SLICES) // 2):
        column = SLICES[i * 2]
        limit = rows(SLICES[i * 2 + 1])
        for row in range(rows(section_of(column))):
            if not is_slice(column, row, limit):
                return False
    return True


def is_slice(column: u32, row: u32, limit: u32) -> bool:
    return u64(field(column, row)) + field(u32(column + 1), row) <= limit


def check_targets() -> bool:
    """What a target's slice is of depends on its kind."""
    for i in range(rows(Section.TARGETS)):
        limit = rows(Section.PORTS)
        if field(Column.TARGET_KIND, i) == TARGET_WORKLOAD:
            limit = rows(Section.BACKENDS)
        if not is_slice(Column.TARGET_FIRST, i, limit):
            return False
    return True


def check_ranges() -> bool:
    """Port lists are sorted and disjoint, and lead to rules or chains that exist."""
    count = rows(Section.RANGES)
    limit = u64(u64(rows(Section.RULES)) + rows(Section.CHAINS))
    for i in range(count):
        last = field(Column.RANGE_LAST, i)
        left = field(Column.RANGE_LEFT, i)
        if field(Column.RANGE_FIRST, i) > last:
            return False
        if field(Column.RANGE_DECISION, i) >= limit:
            return False
        if left > 0:
            after = u32(i + 1)
            if after >= count or field(Column.RANGE_LEFT, after) + 1 != left:
                return False
            if field(Column.RANGE_FIRST, after) <= last:
                return False
    return True


def check_indexes() -> bool:
    """An index has two steps at least, and leads to rows of its own list."""
    for i in range(rows(Section.INDEXES)):
        if field(Column.INDEX_STEPS, i) < 2 or field(Column.INDEX_SHIFT, i) > 31:
            return False
    for i in range(rows(Section.SUBJECTS)):
        index = optional(Column.SUBJECT_INDEX4, i)
        if not has_steps_below(index, field(Column.SUBJECT_ADDRESSES4, i)):
            return False
    for i in range(rows(Section.RANGES)):
        # One step further than the last row: no range ends at or above the key.
        limit = u32(field(Column.RANGE_LEFT, i) + 2)
        if not has_steps_below(optional(Column.RANGE_INDEX, i), limit):
            return False
    return True


def has_steps_below(index: u32, limit: u32) -> bool:
    if index == NONE:
        return True
    first = field(Column.INDEX_FIRST_STEP, index)
    for i in range(field(Column.INDEX_STEPS, index)):
        if field(Column.STEP_ROW, u32(first + i)) >= limit:
            return False
    return True


def check_order(column: u32) -> bool:
    """Alternatives stand in the order of evaluation."""
    for row in range(rows(section_of(column))):
        first = field(column, row)
        previous: u32 = 0
        for i in range(field(u32(column + 1), row)):
            rule = field(Column.ALTERNATIVE_RULE, u32(first + i))
            if rule < previous:
                return False
            previous = rule
    return True

"""Read-only view over the embedded rule table: rows and their fields.

Nothing is checked here: `filters.admission` has admitted the table before the first
request, so every row that a look-up can reach lies inside it.
"""

from __future__ import annotations

from filters.lang import View, embedded, load_u32, load_u64, u32, u64
from filters.layout import COLUMNS_AT, NONE, ROWS_AT, Column, Section


def header_word(at: u32) -> u32:
    """A word of the header, by its place."""
    return load_u32(embedded(b"table"), at)


def rows(section: u32) -> u32:
    return load_u32(embedded(b"table"), u32(ROWS_AT + section * 4))


def field(column: u32, row: u32) -> u32:
    """A field; `row` must be below the number of rows of the column's section."""
    return field_in(place_of(column), row)


def place_of(column: u32) -> u64:
    """Where a column is: its entry in the directory. Loops read it once."""
    return load_u64(embedded(b"table"), u32(COLUMNS_AT + column * 8))


def field_in(place: u64, row: u32) -> u32:
    """A field of the column at a place."""
    at = u32(place + row * ((place >> 32) & 0xFFFF))
    bits = u32(place >> 48) & 63
    return u32(load_u64(embedded(b"table"), at >> 3) >> (at & 7)) & u32((1 << bits) - 1)


def optional(column: u32, row: u32) -> u32:
    """The row that an optional field names, or NONE."""
    return u32(field(column, row) - 1)


def text(number: u32) -> View:
    """The bytes of a text."""
    first = field(Column.TEXT_FIRST_BYTE, number)
    start = u32((first_bit(Column.STRING_BYTE) >> 3) + first)
    return embedded(b"table")[start : u32(start + field(Column.TEXT_BYTES, number))]


def first_bit(column: u32) -> u32:
    return load_u32(embedded(b"table"), u32(COLUMNS_AT + column * 8))


def slot(hashed: u32, slots: u32) -> u32:
    """Where a hashed slice is looked at first: spread 32 bits over its slots.

    Look-ups go on from there, round the end, until they have found what they want, an
    empty slot, or have seen all slots.
    """
    return u32((u64(hashed) * slots) >> 32)


def next_slot(place: u32, slots: u32) -> u32:
    return 0 if place + 1 == slots else u32(place + 1)


def workload_row(workload: u32) -> u32:
    """The row of a workload id that is in use, or NONE."""
    row = u32(workload - 1)
    if row >= rows(Section.WORKLOADS) or field(Column.WORKLOAD_REALM, row) == 0:
        return NONE
    return row


def namespace(realm: u32) -> View:
    """The namespace of a realm id that is in use."""
    return text(optional(Column.REALM_NAMESPACE, u32(realm - 1)))


def rule_action(rule: u32) -> u32:
    return field(Column.RULE_ACTION, rule)

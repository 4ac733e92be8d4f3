"""Read-only view over the embedded rule table.

Nothing is checked here: `filters.admission` has admitted the table before the first
request, so every row that a look-up can reach lies inside it.
"""

from __future__ import annotations

from filters.lang import View, embedded, load_u16, load_u32, u32
from filters.layout import (
    ACTION_SHIFT,
    DIRECTORY_AT,
    NONE,
    REALM_BYTES,
    RULE_BYTES,
    WORKLOAD_BYTES,
    Section,
)


def section_offset(section: u32) -> u32:
    return load_u32(embedded(b"table"), u32(DIRECTORY_AT + section * 8))


def section_rows(section: u32) -> u32:
    return load_u32(embedded(b"table"), u32(DIRECTORY_AT + section * 8 + 4))


def word(offset: u32) -> u32:
    return load_u32(embedded(b"table"), offset)


def text(offset: u32) -> View:
    """The text whose length stands at `offset`."""
    table = embedded(b"table")
    start = u32(offset + 2)
    return table[start : u32(start + load_u16(table, offset))]


def row(section: u32, number: u32, row_bytes: u32) -> u32:
    """Offset of a row; `number` must be below the section's row count."""
    return u32(section_offset(section) + number * row_bytes)


def workload_row(workload: u32) -> u32:
    """Offset of the row of a workload id, or NONE."""
    if workload == 0 or workload > section_rows(Section.WORKLOADS):
        return NONE
    return row(Section.WORKLOADS, u32(workload - 1), WORKLOAD_BYTES)


def namespace_text(realm: u32) -> u32:
    """Offset of the text with the namespace of a realm id, or NONE."""
    for i in range(section_rows(Section.REALMS)):
        at = row(Section.REALMS, i, REALM_BYTES)
        if word(at) == realm:
            return word(u32(at + 4))
    return NONE


def rule_action(rule: u32) -> u32:
    return (word(u32(row(Section.RULES, rule, RULE_BYTES) + 4)) >> ACTION_SHIFT) & 3

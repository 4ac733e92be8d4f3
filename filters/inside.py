"""Whether what a table points at lies inside it. Part of `admission`."""

from __future__ import annotations

from filters.lang import embedded, load_u16, u32, u64
from filters.layout import NONE, Section
from filters.table import section_offset, section_rows, word


def is_text(offset: u32) -> bool:
    start = section_offset(Section.STRINGS)
    end = u32(start + section_rows(Section.STRINGS))
    if offset < start or offset + 2 > end:
        return False
    return offset + 2 + load_u16(embedded(b"table"), offset) <= end


def is_rule(rule: u32) -> bool:
    return rule == NONE or rule < section_rows(Section.RULES)


def is_list(offset: u32, row_bytes: u32) -> bool:
    start = section_offset(Section.LISTS)
    end = u64(start + u64(section_rows(Section.LISTS)) * 4)
    if offset < start or offset + 4 > end or (offset & 3) != 0:
        return False
    return offset + 4 + u64(word(offset)) * row_bytes <= end

"""Long lists are searched by an index: it leads to what a walk through them finds."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.layout import LONG_LIST, NONE, Column, Section
from filters.lookup import consider, list_of_address4, narrow
from filters.running import running
from filters.search import SEARCH
from filters.table import field, optional, rows
from generator.table.admission import why_refused
from generator.table.decode import decode_table
from generator.table.encode import encode_table
from generator.table.model import AddressList, PortList, PortRange, Subject
from tests.table.shapes import DNS, TABLE
from tests.table.test_table import ROWS, bent

ADDRESSES = st.one_of(
    st.integers(0, 2**32 - 1),  # anywhere
    st.integers(0x0A000000, 0x0A0003FF),  # a crowd
    st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]),
)
KEYS = st.one_of(
    st.integers(0, 0x2FFFF),
    st.integers(8000, 8300),
    st.sampled_from([0, 0xFFFF, 0x10000, 0x1FFFF, 0x20000, 0x2FFFF]),
)


def encoded(subject: Subject) -> bytes:
    return encode_table(replace(TABLE, subjects=(subject, *TABLE.subjects[1:])))


@st.composite
def port_lists(draw: st.DrawFn) -> PortList:
    """Disjoint ranges, from both ends of those drawn."""
    ends = sorted(draw(st.sets(KEYS, min_size=60, max_size=200)))
    pairs = zip(ends[::2], ends[1::2], strict=False)
    return tuple(PortRange(a, b, n % 9) for n, (a, b) in enumerate(pairs))


@given(port_lists(), st.lists(KEYS, min_size=1))
def test_ports(ports: PortList, keys: list[int]) -> None:
    ends = [end for row in ports for end in (row.first, row.last)]
    with running(None, {"table": encoded(Subject(outside=ports))}):
        listed = field(Column.PEER_LIST, field(Column.SUBJECT_FIRST_PEER, 0))
        for key in {*keys, *ends, *(min(end + 1, 0x2FFFF) for end in ends)}:
            SEARCH.best, SEARCH.last_key = NONE, key | 0xFFFF
            consider(listed, key, 0, b"")
            held = [row.rule for row in ports if row.first <= key <= row.last]
            assert SEARCH.best == (held[0] if held else NONE)
            after = [
                row.last if held else row.first - 1 for row in ports if row.last >= key
            ]
            assert SEARCH.last_key == min([key | 0xFFFF, *after[:1]])


@given(st.sets(ADDRESSES, min_size=25, max_size=150), st.lists(ADDRESSES, min_size=1))
def test_addresses(starts: set[int], asked: list[int]) -> None:
    found: AddressList = tuple(
        (start, DNS if n % 2 else ()) for n, start in enumerate(sorted(starts | {0}))
    )
    places = [start for start, _ in found]
    with running(None, {"table": encoded(Subject(addresses4=found))}):
        for address in {*asked, *places, *(max(start - 1, 0) for start in places)}:
            expected = found[bisect_right(places, address) - 1][1]
            assert (list_of_address4(0, address) != NONE) == bool(expected)


@cache
def crowded() -> bytes:
    """All but one of the starts are next to each other."""
    starts = [0, *range(0x0A000000, 0x0A000000 + 1000), 0xF0000000]
    return encoded(Subject(addresses4=tuple((start, DNS) for start in starts)))


def test_most_steps_lead_to_few_rows() -> None:
    spread = tuple((n << 22, DNS) for n in range(1000))
    with running(None, {"table": encoded(Subject(addresses4=spread))}):
        index = optional(Column.SUBJECT_INDEX4, 0)
        for start, _ in spread:
            few, many = narrow(index, start, 0)
            assert many - few <= 1


def test_a_crowd_is_searched_as_well() -> None:
    with running(None, {"table": crowded()}):
        index = optional(Column.SUBJECT_INDEX4, 0)
        few, many = narrow(index, 0x0A000100, 0)
        assert many - few == 999
        assert narrow(index, 0, 0) == (0, 0)


def test_short_lists_have_no_index() -> None:
    short = tuple((n << 8, DNS) for n in range(LONG_LIST))
    with running(None, {"table": encoded(Subject(addresses4=short))}):
        assert optional(Column.SUBJECT_INDEX4, 0) == NONE


def test_a_long_list_without_its_index_is_searched_whole() -> None:
    place = next(i for i, row in enumerate(ROWS[Section.SUBJECTS]) if row[6])
    data = bent(Column.SUBJECT_INDEX4, place, 0)
    assert not why_refused(data)
    for address in (0, 0x0A000000, 0x0A1FFFFF, 0x0A200000, 0xFFFFFFFF):
        asked = []
        for table in (data, encode_table(TABLE)):
            with running(None, {"table": table}):
                asked.append(list_of_address4(place, address))
        assert asked[0] == asked[1] != NONE or address == 0


def test_an_index_that_leads_out_of_its_list_is_refused() -> None:
    steps = range(len(ROWS[Section.STEPS]))
    assert steps
    for step in steps:
        assert why_refused(bent(Column.STEP_ROW, step, 1000))


@pytest.mark.parametrize(
    ("column", "value"), [(Column.INDEX_SHIFT, 32), (Column.INDEX_STEPS, 1)]
)
def test_an_index_of_odd_form_is_refused(column: Column, value: int) -> None:
    for place in range(len(ROWS[Section.INDEXES])):
        assert why_refused(bent(column, place, value))


def test_there_and_back() -> None:
    data = crowded()
    with running(None, {"table": data}):
        assert rows(Section.STEPS) > 0
    assert encode_table(decode_table(data)) == data

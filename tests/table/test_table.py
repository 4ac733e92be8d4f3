"""Rule tables: there and back, and no damaged or hostile table does harm."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import admission, decide
from filters.http import Requests
from filters.layout import (
    ADDRESS_WORD0_AT,
    CHECKSUM_AT,
    COLUMNS_AT,
    FLAGS_AT,
    OPTIONAL_REFERENCES,
    REFERENCES,
    ROWS_AT,
    SLICES,
    TARGET_SERVICE,
    TARGET_WORKLOAD,
    VERSION,
    VERSION_AT,
    Column,
    Section,
)
from filters.party import Kind, Party
from filters.request import scan
from filters.running import running
from filters.targets import find_target
from generator.analysis.engine import request_pairs
from generator.errors import TableError
from generator.policy.request import HttpRequest
from generator.table.admission import why_refused
from generator.table.decode import decode_table, section_sizes
from generator.table.encode import encode_table
from generator.table.model import RuleTable, TablePolicy
from generator.table.packing import Packed, Row, checksum, columns_of, pack, sealed
from tests.table.shapes import TABLE

DATA = encode_table(TABLE)


def test_there_and_back() -> None:
    assert decode_table(DATA) == TABLE


@given(st.binary(max_size=64))
def test_both_checksums_are_one(data: bytes) -> None:
    words = DATA[:CHECKSUM_AT] + bytes(8) + data + bytes(-len(data) % 4)
    assert checksum(words) == admission.checksum(words)


def test_same_table_same_bytes() -> None:
    assert encode_table(TABLE) == DATA


def test_an_empty_mesh_has_a_table() -> None:
    empty = RuleTable(1, True, False, (), {}, {}, (), (), (), ((0, False),), (), (), ())
    assert decode_table(encode_table(empty)) == empty


def test_section_sizes_add_up() -> None:
    sizes = section_sizes(DATA)
    assert sum(sizes.values()) == len(DATA)
    # Ids 1 to 4, of which 3 is retired; bits of realm, revoked, account, digest, wide
    # and local class, and of the twelve subjects.
    bits = 2 + 1 + 3 + 64 + 3 + 1 + (3 + 2 + 0 + 0 + 3 + 3) + (3 + 2 + 0 + 3 + 3 + 3)
    assert sizes["workloads"] == (4 * bits + 7) // 8


def test_a_name_that_does_not_fit() -> None:
    long = replace(TABLE, policies=(TablePolicy("NetworkPolicy", "", "n" * 70000, ""),))
    with pytest.raises(TableError, match="TBL0001"):
        encode_table(long)


# --- damage: "refused, never repaired" ---------------------------------------------


@given(st.integers(0, len(DATA) * 8 - 1))
def test_every_flipped_bit_is_refused(bit: int) -> None:
    damaged = bytearray(DATA)
    damaged[bit // 8] ^= 1 << bit % 8
    assert why_refused(bytes(damaged))


@given(st.integers(0, len(DATA) - 1))
def test_every_truncation_is_refused(size: int) -> None:
    assert why_refused(DATA[:size])
    with pytest.raises(TableError, match="TBL0002"):
        decode_table(DATA[:size])


def test_more_bytes_than_the_size_says_are_refused() -> None:
    assert why_refused(DATA + bytes(4))


def test_a_newer_version_is_refused() -> None:
    newer = bytearray(DATA)
    struct.pack_into("<I", newer, VERSION_AT, VERSION + 1)
    assert why_refused(sealed(bytes(newer)))


# --- hostility: refused or harmless, never a fault -----------------------------------

WORDS = st.one_of(
    st.integers(0, 64), st.integers(0, len(DATA)), st.integers(0, 2**32 - 1)
)


@given(st.lists(st.tuples(st.integers(4, len(DATA) // 4 - 1), WORDS), max_size=3))
def test_a_hostile_table_is_refused_or_harmless(edits: list[tuple[int, int]]) -> None:
    hostile = bytearray(DATA)
    for place, word in edits:
        struct.pack_into("<I", hostile, place * 4, word)
    data = sealed(bytes(hostile))
    with running(None, {"table": data}):
        if why_refused(data):
            return
        use_everything()


HEADERS = (("x-team", "blue"), ("x-team", "red"))
ASKED = (
    (Requests.NOT_HTTP, b""),
    (Requests.SOME, b""),
    (Requests.EVERY, b""),
    *(
        (Requests.GIVEN, request_pairs(HttpRequest("GET", path, "a.b:80", HEADERS)))
        for path in ("/cart/new", "/cart/", "/items", "/%2f")
    ),
)


def use_everything() -> None:
    """Look up whatever a request can look up; no exception may come out."""
    source, destination = Party(), Party()
    answer = decide.Judgement()
    for source.kind in Kind:
        for source.word2 in range(6):
            for destination.word2 in range(6):
                source.word1 = destination.word1 = 0x10001
                source.word3, destination.word3 = 0x0A000001, 0x0A000002
                for key in (80, 8050, 0x10035):
                    for requests, pairs in ASKED:
                        scan(pairs)
                        parties = source, destination
                        audited = key == 80
                        decide.judge(*parties, key, audited, requests, pairs, answer)
    find_target(b"cart.shop.svc.cluster.local")
    find_target(b"nobody.nowhere.svc.cluster.local")


# --- targets ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        (b"cart.shop.svc.cluster.local", True),
        (b"cart.v2.ops.workload.pepmesh", True),
        (b"cart.shop.workload.pepmesh", False),
        (b"cart.ops.svc.cluster.local", False),
        (b"cart.shop", False),
        (b"v2.ops.workload.pepmesh", False),
        (b".svc.cluster.local", False),
        (b"cart.shop.svc.cluster.local.", False),
        (b"", False),
    ],
)
def test_targets_are_found_by_their_whole_host(host: bytes, is_known: bool) -> None:
    with running(None, {"table": DATA}):
        assert (find_target(host) != 0xFFFFFFFF) == is_known


# --- every kind of pointer is checked: a field of each column, bent -------------------

PACKED = Packed(DATA)
ROWS: dict[Section, list[Row]] = {
    section: PACKED.rows(section)
    for section in Section
    if section is not Section.STRINGS
}
WORDS_0_AND_1 = struct.unpack_from("<2I", DATA, ADDRESS_WORD0_AT)


def in_pairs(numbers: tuple[int, ...]) -> list[tuple[Column, Section]]:
    return [
        (Column(column), Section(section))
        for column, section in zip(numbers[::2], numbers[1::2], strict=True)
    ]


def rows_of(section: Section) -> int:
    return len(PACKED.strings()) if section is Section.STRINGS else len(ROWS[section])


def section_of(column: Column) -> Section:
    return next(s for s in Section if column in columns_of(s))


def bent(column: Column, row: int, value: int) -> bytes:
    """The table with one field changed, packed and sealed anew."""
    section = section_of(column)
    fields = list(ROWS[section][row])
    fields[column - columns_of(section)[0]] = value
    rows = [*ROWS[section]]
    rows[row] = tuple(fields)
    sections = ROWS | {section: rows}
    flags = struct.unpack_from("<I", DATA, FLAGS_AT)[0]
    return pack(sections, PACKED.strings(), flags, WORDS_0_AND_1)


def places_of(column: Column) -> range:
    places = range(rows_of(section_of(column)))
    assert places, "the table made by hand has such a row"
    return places


def test_rows_packed_anew_are_the_same_table() -> None:
    assert bent(Column.RULE_LINE, 0, ROWS[Section.RULES][0][4]) == DATA


@pytest.mark.parametrize(
    ("column", "limit"),
    [(c, rows_of(s)) for c, s in in_pairs(REFERENCES)]
    + [(c, rows_of(s) + 1) for c, s in in_pairs(OPTIONAL_REFERENCES)]
    + [
        (Column.RANGE_DECISION, rows_of(Section.RULES) + rows_of(Section.CHAINS)),
        (Column.RULE_ACTION, 3),
        (Column.HEADER_KIND, 3),
        (Column.PATH_KIND, 3),
    ],
)
def test_a_field_beyond_its_section_is_refused(column: Column, limit: int) -> None:
    for row in places_of(column):
        for value in (limit, 0xFFFFFFFF):
            assert why_refused(bent(column, row, value)), f"row {row}"


def test_a_column_wider_than_a_field_is_refused() -> None:
    """Whoever reads it would see its lower bits, and they are what they should be."""
    for column in set(Column) - {Column.STRING_BYTE}:
        for row in places_of(column)[:1]:
            section = section_of(column)
            value = ROWS[section][row][column - columns_of(section)[0]]
            assert not why_refused(bent(column, row, value))
            assert why_refused(bent(column, row, 1 << 32 | value)), column.name


SLICED = in_pairs(SLICES)


@pytest.mark.parametrize(("column", "section"), SLICED)
def test_a_slice_beyond_its_section_is_refused(
    column: Column, section: Section
) -> None:
    limit = rows_of(section)
    for row in places_of(column):
        assert why_refused(bent(column, row, limit + 1)), f"row {row}"
        assert why_refused(bent(Column(column + 1), row, limit + 1)), f"row {row}"


def test_a_targets_slice_is_of_ports_or_backends() -> None:
    service, workload = (
        next(i for i, row in enumerate(ROWS[Section.TARGETS]) if row[:2] == (n, kind))
        for n, kind in ((1, TARGET_SERVICE), (2, TARGET_WORKLOAD))
    )
    ports, backends = len(ROWS[Section.PORTS]), len(ROWS[Section.BACKENDS])
    assert ports < backends
    assert why_refused(bent(Column.TARGET_COUNT, service, ports + 1))
    assert why_refused(bent(Column.TARGET_COUNT, workload, backends + 1))
    last = backends - ROWS[Section.TARGETS][workload][3]
    assert last > ports
    assert not why_refused(bent(Column.TARGET_COUNT, workload, last))


@pytest.mark.parametrize(
    ("column", "row", "value"),
    [
        (Column.RANGE_FIRST, 0, 0x30000),  # beyond its own end
        (Column.RANGE_LEFT, -1, 1),  # goes on beyond the section
    ],
)
def test_a_port_list_out_of_order_is_refused(
    column: Column, row: int, value: int
) -> None:
    place = row % len(ROWS[Section.RANGES])
    assert why_refused(bent(column, place, value))


def test_port_ranges_that_overlap_are_refused() -> None:
    place = next(i for i, row in enumerate(ROWS[Section.RANGES]) if row[3] == 1)
    last = ROWS[Section.RANGES][place][1]
    assert why_refused(bent(Column.RANGE_FIRST, place + 1, last))
    assert why_refused(bent(Column.RANGE_LEFT, place + 1, 1))


@pytest.mark.parametrize(
    ("section", "row", "first", "count"),
    [(Section.CHAINS, 0, 2, 3), (Section.CHAINS, 0, 4, 2), (Section.STATES, 2, 3, 2)],
    ids=["all", "in doubt", "accepted"],
)
def test_alternatives_out_of_order_are_refused(
    section: Section, row: int, first: int, count: int
) -> None:
    """Each of these slices is nobody else's, so nothing but its own order is bent."""
    fields = ROWS[section][row]
    assert fields[first + 1] == count
    assert why_refused(bent(Column.ALTERNATIVE_RULE, fields[first], 8))


def test_a_realm_without_a_name_has_no_workloads() -> None:
    """Realm 2 is retired: nothing may say that it is there."""
    for place in range(len(ROWS[Section.WORKLOADS])):
        assert why_refused(bent(Column.WORKLOAD_REALM, place, 2))
    for place in range(len(ROWS[Section.REALM_SLOTS])):
        assert why_refused(bent(Column.SLOT_REALM, place, 2))


def test_member_blocks_are_never_missing() -> None:
    flags = struct.unpack_from("<I", DATA, FLAGS_AT)[0]
    sections = dict(ROWS)
    del sections[Section.MEMBER_BLOCKS]
    assert why_refused(pack(sections, PACKED.strings(), flags, WORDS_0_AND_1))


@pytest.mark.parametrize("place", [0, 2, 4, 6])
def test_a_directory_that_does_not_fit_is_refused(place: int) -> None:
    """First bit, stride and width of every column follow from widths and rows."""
    for column in Column:
        at = COLUMNS_AT + column * 8 + place
        for more in (1, 8, 0xFF):
            damaged = bytearray(DATA)
            (found,) = struct.unpack_from("<H", damaged, at)
            struct.pack_into("<H", damaged, at, found + more & 0xFFFF)
            assert why_refused(sealed(bytes(damaged)))


def test_a_section_with_rows_of_no_bits_has_a_limit() -> None:
    """Otherwise a look at all its rows would never end."""
    empty = RuleTable(1, True, False, (), {}, {}, (), (), (), ((0, False),), (), (), ())
    endless = bytearray(encode_table(empty))
    struct.pack_into("<I", endless, ROWS_AT + Section.SUBJECTS * 4, 0x7FFFFFFF)
    assert why_refused(sealed(bytes(endless)))

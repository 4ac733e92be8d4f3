"""Rule tables: there and back, and no damaged or hostile table does harm."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import decide
from filters.admission import checksum
from filters.http import Requests
from filters.layout import CHECKSUM_AT, DIRECTORY_AT, VERSION, VERSION_AT, Section
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
from tests.table.shapes import TABLE

DATA = encode_table(TABLE)


def sealed(data: bytes) -> bytes:
    """Give altered bytes the checksum that fits them."""
    fixed = bytearray(data)
    struct.pack_into("<Q", fixed, CHECKSUM_AT, checksum(data))
    return bytes(fixed)


def test_there_and_back() -> None:
    assert decode_table(DATA) == TABLE


def test_same_table_same_bytes() -> None:
    assert encode_table(TABLE) == DATA


def test_an_empty_mesh_has_a_table() -> None:
    empty = RuleTable(1, True, False, (), {}, (), (), (), (), ((0, False),), (), (), ())
    assert decode_table(encode_table(empty)) == empty


def test_section_sizes_add_up() -> None:
    sizes = section_sizes(DATA)
    assert sum(sizes.values()) == len(DATA)
    assert sizes["workloads"] == 4 * 32  # ids 1 to 4, of which 3 is retired


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
        (b"cart.ops.workload.pepmesh", True),
        (b"cart.shop.workload.pepmesh", False),
        (b"cart.ops.svc.cluster.local", False),
        (b"cart.shop", False),
        (b"cart.shop.svc.cluster.local.", False),
        (b"", False),
    ],
)
def test_targets_are_found_by_their_whole_host(host: bytes, is_known: bool) -> None:
    with running(None, {"table": DATA}):
        assert (find_target(host) != 0xFFFFFFFF) == is_known


# --- every kind of pointer is checked: a row of each section, bent --------------------

FAR = 0x7FFFFFFC
POINTERS = {
    "label key": (Section.LABEL_KEYS, 4, 0),
    "realm name": (Section.REALMS, 8, 4),
    "service account": (Section.WORKLOADS, 32, 4),
    "ingress set": (Section.WORKLOADS, 32, 8),
    "egress set": (Section.WORKLOADS, 32, 12),
    "audited ingress set": (Section.WORKLOADS, 32, 16),
    "audited egress set": (Section.WORKLOADS, 32, 20),
    "target's realm": (Section.TARGETS, 20, 4),
    "target's name": (Section.TARGETS, 20, 8),
    "target's first port": (Section.TARGETS, 20, 12),
    "target's ports": (Section.TARGETS, 20, 16),
    "first backend": (Section.PORTS, 12, 4),
    "backends": (Section.PORTS, 12, 8),
    "subject of a tier": (Section.SUBJECT_SETS, 12, 4),
    "default rule": (Section.SUBJECTS, 28, 0),
    "list for members": (Section.SUBJECTS, 28, 4),
    "list for outside": (Section.SUBJECTS, 28, 8),
    "IPv4 list": (Section.SUBJECTS, 28, 12),
    "IPv6 list": (Section.SUBJECTS, 28, 16),
    "list for any address": (Section.SUBJECTS, 28, 24),
    "peer's subject": (Section.PEERS, 12, 0),
    "peer's list": (Section.PEERS, 12, 8),
    "blocks": (Section.MEMBER_BLOCKS, 4, 0),
    "rule's policy": (Section.RULES, 12, 0),
    "policy's namespace": (Section.POLICIES, 16, 4),
    "policy's name": (Section.POLICIES, 16, 8),
    "policy's file": (Section.POLICIES, 16, 12),
    "chain's rule": (Section.CHAINS, 16, 0),
    "chain's state": (Section.CHAINS, 16, 4),
    "alternatives": (Section.CHAINS, 16, 8),
    "alternatives of odd paths": (Section.CHAINS, 16, 12),
    "next state": (Section.STATES, 8, 0),
    "accepted alternatives": (Section.STATES, 8, 4),
    "edge's segment": (Section.EDGES, 12, 4),
    "edge's state": (Section.EDGES, 12, 8),
}


@pytest.mark.parametrize("pointer", sorted(POINTERS))
def test_a_pointer_out_of_its_section_is_refused(pointer: str) -> None:
    section, row_bytes, at = POINTERS[pointer]
    start, rows = struct.unpack_from("<II", DATA, DIRECTORY_AT + section * 8)
    used = [
        place
        for place in range(start, start + rows * row_bytes, row_bytes)
        if struct.unpack_from("<I", DATA, place)[0] not in (0, 0xFFFFFFFF)
        or section in (Section.SUBJECTS, Section.SUBJECT_SETS, Section.MEMBER_BLOCKS)
        or section in (Section.RULES, Section.CHAINS, Section.STATES)
        or (section is Section.EDGES and struct.unpack_from("<I", DATA, place)[0] == 0)
    ]
    assert used
    for place in used:
        bent = bytearray(DATA)
        struct.pack_into("<I", bent, place + at, FAR)
        assert why_refused(sealed(bytes(bent))), f"row at {place}"
        if section is Section.MEMBER_BLOCKS:
            break  # only its first word is a count


@pytest.mark.parametrize(
    "section", [Section.IDENTITIES, Section.TARGETS, Section.PEERS]
)
def test_a_hash_without_an_empty_slot_is_refused(section: Section) -> None:
    """A look-up of what is not there would never end."""
    row_bytes, at, empty = {
        Section.IDENTITIES: (20, 16, 0),
        Section.TARGETS: (20, 0, 0),
        Section.PEERS: (12, 0, 0xFFFFFFFF),
    }[section]
    start, rows = struct.unpack_from("<II", DATA, DIRECTORY_AT + section * 8)
    places = [start + i * row_bytes for i in range(rows)]
    words = [struct.unpack_from("<I", DATA, p + at)[0] for p in places]
    full = bytearray(DATA)
    used = next(p for p, w in zip(places, words, strict=True) if w != empty)
    for place, word in zip(places, words, strict=True):
        if word == empty:
            full[place : place + row_bytes] = DATA[used : used + row_bytes]
    assert why_refused(sealed(bytes(full)))

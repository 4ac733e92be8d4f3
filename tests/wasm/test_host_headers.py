"""Header maps and the pairs format, on both back ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.wasm.host import Host
from generator.wasm.pairs import decode_pairs, encode_pairs

Call = Callable[..., Any]

REQUEST, RESPONSE, UNKNOWN = 0, 2, 9

ONE_PAIR = bytes.fromhex(
    "01000000"  # one pair
    "01000000"  # one byte of name
    "02000000"  # two bytes of value
    "6100"  # "a", zero
    "626300"  # "bc", zero
)
TWO_PAIRS = bytes.fromhex(
    "02000000"  # two pairs
    "01000000"  # name of the first
    "00000000"  # empty value
    "00000000"  # empty name of the second
    "01000000"
    "6100"  # "a", zero
    "00"  # "", zero
    "00"  # "", zero
    "6200"  # "b", zero
)


@pytest.fixture(autouse=True)
def headers(host: Host) -> list[tuple[bytes, bytes]]:
    listed = [(b":path", b"/"), (b"x-a", b"1"), (b"x-a", b"2"), (b"x-e", b"")]
    host.header_maps[REQUEST] = listed
    return listed


# --- the format, by annotated bytes ---------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "data"),
    [
        ([], b""),
        ([(b"a", b"bc")], ONE_PAIR),
        ([(b"a", b""), (b"", b"b")], TWO_PAIRS),
    ],
)
def test_format(pairs: list[tuple[bytes, bytes]], data: bytes) -> None:
    assert encode_pairs(pairs) == data
    assert decode_pairs(data) == pairs


# What contradicts itself is an empty list, without an error (envoy-wasm 2.5).
@pytest.mark.parametrize(
    "data",
    [
        ONE_PAIR[:3],  # no count
        ONE_PAIR[:8],  # no sizes
        ONE_PAIR[:-1],  # the last zero is missing
        ONE_PAIR + b"\0",  # bytes after the end
        ONE_PAIR.replace(b"a\0", b"a!"),  # no zero after the name
        b"\xff\xff\xff\xff" + ONE_PAIR[4:],  # more pairs than sizes
        ONE_PAIR[:4] + b"\xff\xff\xff\xff" + ONE_PAIR[8:],  # a name beyond the end
    ],
)
def test_malformed_list_is_empty(data: bytes) -> None:
    assert decode_pairs(data) == []


def test_limits() -> None:
    assert len(decode_pairs(encode_pairs([(b"a", b"")] * 1024))) == 1024
    assert decode_pairs(encode_pairs([(b"a", b"")] * 1025)) == []
    overhead = len(encode_pairs([(b"", b"")]))
    largest = encode_pairs([(b"", b"x" * ((1 << 20) - overhead))])
    assert len(largest) == 1 << 20
    assert len(decode_pairs(largest)) == 1
    assert decode_pairs(encode_pairs([(b"", b"x" * ((1 << 20) - overhead + 1))])) == []


@given(st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), max_size=9))
def test_round_trip(pairs: list[tuple[bytes, bytes]]) -> None:
    assert decode_pairs(encode_pairs(pairs)) == pairs


# --- look-ups -------------------------------------------------------------------------


def test_only_the_first_of_repeated_headers_shows(call: Call) -> None:
    assert call("proxy_get_header_map_value", REQUEST, b"x-a") == (0, b"1")


def test_names_are_looked_up_in_any_case(call: Call) -> None:
    assert call("proxy_get_header_map_value", REQUEST, b"X-A") == (0, b"1")


def test_empty_value_is_not_a_missing_one(call: Call) -> None:
    assert call("proxy_get_header_map_value", REQUEST, b"x-e") == (0, b"")
    assert call("proxy_get_header_map_value", REQUEST, b"x-f") == (1, b"")


def test_pairs_show_repetition(call: Call, headers: list[tuple[bytes, bytes]]) -> None:
    status, pairs = call("proxy_get_header_map_pairs", REQUEST)
    assert (status, decode_pairs(pairs)) == (0, headers)


def test_pairs_of_an_empty_map(call: Call, headers: list[tuple[bytes, bytes]]) -> None:
    headers.clear()
    assert call("proxy_get_header_map_pairs", REQUEST) == (0, b"")


def test_size_is_in_bytes(call: Call) -> None:
    assert call("proxy_get_header_map_size", REQUEST) == (0, 6 + 4 + 4 + 3)


@pytest.mark.parametrize("headers_map", [RESPONSE, UNKNOWN])
def test_map_that_is_not_there(call: Call, headers_map: int) -> None:
    assert call("proxy_get_header_map_value", headers_map, b"x") == (2, b"")
    assert call("proxy_get_header_map_size", headers_map) == (2, 0)
    assert call("proxy_add_header_map_value", headers_map, b"x", b"y") == 2
    assert call("proxy_replace_header_map_value", headers_map, b"x", b"y") == 2
    assert call("proxy_remove_header_map_value", headers_map, b"x") == 2
    assert call("proxy_set_header_map_pairs", headers_map, b"") == 2


def test_pairs_of_a_map_that_is_not_there(call: Call) -> None:
    # unlike all other calls; a filter must not take this for "no headers"
    assert call("proxy_get_header_map_pairs", RESPONSE) == (0, b"")
    assert call("proxy_get_header_map_pairs", UNKNOWN) == (2, b"")


# --- edits ----------------------------------------------------------------------------


def test_add_keeps_others(call: Call, headers: list[tuple[bytes, bytes]]) -> None:
    assert call("proxy_add_header_map_value", REQUEST, b"X-A", b"3") == 0
    assert [v for k, v in headers if k == b"x-a"] == [b"1", b"2", b"3"]


def test_replace_replaces_all(call: Call, headers: list[tuple[bytes, bytes]]) -> None:
    assert call("proxy_replace_header_map_value", REQUEST, b"X-A", b"3") == 0
    assert [v for k, v in headers if k == b"x-a"] == [b"3"]


def test_replace_adds(call: Call, headers: list[tuple[bytes, bytes]]) -> None:
    assert call("proxy_replace_header_map_value", REQUEST, b"x-n", b"3") == 0
    assert headers[-1] == (b"x-n", b"3")


def test_inline_header_is_joined(
    call: Call, headers: list[tuple[bytes, bytes]]
) -> None:
    for value in (b"1", b"2"):
        assert call("proxy_add_header_map_value", REQUEST, b"User-Agent", value) == 0
    assert headers[-1] == (b"user-agent", b"1,2")


def test_pseudo_headers_come_first(
    call: Call, headers: list[tuple[bytes, bytes]]
) -> None:
    assert call("proxy_add_header_map_value", REQUEST, b":method", b"GET") == 0
    assert call("proxy_replace_header_map_value", REQUEST, b":path", b"/b") == 0
    assert headers[:2] == [(b":method", b"GET"), (b":path", b"/b")]


def test_host_is_the_authority(call: Call, headers: list[tuple[bytes, bytes]]) -> None:
    assert call("proxy_add_header_map_value", REQUEST, b"Host", b"shop") == 0
    assert call("proxy_get_header_map_value", REQUEST, b":authority") == (0, b"shop")
    assert call("proxy_get_header_map_value", REQUEST, b"host") == (0, b"shop")


def test_remove_removes_all(call: Call, headers: list[tuple[bytes, bytes]]) -> None:
    assert call("proxy_remove_header_map_value", REQUEST, b"X-A") == 0
    assert [k for k, _ in headers] == [b":path", b"x-e"]
    assert call("proxy_remove_header_map_value", REQUEST, b"x-a") == 0


def test_set_pairs(call: Call, headers: list[tuple[bytes, bytes]]) -> None:
    assert call("proxy_set_header_map_pairs", REQUEST, ONE_PAIR) == 0
    assert headers == [(b"a", b"bc")]


def test_set_malformed_pairs_empties(
    call: Call, headers: list[tuple[bytes, bytes]]
) -> None:
    assert call("proxy_set_header_map_pairs", REQUEST, ONE_PAIR + b"!") == 0
    assert headers == []

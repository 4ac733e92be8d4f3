"""What filters/ offers to every author of a filter, on both back ends."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.pairs import find_header
from filters.properties import MAX_DECLARED_NAME
from generator.compiler import DEFAULT_ARENA_BYTES
from generator.wasm.guest import Guest
from generator.wasm.host import Host
from generator.wasm.pairs import encode_pairs
from generator.wasm.plugin import Plugin
from generator.wasm.protobuf import read_fields
from tests.wasm.both import BACKENDS, load

GUEST = Path(__file__).parent / "conveniences.py"
REQUEST = 0

short = st.binary(max_size=20)
header_lists = st.lists(st.tuples(short, short), max_size=20)


@pytest.fixture(params=BACKENDS)
def guest(request: pytest.FixtureRequest) -> Guest:
    return load(GUEST, request.param, Host())


def found(guest: Guest) -> bytes | None:
    return guest.host.context.filter_state[b"found"].value


# --- pairs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "count", "value"),
    [
        ([], 0, b""),
        ([(b"x", b"1")], 0, b""),
        ([(b"x", b"1"), (b"x-a", b"2")], 1, b"2"),
        ([(b"x-a", b"1"), (b"x", b""), (b"x-a", b"2"), (b"x-a", b"3")], 3, b"1"),
        ([(b"x-a", b"")], 1, b""),
        ([(b"x-ab", b"1"), (b"x-", b"2"), (b"", b"x-a")], 0, b""),
    ],
)
def test_find_header(
    guest: Guest, headers: list[tuple[bytes, bytes]], count: int, value: bytes
) -> None:
    guest.host.header_maps[REQUEST] = headers
    assert guest.call("find") == count
    assert found(guest) == value


class Recorder(Host):
    """A host that keeps the list of pairs that it was given, as bytes."""

    given = b""

    def proxy_set_header_map_pairs(self, headers: int, pairs: bytes) -> int:
        self.given = pairs
        return 0


@pytest.fixture(scope="module", params=BACKENDS)
def recorded(request: pytest.FixtureRequest) -> Guest:
    return load(GUEST, request.param, Recorder())


@given(headers=header_lists)
def test_pairs_are_copied(recorded: Guest, headers: list[tuple[bytes, bytes]]) -> None:
    host = recorded.host
    assert isinstance(host, Recorder)
    host.header_maps[REQUEST] = headers
    assert recorded.call("copy") == 0
    # an empty list is no bytes when it is read, and a count of 0 when it is written
    assert host.given == (encode_pairs(headers) or bytes(4))


# A list that contradicts itself is a fault or reads as something, but never traps or
# reads outside of itself.
@given(data=st.binary(max_size=40))
def test_hostile_pairs(data: bytes) -> None:
    try:
        count, value = find_header(data, b"a")
    except IndexError:
        return
    assert len(value) <= len(data)
    assert count <= len(data)


# --- properties -----------------------------------------------------------------------


def test_path_of_segments(guest: Guest) -> None:
    guest.host.properties[b"xds\0node\0metadata\0LABELS\0app"] = b"cart"
    assert guest.call("node_label") == 0
    assert found(guest) == b"cart"


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (b"\1", (1, 1)),
        (b"\0", (1, 0)),
        (b"", (0, 0)),
        (b"\1\0", (0, 0)),
        (None, (0, 0)),
    ],
)
def test_bool_property(
    guest: Guest, value: bytes | None, answer: tuple[int, int]
) -> None:
    if value is not None:
        guest.host.properties[b"connection\0mtls"] = value
    assert guest.call("flag") == answer


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (struct.pack("<Q", 8080), (1, 8080)),
        (b"\xff" * 8, (1, (1 << 64) - 1)),
        (b"\0" * 7, (0, 0)),
        (None, (0, 0)),
    ],
)
def test_number_property(
    guest: Guest, value: bytes | None, answer: tuple[int, int]
) -> None:
    if value is not None:
        guest.host.properties[b"destination\0port"] = value
    assert guest.call("number") == answer


def test_declaration(guest: Guest) -> None:
    assert guest.call("declare", 1, 2) == 0
    assert guest.host.declared == {(0, b"conn"): (False, 2)}
    assert guest.call("declare", 1, 2) == 2


def test_declaration_in_protobuf() -> None:
    assert read_fields(b"\x0a\x04conn\x18\x01\x28\x02") == {1: b"conn", 3: 1, 5: 2}


def test_long_name_is_not_declared(guest: Guest) -> None:
    assert guest.call("declare_long", MAX_DECLARED_NAME) == 0
    assert guest.call("declare_long", MAX_DECLARED_NAME + 1) == 2


# --- environment ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "answer", "value"),
    [
        ({"KEY": "a=b"}, 1, b"a=b"),
        ({"A": "1", "KEY": ""}, 1, b""),
        ({"KEYS": "1", "KE": "2"}, 0, b""),
        ({"A": "KEY=1"}, 0, b""),
        ({}, 0, b""),
        ({"KEY": "x" * 27}, 1, b"x" * 27),
    ],
)
def test_environment(
    guest: Guest, environment: dict[str, str], answer: int, value: bytes
) -> None:
    guest.host.environment = environment
    assert guest.call("variable") == answer
    assert found(guest) == value


def test_environment_that_does_not_fit_the_arena() -> None:
    guest = load(GUEST, "wasm", Host(environment={"KEY": "x" * DEFAULT_ARENA_BYTES}))
    assert guest.call("variable") == 9
    assert "environ_get" not in guest.host.calls


@pytest.mark.parametrize("name", ["environ_get", "environ_sizes_get"])
def test_environment_that_cannot_be_read(guest: Guest, name: str) -> None:
    guest.host.environment = {"KEY": "1"}
    guest.host.failing[name] = 28
    assert guest.call("variable") == 9


# --- a denial that fails is not an admission (envoy-wasm, section 0.6) ----------------


def test_refusal(guest: Guest) -> None:
    plugin = Plugin(guest)
    assert plugin.start(b"")
    outcome = plugin.request([(b":path", b"/")])
    assert (outcome.action, outcome.status, outcome.is_closed) == (1, 403, False)
    assert outcome.local_response is not None
    assert outcome.local_response.grpc_status == 7


def test_refusal_that_fails_closes_the_stream(guest: Guest) -> None:
    guest.host.failing["proxy_send_local_response"] = 6
    plugin = Plugin(guest)
    assert plugin.start(b"")
    outcome = plugin.request([(b":path", b"/")])
    assert (outcome.action, outcome.is_closed) == (1, True)
    assert not outcome.reaches_upstream


def test_refusal_that_cannot_even_close_traps(guest: Guest) -> None:
    guest.host.failing |= {"proxy_send_local_response": 6, "proxy_close_stream": 2}
    plugin = Plugin(guest)
    assert plugin.start(b"")
    assert plugin.request([(b":path", b"/")]).status == 503
    assert plugin.has_failed


def test_refused_connection(guest: Guest) -> None:
    plugin = Plugin(guest)
    assert plugin.start(b"")
    stream = plugin.open_connection({})
    assert stream.new_connection() == 1
    assert stream.context.closed == [2]

"""The guest language under CPython: integers wrap, places refuse, bounds hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.lang import (
    Buffer,
    Pool,
    View,
    Width,
    Words,
    embedded,
    export,
    hostcall,
    i32,
    i64,
    load_u16,
    load_u32,
    load_u32_be,
    load_u64,
    record,
    rotr32,
    u8,
    u16,
    u32,
    u64,
)
from filters.running import HostFailure, describe_hostcall, running

UNSIGNED = {8: u8, 16: u16, 32: u32, 64: u64}
SIGNED = {32: i32, 64: i64}
numbers = st.integers(-(1 << 70), 1 << 70)


# --- integers -------------------------------------------------------------------------


@given(numbers, st.sampled_from([8, 16, 32, 64]))
def test_unsigned_wraps(value: int, bits: int) -> None:
    assert UNSIGNED[bits](value) == value % (1 << bits)


@given(numbers, st.sampled_from([32, 64]))
def test_signed_wraps(value: int, bits: int) -> None:
    wrapped = SIGNED[bits](value)
    assert -(1 << (bits - 1)) <= wrapped < 1 << (bits - 1)
    assert (wrapped - value) % (1 << bits) == 0


def test_bool_converts() -> None:
    assert (u32(True), u8(False)) == (1, 0)


@given(st.integers(0, (1 << 32) - 1), st.integers(0, 100))
def test_rotation(value: int, count: int) -> None:
    turned = rotr32(value, count)
    assert turned.bit_count() == value.bit_count()
    assert rotr32(turned, 32 - count % 32) == value
    assert rotr32(1, 1) == 1 << 31


# --- views and loads ------------------------------------------------------------------

EIGHT = bytes(range(1, 9))


def test_loads() -> None:
    assert load_u16(EIGHT, 6) == 0x0807
    assert load_u32(EIGHT, 1) == 0x05040302
    assert load_u64(EIGHT, 0) == 0x0807060504030201
    assert load_u32_be(memoryview(EIGHT), 4) == 0x05060708


@pytest.mark.parametrize(
    ("load", "size"), [(load_u16, 2), (load_u32, 4), (load_u64, 8), (load_u32_be, 4)]
)
def test_loads_keep_to_the_view(load: object, size: int) -> None:
    assert callable(load)
    load(EIGHT, 8 - size)
    for offset in (9 - size, 8, 1 << 32, -1):
        with pytest.raises(IndexError):
            load(EIGHT, offset)


# --- buffers --------------------------------------------------------------------------


def test_slices_alias_the_buffer_and_are_read_only() -> None:
    buffer = Buffer(4)
    view = buffer[1:3]
    buffer[1] = 7
    assert view == b"\x07\0"
    assert isinstance(view, memoryview)
    with pytest.raises(TypeError):
        view[0] = 1
    assert buffer[2:99] == bytes(2)
    assert buffer[3:1] == b""


def test_buffer_bounds() -> None:
    buffer = Buffer(4)
    for index in (-1, 4, 1 << 32):
        with pytest.raises(IndexError):
            buffer[index]
        with pytest.raises(IndexError):
            buffer[index] = 1
    for offset in (-1, 3):
        with pytest.raises(IndexError):
            buffer.put(offset, b"ab")
        with pytest.raises(IndexError):
            buffer.put_u32(offset, 1)
    assert buffer[0:4] == bytes(4)


def test_buffer_puts() -> None:
    buffer = Buffer(8)
    buffer.put_u32(0, 0x04030201)
    buffer.put(4, b"ab")
    assert buffer[0:8] == b"\1\2\3\4ab\0\0"
    buffer.put(2, buffer[0:6])  # overlapping
    assert buffer[0:8] == b"\1\2\1\2\3\4ab"
    buffer.put(8, b"")


@pytest.mark.parametrize("value", [-1, 256])
def test_buffer_holds_bytes(value: int) -> None:
    with pytest.raises(OverflowError, match="does not fit u8"):
        Buffer(1)[0] = value


def test_words() -> None:
    words = Words(2)
    words[1] = 0xFFFFFFFF
    assert (words[0], words[1], len(words)) == (0, 0xFFFFFFFF, 2)
    for index in (-1, 2):
        with pytest.raises(IndexError):
            words[index]
        with pytest.raises(IndexError):
            words[index] = 0
    for value in (-1, 1 << 32):
        with pytest.raises(OverflowError):
            words[0] = value


# --- records --------------------------------------------------------------------------


@record
class Root:
    """A record of every kind of field."""

    context_id: u32 = 3
    delta: i64 = -1
    small: u8 = 0
    is_ready: bool = False


def test_records_have_defaults_and_widths() -> None:
    root = Root()
    assert (root.context_id, root.delta, root.is_ready) == (3, -1, False)
    root.context_id = 0xFFFFFFFF
    root.delta = -(1 << 63)
    root.is_ready = True
    for name, value in [("context_id", -1), ("small", 256), ("delta", 1 << 63)]:
        with pytest.raises(OverflowError):
            setattr(root, name, value)
    with pytest.raises(KeyError):
        setattr(root, "unknown", 1)  # noqa: B010 (mypy would refuse it)


def test_pools_hold_records_of_their_own() -> None:
    pool = Pool(Root, 2)
    pool[1].context_id = 9
    held = pool[1]
    held.small = 4
    assert (pool[0].context_id, pool[1].context_id, pool[1].small) == (3, 9, 4)
    assert len(pool) == 2
    for index in (-1, 2):
        with pytest.raises(IndexError):
            pool[index]


# --- hostcalls ------------------------------------------------------------------------


@hostcall("env", "example")
def example(number: i64, text: View, area: Buffer) -> tuple[u32, View, u64]:  # type: ignore[empty-body]
    """An example."""
    ...


class ExampleHost:
    def __init__(self) -> None:
        self.seen: list[object] = []

    def example(self, number: int, text: bytes, area: Buffer) -> tuple[int, bytes, int]:
        self.seen += [number, text]
        return 0, b"answer", 7


def test_hostcall_goes_to_the_running_host() -> None:
    host, area = ExampleHost(), Buffer(2)
    with running(host, {}):
        assert example(-1, area[0:2], area) == (0, b"answer", 7)
    area[0] = 1
    assert host.seen == [-1, b"\0\0"]  # a copy: the host keeps no guest memory
    with pytest.raises(LookupError):
        example(-1, b"", area)


def test_hosts_nest() -> None:
    outer, inner = ExampleHost(), ExampleHost()
    with running(outer, {}):
        with running(inner, {}):
            example(1, b"", Buffer(0))
        example(2, b"", Buffer(0))
    assert (outer.seen, inner.seen) == ([2, b""], [1, b""])


@pytest.mark.parametrize("error", [IndexError, ZeroDivisionError, AssertionError])
def test_broken_host_is_no_fault(error: type[Exception]) -> None:
    class Broken:
        def example(self, *arguments: object) -> None:
            raise error("bug")

    with running(Broken(), {}), pytest.raises(HostFailure, match="example"):
        example(1, b"", Buffer(0))


def test_description_of_a_hostcall() -> None:
    call = describe_hostcall(example)
    assert (call.module, call.name) == ("env", "example")
    assert [name for name, _ in call.parameters] == ["number", "text", "area"]
    kinds = [kind for _, kind in call.parameters]
    assert isinstance(kinds[0], Width)
    assert kinds[1:] == [View, Buffer]
    assert [str(kind) for kind in call.results[:1]] == ["u32"]


def test_embedded_data_is_the_running_guests() -> None:
    with running(ExampleHost(), {"table": b"bytes"}):
        assert embedded(b"table") == b"bytes"
        assert embedded(b"other") == b""


def test_marks_do_not_change_a_function() -> None:
    def plain() -> u32:
        return 1

    assert export(plain) is plain

"""Log, time, randomness, environment and foreign functions, on both back ends."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pytest

from filters.lang import Buffer
from filters.running import HostFailure
from generator.wasm.errors import UnknownHostcall
from generator.wasm.host import Host
from tests.wasm.raw_guest import area, call_from_python, call_from_wasm

Call = Callable[..., Any]


def test_log(host: Host, call: Call) -> None:
    assert call("proxy_log", 3, b"careful") == 0
    assert call("proxy_log", 6, b"no such level") == 2
    assert host.logs == [(3, b"careful")]
    assert host.log_text() == ["careful"]
    host.log_level = 4
    assert call("proxy_get_log_level") == (0, 4)


def test_time_is_the_tests(host: Host, call: Call) -> None:
    host.clock_ns = 0x0123456789ABCDEF
    assert call("proxy_get_current_time_nanoseconds") == (0, 0x0123456789ABCDEF)
    assert call("clock_time_get", 0, 1) == (0, 0x0123456789ABCDEF)
    assert call("clock_time_get", 2, 1) == (58, 0)


def test_tick_period(host: Host, call: Call) -> None:
    assert call("proxy_set_tick_period_milliseconds", 250) == 0
    assert host.tick_period_ms == 250


def test_tool_chain_leftovers(call: Call) -> None:
    assert call("pthread_equal", 3, 3) == 1
    assert call("pthread_equal", 3, 4) == 0
    assert call("emscripten_notify_memory_growth", 0) is None


# --- WASI -----------------------------------------------------------------------------


def test_environment(host: Host, call: Call) -> None:
    host.environment = {"A": "1", "KEYS": "x=y"}
    assert call("environ_sizes_get") == (0, 2, 4 + 9)
    pointers, text = area(8), area(13)
    assert call("environ_get", pointers, text) == 0
    assert bytes(text[0:13]) == b"A=1\0KEYS=x=y\0"
    first, second = (int.from_bytes(pointers[i : i + 4], "little") for i in (0, 4))
    assert second - first == 4


def test_environment_overflow_is_never_silent(host: Host) -> None:
    host.environment = {"A": "1"}
    with pytest.raises(HostFailure, match="environ_get"):
        call_from_python(host, "environ_get", area(4), area(3))


def test_random(host: Host, call: Call) -> None:
    target, again = area(8), area(8)
    assert call("random_get", target, 8) == 0
    assert call("random_get", again, 8) == 0
    assert bytes(target[0:8]) != bytes(again[0:8])
    assert call("random_get", Buffer(8), 65_537) == 28


def test_random_is_the_same_every_time() -> None:
    seen = set()
    for way in (call_from_python, call_from_wasm):
        target = area(8)
        assert way(Host(), "random_get", target, 8) == 0
        seen.add(bytes(target[0:8]))
    assert len(seen) == 1


# --- foreign functions ----------------------------------------------------------------


def test_declare_property(call: Call) -> None:
    arguments = b"\x0a\x01n\x28\x02"
    assert call("proxy_call_foreign_function", b"declare_property", arguments) == (
        0,
        b"",
    )
    # a second declaration of one name is refused
    assert call("proxy_call_foreign_function", b"declare_property", arguments) == (
        2,
        b"",
    )


@pytest.mark.parametrize(
    "arguments",
    [b"\x0a\x05n", b"\x0d\0\0\0\0", b"\x28\xff", b"\x28" + b"\xff" * 11, b"\x08\x01"],
)
def test_malformed_declaration(call: Call, arguments: bytes) -> None:
    assert call("proxy_call_foreign_function", b"declare_property", arguments) == (
        2,
        b"",
    )


def test_other_foreign_functions(host: Host, call: Call) -> None:
    foreign = "proxy_call_foreign_function"
    assert call(foreign, b"clear_route_cache", b"") == (0, b"")
    assert host.route_cache_clears == 1
    _, packed = call(foreign, b"compress", b"a" * 99)
    assert zlib.decompress(packed) == b"a" * 99
    assert call(foreign, b"uncompress", packed) == (0, b"a" * 99)
    assert call(foreign, b"uncompress", b"?") == (3, b"")
    assert call(foreign, b"no_such_function", b"") == (1, b"")


def test_foreign_function_that_is_not_emulated(call: Call) -> None:
    with pytest.raises(UnknownHostcall, match="verify_signature"):
        call("proxy_call_foreign_function", b"verify_signature", b"")

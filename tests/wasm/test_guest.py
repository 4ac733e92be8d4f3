"""Modules under wasmtime: what is loaded, how bytes move, how a VM dies."""

from __future__ import annotations

import pytest
from wasmtime import wat2wasm

from generator.errors import ToolError
from generator.wasm.errors import GuestTrap, ModuleError
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host
from tests.wasm.raw_guest import FRAME

MARKER = '(func (export "proxy_abi_version_0_2_1"))'
MEMORY = '(memory (export "memory") 1)'
MALLOC = '(func (export "malloc") (param i32) (result i32) i32.const 1024)'
LOG = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))'
TICK = (
    '(import "env" "proxy_set_tick_period_milliseconds"'
    " (func $tick (param i32) (result i32)))"
)
GET = (
    '(import "env" "proxy_get_property"'
    " (func $get (param i32 i32 i32 i32) (result i32)))"
)


def guest(*parts: str, host: Host | None = None) -> WasmGuest:
    return WasmGuest(bytes(wat2wasm(f"(module {' '.join(parts)})")), host or Host())


# --- loading: as strict as Envoy (envoy-wasm, section 1) ------------------------------


def test_smallest_module() -> None:
    assert guest(MARKER, MEMORY, MALLOC).has("malloc")
    assert not guest(MARKER, MEMORY, MALLOC).has("proxy_on_tick")


def test_other_allocator() -> None:
    other = MALLOC.replace("malloc", "proxy_on_memory_allocate")
    assert guest(MARKER, MEMORY, other).allocate(1) == 1024


@pytest.mark.parametrize(
    ("code", "message", "parts"),
    [
        ("RUN0003", "malloc", [MARKER, MEMORY]),
        ("RUN0003", "memory", [MARKER, MALLOC]),
        ("RUN0003", "proxy_abi_version_0_2_1", [MEMORY, MALLOC]),
        (
            "RUN0003",
            "proxy_abi_version_0_2_1",
            [
                '(global (export "proxy_abi_version_0_2_1") i32 i32.const 0)',
                MEMORY,
                MALLOC,
            ],
        ),
        (
            # the two-parameter form belongs to ABI 0.1.0
            "RUN0003",
            "proxy_on_request_headers",
            [
                MARKER,
                MEMORY,
                MALLOC,
                '(func (export "proxy_on_request_headers")'
                " (param i32 i32) (result i32) i32.const 0)",
            ],
        ),
        (
            "RUN0002",
            "proxy_continue_request",
            ['(import "env" "proxy_continue_request" (func))', MARKER, MEMORY, MALLOC],
        ),
        (
            "RUN0002",
            "proxy_log has another signature",
            ['(import "env" "proxy_log" (func (param i32)))', MARKER, MEMORY, MALLOC],
        ),
        (
            "RUN0002",
            "proxy_log",
            ['(import "env" "proxy_log" (global i32))', MARKER, MEMORY, MALLOC],
        ),
        (
            "RUN0003",
            "start section",
            [
                LOG,
                MARKER,
                MEMORY,
                MALLOC,
                "(func $s (drop (call $log (i32.const 0)(i32.const 0)(i32.const 0))))"
                "(start $s)",
            ],
        ),
        (
            "RUN0001",
            "instantiated",
            [MARKER, MEMORY, MALLOC, "(func $s unreachable) (start $s)"],
        ),
    ],
)
def test_refused_module(code: str, message: str, parts: list[str]) -> None:
    with pytest.raises(ModuleError, match=message) as raised:
        guest(*parts)
    assert raised.value.diagnostics[0].code == code


def test_not_a_module() -> None:
    with pytest.raises(ToolError) as raised:
        WasmGuest(b"\0asm\1\0\0\0\xff", Host())
    assert raised.value.diagnostics[0].code == "RUN0001"


# --- start-up and allocator: only logging is allowed ----------------------------------


@pytest.mark.parametrize("export", ["_initialize", "_start"])
def test_logging_at_start(export: str) -> None:
    host = Host()
    body = "(drop (call $log (i32.const 2)(i32.const 0)(i32.const 0)))"
    guest(LOG, MARKER, MEMORY, MALLOC, f'(func (export "{export}") {body})', host=host)
    assert len(host.logs) == 1


def test_no_other_hostcall_at_start() -> None:
    body = '(func (export "_initialize") (drop (call $tick (i32.const 1))))'
    with pytest.raises(GuestTrap, match="restricted_callback"):
        guest(TICK, MARKER, MEMORY, MALLOC, body)


def test_start_is_skipped_after_initialize() -> None:
    initialize = '(func (export "_initialize"))'
    start = '(func (export "_start") unreachable)'
    guest(MARKER, MEMORY, MALLOC, initialize, start)


def test_allocator_must_not_call_the_host() -> None:
    malloc = (
        '(func (export "malloc") (param i32) (result i32) (call $tick (i32.const 1)))'
    )
    run = (
        '(func (export "run") (result i32)'
        " (call $get (i32.const 0)(i32.const 1)(i32.const 8)(i32.const 12)))"
    )
    host = Host(properties={b"": b"x", b"\0": b"x"})
    vm = guest(GET, TICK, MARKER, MEMORY, malloc, run, host=host)
    with pytest.raises(GuestTrap, match="restricted_callback"):
        vm.call("run")
    assert host.allowed is None


# --- bytes in and out -----------------------------------------------------------------

PROPERTY = (
    '(func (export "run") (param i32 i32 i32 i32) (result i32)'
    " (call $get (local.get 0)(local.get 1)(local.get 2)(local.get 3)))"
)
PAGE = 65536


@pytest.mark.parametrize(
    "arguments",
    [
        (PAGE, 1, 8, 12),  # the path is outside
        (PAGE - 1, 2, 8, 12),
        (0xFFFFFFFF, 0xFFFFFFFF, 8, 12),
        (0, 1, PAGE - 3, 12),  # a result pointer is outside
        (0, 1, 8, 0xFFFFFFFC),
    ],
)
def test_bad_pointer_is_status_6(arguments: tuple[int, ...]) -> None:
    host = Host(properties={b"": b"value"})
    assert guest(GET, FRAME, PROPERTY, host=host).call("run", *arguments) == 6


def test_bad_pointer_never_reaches_the_host() -> None:
    host = Host()
    body = "(call $log (i32.const 0) (i32.const 65536) (i32.const 1))"
    run = f'(func (export "run") (result i32) {body})'
    assert guest(LOG, MARKER, MEMORY, MALLOC, run, host=host).call("run") == 6
    assert host.logs == []


def test_failing_allocator_is_status_6() -> None:
    malloc = MALLOC.replace("1024", "0")
    vm = guest(GET, MARKER, MEMORY, malloc, PROPERTY, host=Host(properties={b"": b"x"}))
    vm.memory.write(8, b"\xaa" * 8)
    assert vm.call("run", 0, 1, 8, 12) == 6
    assert vm.memory.read(8, 8) == b"\xaa" * 8


def test_empty_result_needs_no_allocator() -> None:
    malloc = MALLOC.replace("i32.const 1024", "unreachable")
    vm = guest(GET, MARKER, MEMORY, malloc, PROPERTY, host=Host(properties={b"": b""}))
    vm.memory.write(8, b"\xaa" * 8)
    assert vm.call("run", 0, 1, 8, 12) == 0
    assert vm.memory.read(8, 8) == b"\0" * 8


def test_result_words_stay_on_failure() -> None:
    vm = guest(GET, FRAME, PROPERTY)
    vm.memory.write(8, b"\xaa" * 8)
    assert vm.call("run", 0, 1, 8, 12) == 1
    assert vm.memory.read(8, 8) == b"\xaa" * 8


def test_allocator_that_grows_the_memory() -> None:
    malloc = (
        '(func (export "malloc") (param i32) (result i32)'
        " (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))"
    )
    host = Host(properties={b"": b"value"})
    vm = guest(GET, MARKER, MEMORY, malloc, PROPERTY, host=host)
    assert vm.call("run", 0, 1, 8, 12) == 0
    assert vm.memory.read(PAGE, 5) == b"value"


def test_environment_pointers_are_addresses() -> None:
    imported = (
        '(import "wasi_snapshot_preview1" "environ_get"'
        " (func $e (param i32 i32) (result i32)))"
    )
    run = (
        '(func (export "run") (param i32 i32) (result i32)'
        " (call $e (local.get 0) (local.get 1)))"
    )
    host = Host(environment={"A": "1", "B": "2"})
    vm = guest(imported, FRAME, run, host=host)
    assert vm.call("run", 512, 1024) == 0
    addresses = [int.from_bytes(vm.memory.read(a, 4), "little") for a in (512, 516)]
    assert [vm.memory.read(a, 4) for a in addresses] == [b"A=1\0", b"B=2\0"]
    assert vm.call("run", 512, PAGE - 4) == 21


# --- calls into the module ------------------------------------------------------------


def test_numbers_are_bits() -> None:
    vm = guest(
        MARKER,
        MEMORY,
        MALLOC,
        '(func (export "swap") (param i32 i64) (result i64 i32)'
        " local.get 1 local.get 0)",
    )
    assert vm.call("swap", -1, -2) == ((1 << 64) - 2, (1 << 32) - 1)
    assert vm.call("swap", 1 << 32, 1 << 64) == (0, 0)
    with pytest.raises(TypeError, match="1 arguments for 2"):
        vm.call("swap", 1)


def test_trap() -> None:
    vm = guest(MARKER, MEMORY, MALLOC, '(func $boom (export "boom") unreachable)')
    with pytest.raises(GuestTrap, match="unreachable"):
        vm.call("boom")


def test_exception_of_the_host_passes_through() -> None:
    class Broken(Host):
        def proxy_log(self, level: int, message: bytes) -> int:
            raise KeyError("broken host")

    body = "(call $log (i32.const 0) (i32.const 0) (i32.const 0))"
    run = f'(func (export "run") (result i32) {body})'
    vm = guest(LOG, MARKER, MEMORY, MALLOC, run, host=Broken())
    with pytest.raises(KeyError, match="broken host"):
        vm.call("run")


def test_vms_share_nothing() -> None:
    parts = (
        MARKER,
        MEMORY,
        MALLOC,
        "(global $n (mut i32) (i32.const 0))",
        '(func (export "next") (result i32)'
        " (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))",
    )
    one, other = guest(*parts), guest(*parts)
    assert [one.call("next"), one.call("next"), other.call("next")] == [1, 2, 1]

"""Two ways for a test to make one hostcall: from Wasm, and from CPython.

The Wasm way is a module made for the row of abi_table.py: it imports the hostcall and
exports it again, so the test plays the guest and moves the bytes itself. It shares
nothing with the declarations in filters/, nor with the adapter under test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wasmtime import wat2wasm

from filters import hostcalls, wasi
from filters.lang import Buffer
from filters.running import running
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host
from tests.wasm.abi_table import TABLE, Row

ARGUMENTS_AT: Final = 1024
SLOTS_AT: Final = 512
AREA_BYTES: Final = 256
ARENA_AT: Final = 32768

FRAME: Final = """
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 32768))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param $size i32) (result i32)
    global.get $next
    (global.set $next (i32.add (global.get $next) (local.get $size))))
"""

Caller = Callable[..., Any]
"""Make a hostcall: Python arguments in, what a declaration returns out."""


def wat_types(codes: str) -> str:
    return " ".join({"i": "i32", "I": "i64"}[code] for code in codes)


def raw_module(name: str, row: Row) -> bytes:
    """Make a module that exports the hostcall `name` as `call`."""
    params = "".join(f" (param {wat_types(code)})" for code in row.params)
    result = f" (result {wat_types(row.results)})" if row.results else ""
    gets = " ".join(f"local.get {i}" for i in range(len(row.params)))
    return bytes(
        wat2wasm(f"""(module
          (import "{row.module}" "{name}" (func $f{params}{result}))
          {FRAME}
          (func (export "call"){params}{result} {gets} call $f))""")
    )


def call_from_wasm(host: Host, name: str, *arguments: Any) -> Any:
    """Make a hostcall from a module of its own."""
    row = TABLE[name]
    guest = WasmGuest(raw_module(name, row), host)
    raw = _place_arguments(guest, row, arguments)
    slots = []
    at = SLOTS_AT
    for code in row.gives:
        slots.append(at)
        raw += [at, at + 4] if code == "b" else [at]
        at += 8
    status = guest.call("call", *raw)
    _copy_areas(guest, row, arguments)
    if not row.gives:
        return status
    return (
        status,
        *(_read_slot(guest, c, a) for c, a in zip(row.gives, slots, strict=True)),
    )


def _place_arguments(
    guest: WasmGuest, row: Row, arguments: tuple[Any, ...]
) -> list[int]:
    raw: list[int] = []
    at = ARGUMENTS_AT
    for code, value in zip(row.takes, arguments, strict=True):
        if code == "b":
            guest.memory.write(at, value)
            raw += [at, len(value)]
            at += len(value)
        elif code == "p":
            raw.append(at)
            at += AREA_BYTES
        else:
            raw.append(value)
    return raw


def _copy_areas(guest: WasmGuest, row: Row, arguments: tuple[Any, ...]) -> None:
    at = ARGUMENTS_AT
    for code, value in zip(row.takes, arguments, strict=True):
        if code == "p":
            value.put(0, guest.memory.read(at, len(value)))
            at += AREA_BYTES


def _read_slot(guest: WasmGuest, code: str, at: int) -> bytes | int:
    if code == "b":
        address, size = (
            int.from_bytes(guest.memory.read(a, 4), "little") for a in (at, at + 4)
        )
        assert size == 0 or address >= ARENA_AT
        return guest.memory.read(address, size)
    return int.from_bytes(guest.memory.read(at, 8 if code == "I" else 4), "little")


def call_from_python(host: Host, name: str, *arguments: Any) -> Any:
    """Make a hostcall through its declaration."""
    module = hostcalls if hasattr(hostcalls, name) else wasi
    with running(host, {}):
        return getattr(module, name)(*arguments)


def area(size: int = AREA_BYTES) -> Buffer:
    return Buffer(size)

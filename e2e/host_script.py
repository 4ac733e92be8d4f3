"""Scripts of hostcalls, as a module that any host can run.

A script says which hostcalls are made in which callback. The module made of it writes
one log line for each status and each result, in hex, so that the log of a real Envoy
and the log of the emulated host can be laid side by side. It is made from text Wasm:
neither the compiler nor the bindings under test have a part in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from wasmtime import wat2wasm

from tests.wasm.abi_table import TABLE, Row

CALLBACKS: Final = {
    "C": ("proxy_on_configure", 2, "1"),
    "N": ("proxy_on_new_connection", 1, "0"),
    "D": ("proxy_on_downstream_data", 3, "0"),
    "Q": ("proxy_on_request_headers", 3, "0"),
    "B": ("proxy_on_request_body", 3, "0"),
    "P": ("proxy_on_response_headers", 3, "0"),
    "L": ("proxy_on_log", 1, ""),
}
"""Phase letter -> callback, number of parameters, result."""

SLOT_BYTES: Final = 32
SLOTS_AT: Final = 4096
TEXT_AT: Final = 65536
SCRATCH_AT: Final = 0x20000
ARENA_AT: Final = 0x80000


@dataclass(frozen=True, slots=True)
class Result:
    """An argument: the number that an earlier step of the phase returned."""

    step: str


@dataclass(frozen=True, slots=True)
class Step:
    """One hostcall. `label` names its lines; `hidden` logs the status only."""

    label: str
    call: str
    arguments: tuple[bytes | int | Result, ...] = ()
    hidden: bool = False


Script = Mapping[str, tuple[Step, ...]]


@dataclass
class _Text:
    """Constant bytes of the module, and where each step keeps its results."""

    data: bytes = b""
    slots: dict[str, int] = field(default_factory=dict)

    def place(self, value: bytes) -> int:
        at = TEXT_AT + len(self.data)
        self.data += value
        return at

    def slot(self, label: str) -> int:
        return self.slots.setdefault(label, SLOTS_AT + SLOT_BYTES * len(self.slots))


def script_module(script: Script) -> bytes:
    """Make the module of a script."""
    text = _Text()
    steps = [step for phase in script.values() for step in phase]
    names = {step.call: TABLE[step.call] for step in steps} | {
        "proxy_log": TABLE["proxy_log"]
    }
    imports = "\n".join(_import(name, row) for name, row in sorted(names.items()))
    callbacks = "\n".join(_callback(k, script[k], text) for k in script)
    data = "".join(f"\\{byte:02x}" for byte in text.data)
    return bytes(
        wat2wasm(
            f"(module {imports} {_FRAME} {callbacks}"
            f' (data (i32.const {TEXT_AT}) "{data}"))'
        )
    )


def _types(codes: str) -> str:
    return " ".join({"i": "i32", "I": "i64"}[code] for code in codes)


def _import(name: str, row: Row) -> str:
    result = f"(result {_types(row.results)})" if row.results else ""
    params = f"(param {_types(row.params)})" if row.params else ""
    return f'(import "{row.module}" "{name}" (func ${name} {params} {result}))'


def _callback(phase: str, steps: Iterable[Step], text: _Text) -> str:
    name, parameters, result = CALLBACKS[phase]
    body = "\n".join(_step(phase, step, text) for step in steps)
    returns = f"(result i32) {body} i32.const {result}" if result else body
    params = " ".join(["i32"] * parameters)
    return f'(func (export "{name}") (param {params}) {returns})'


def _step(phase: str, step: Step, text: _Text) -> str:
    row = TABLE[step.call]
    slot = text.slot(step.label)
    pushed = " ".join(_argument(c, a, text) for c, a in _pairs(row, step))
    pointers = " ".join(f"(i32.const {at})" for at in _slots(row, slot + 4))
    lines = [
        f"(i32.store (i32.const {slot}) (call ${step.call} {pushed} {pointers}))",
        _log(phase, step.label, "status", f"(i32.const {slot})", "(i32.const 4)", text),
    ]
    if not step.hidden:
        lines += [
            _log(phase, step.label, "result", *_value(code, at), text)
            for code, at in _results(row, slot + 4)
        ]
    return "\n".join(lines)


def _pairs(row: Row, step: Step) -> Iterable[tuple[str, bytes | int | Result]]:
    return zip(row.takes, step.arguments, strict=True)


def _argument(code: str, value: bytes | int | Result, text: _Text) -> str:
    if isinstance(value, bytes):
        return f"(i32.const {text.place(value)}) (i32.const {len(value)})"
    kind = {"I": "i64"}.get(code, "i32")
    if isinstance(value, Result):
        return f"({kind}.load (i32.const {text.slot(value.step) + 4}))"
    return f"({kind}.const {value})"


def _results(row: Row, at: int) -> Iterable[tuple[str, int]]:
    for code in row.gives:
        yield code, at
        at += 8


def _slots(row: Row, at: int) -> Iterable[int]:
    for code, place in _results(row, at):
        yield place
        if code == "b":
            yield place + 4


def _value(code: str, at: int) -> tuple[str, str]:
    if code == "b":
        return f"(i32.load (i32.const {at}))", f"(i32.load (i32.const {at + 4}))"
    return f"(i32.const {at})", f"(i32.const {8 if code == 'I' else 4})"


def _log(
    phase: str, label: str, what: str, address: str, size: str, text: _Text
) -> str:
    title = f"{phase} {label} {what} ".encode()
    at = text.place(title)
    return f"(call $show (i32.const {at}) (i32.const {len(title)}) {address} {size})"


_FRAME: Final = f"""
  (memory (export "memory") 64 64)
  (global $next (mut i32) (i32.const {ARENA_AT}))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param $size i32) (result i32)
    global.get $next
    (global.set $next (i32.add (global.get $next) (local.get $size))))
  (func $digit (param $at i32) (param $value i32)
    (i32.store8 (local.get $at) (i32.add (local.get $value)
      (select (i32.const 48) (i32.const 87)
        (i32.lt_u (local.get $value) (i32.const 10))))))
  (func $show (param $title i32) (param $length i32)
              (param $at i32) (param $size i32)
    (local $to i32) (local $end i32)
    (memory.copy (i32.const {SCRATCH_AT}) (local.get $title) (local.get $length))
    (local.set $to (i32.add (i32.const {SCRATCH_AT}) (local.get $length)))
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (block $done (loop $more
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (call $digit (local.get $to)
        (i32.shr_u (i32.load8_u (local.get $at)) (i32.const 4)))
      (call $digit (i32.add (local.get $to) (i32.const 1))
        (i32.and (i32.load8_u (local.get $at)) (i32.const 15)))
      (local.set $to (i32.add (local.get $to) (i32.const 2)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $more)))
    (drop (call $proxy_log (i32.const 5) (i32.const {SCRATCH_AT})
      (i32.sub (local.get $to) (i32.const {SCRATCH_AT})))))
"""

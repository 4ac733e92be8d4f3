"""One source, two back ends: faults, widths, embedded data, and every hostcall."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator.compiler import compile_file
from generator.wasm.context import Context
from generator.wasm.errors import GuestTrap, UnknownHostcall
from generator.wasm.guest import Guest, WasmGuest
from generator.wasm.host import Host
from generator.wasm.python_guest import PythonGuest
from tests.wasm.abi_table import TABLE
from tests.wasm.both import BACKENDS, load
from tests.wasm.test_host_streams import NOT_EMULATED

FAULTY = Path(__file__).parent / "guests" / "faulty.py"
TABLE_BYTES = {"table": b"\x07" * 5}


@pytest.fixture(params=BACKENDS)
def guest(request: pytest.FixtureRequest) -> Guest:
    return load(FAULTY, request.param, Host(), TABLE_BYTES)


# --- faults: the handler answers, with the first argument as the context --------------


@pytest.mark.parametrize(
    ("export", "good", "bad", "fault"),
    [
        ("bounds", (3, 7), 4, 2),
        ("division", (7, 14), 0, 3),
        ("assertion", (1, 9), 2, 4),
        ("deeper", (0, 8), 200, 2),
    ],
)
def test_faults(
    guest: Guest, export: str, good: tuple[int, int], bad: int, fault: int
) -> None:
    argument, result = good
    assert guest.call(export, argument) == result
    assert guest.call("seen_fault") == 0
    assert guest.call(export, bad) == bad * 10 + fault
    assert guest.call("seen_fault") == fault
    assert guest.call(export, argument) == result


def test_nothing_runs_after_a_fault(guest: Guest) -> None:
    guest.call("deeper", 200)
    assert guest.host.logs == []


def test_results_of_a_fault(guest: Guest) -> None:
    assert guest.call("truth", 1) == 0
    assert guest.call("truth", 0) == 1  # the handler's answer is not 0
    assert guest.call("several", 0) == (0, 0, 0)
    assert guest.call("without_result", 0) is None


def test_callbacks_hand_their_context_to_the_handler(guest: Guest) -> None:
    assert guest.call("proxy_on_request_headers", 5, 200, 1) == 52
    assert guest.call("proxy_on_tick", 5) is None
    assert guest.call("seen_fault") == 4


def test_fault_within_the_handler_is_a_trap(guest: Guest) -> None:
    with pytest.raises(GuestTrap):
        guest.call("proxy_on_request_headers", 13, 200, 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_fault_without_a_handler_is_a_trap(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "bare.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from filters.lang import export, u32\n"
        "@export\n"
        "def check(value: u32) -> u32:\n"
        "    assert value == 1\n"
        "    return value\n"
    )
    guest = load(path, backend, Host())
    assert guest.call("check", 1) == 1
    with pytest.raises(GuestTrap):
        guest.call("check", 2)


def test_endless_loop_ends() -> None:
    # CPython counts no steps
    module = compile_file(FAULTY, step_budget=1000).to_bytes()
    assert WasmGuest(module, Host()).call("endless") == 1


# --- values ---------------------------------------------------------------------------


def test_widths(guest: Guest) -> None:
    full = (1 << 64) - 1
    assert guest.call("widths", -1, -1, 7) == (full, full, 1)
    assert guest.call("widths", 1 << 63, 1 << 64, 0) == (1 << 63, 0, 0)


def test_embedded(guest: Guest) -> None:
    assert guest.call("linked") == 5 * 256 + 7


@pytest.mark.parametrize("backend", BACKENDS)
def test_embedded_data_that_is_absent(backend: str) -> None:
    guest = load(FAULTY, backend, Host())
    assert guest.call("linked") == 2  # out of bounds


# --- every hostcall, declared in filters/, called from compiled code ------------------

LITERALS = {"b": 'b"k\\0v"', "i": "1", "I": "1", "p": "AREA"}
GIVEN = {"b": "u32(len({0}) * 256 + ({0}[0] if len({0}) > 0 else 0))"}


def source_of_all() -> str:
    """Write a guest with one export for each hostcall of the table."""
    lines = [
        "from __future__ import annotations",
        f"from filters.hostcalls import {', '.join(_of('env'))}",
        f"from filters.wasi import {', '.join(_of('wasi_snapshot_preview1'))}",
        "from filters.lang import Buffer, export, i64, u32, u64",
        "AREA = Buffer(64)",
    ]
    for name, row in TABLE.items():
        call = f"{name}({', '.join(LITERALS[code] for code in row.takes)})"
        names = [f"r{i}" for i in range(len(row.gives))]
        given = zip(row.gives, names, strict=True)
        values = [GIVEN.get(code, "{0}").format(result) for code, result in given]
        kinds = ["u64" if code == "I" else "u32" for code in row.gives]
        lines += ["@export", _signature(name, row.results, kinds)]
        if row.gives:
            lines += [f"    status, {', '.join(names)} = {call}"]
            lines += [f"    return status, {', '.join(values)}"]
        else:
            lines += [f"    return {call}" if row.results else f"    {call}"]
    return "\n".join(lines) + "\n"


def _of(module: str) -> list[str]:
    return sorted(name for name, row in TABLE.items() if row.module == module)


def _signature(name: str, results: str, kinds: list[str]) -> str:
    if kinds:
        return f"def call_{name}() -> tuple[u32, {', '.join(kinds)}]:"
    return f"def call_{name}() -> {'u32' if results else 'None'}:"


@pytest.fixture(scope="module")
def all_hostcalls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("all") / "every_hostcall.py"
    path.write_text(source_of_all())
    return path


@pytest.fixture(scope="module")
def all_compiled(all_hostcalls: Path) -> bytes:
    return bytes(compile_file(all_hostcalls).to_bytes())


def furnished() -> Host:
    """A host in which most calls find something."""
    host = Host(environment={"A": "1"}, clusters={b"k\0v"})
    host.contexts[1] = Context(1)
    host.contexts[2] = Context(2, 1)
    host.effective = 2
    host.context.header_maps[1] = [(b"k\0v", b"trailer")]
    host.context.buffers[1] = b"body"
    host.properties[b"k\0v"] = b"property"
    host.call_status = (14, b"gone")
    host.proxy_set_shared_data(b"k\0v", b"shared", 0)
    host.proxy_register_shared_queue(b"k\0v")
    host.proxy_enqueue_shared_queue(1, b"queued")
    host.proxy_define_metric(1, b"k\0v")
    host.calls.clear()
    return host


def outcome(call: Callable[[str], Any], name: str) -> Any:
    try:
        return call(f"call_{name}")
    except UnknownHostcall as error:
        return str(error)


@pytest.mark.parametrize("name", TABLE)
def test_every_hostcall_from_compiled_code(
    all_hostcalls: Path, all_compiled: bytes, name: str
) -> None:
    python, wasm = furnished(), furnished()
    answers = [
        outcome(PythonGuest(all_hostcalls, python).call, name),
        outcome(WasmGuest(all_compiled, wasm).call, name),
    ]
    assert answers[0] == answers[1]
    assert python.context == wasm.context
    assert python.shared == wasm.shared
    if name in NOT_EMULATED:
        assert "RUN0004" in answers[0]
    else:
        assert python.calls == wasm.calls == {name: 1}

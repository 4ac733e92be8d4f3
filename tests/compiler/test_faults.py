"""Faults never trap: the handler answers. Steps end. A fault in the handler traps."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from generator.wasm.errors import GuestTrap
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host
from tests.compiler.guests import BACKENDS, build, start, write

BUDGET: Final = 1000

GUEST: Final = """
from typing import Final

from filters.lang import Buffer, View, export, on_fault, u32, u64

BIG: Final = 100_000
BUF = Buffer(16)
seen_context: u32 = 0
seen_fault: u32 = 0
done: u32 = 0


@on_fault
def handle(context_id: u32, fault: u32) -> u32:
    global seen_context, seen_fault
    seen_context = context_id
    seen_fault = fault
    for _ in range(BIG if context_id == 99 else 1):
        pass
    return u32(fault + 100)


def bounds(i: u32) -> u32:
    return BUF[i]


def divide(a: u32, b: u32) -> tuple[u32, View]:
    return a // b, b"abc"


def deep(kind: u32) -> u64:
    global done
    if kind == 1:
        spin()
    elif kind == 2:
        done = u32(bounds(16) + 1)
    elif kind == 3:
        done, text = divide(1, 0)
        done = len(text)
    elif kind == 4:
        assert kind == 5, "wrong"
    return 7


def spin() -> None:
    while True:
        pass


@export
def proxy_on_request_headers(context_id: u32, count: u32, end: bool) -> u32:
    global done
    done = 0
    result = deep(count)
    done = 1
    return u32(result)


@export
def proxy_on_tick(context_id: u32) -> None:
    assert context_id == 0


@export
def proxy_on_configure(context_id: u32, size: u32) -> bool:
    assert size == 1
    return True


@export
def several(context_id: u64) -> tuple[u32, u64, u32]:
    assert context_id == 0
    return 1, 2, 3


@export
def wide(a: u32) -> u64:
    assert a == 0
    return 0xFFFFFFFFFF


@export
def without_context() -> u32:
    assert seen_fault == 77
    return 0


@export
def state() -> tuple[u32, u32, u32]:
    return seen_context, seen_fault, done


@export
def turns(n: u32) -> u32:
    i: u32 = 0
    while i < n:
        i = u32(i + 1)
    return i


@export
def turns_of_for(n: u32) -> u32:
    total: u32 = 0
    for i in range(n):
        total = u32(total + i)
    return total


@export
def turns_of_constant_loops(n: u32) -> u32:
    total: u32 = 0
    for i in range(n):
        for j in range(50):
            total = u32(total + j)
    return total
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path, GUEST)


# --- the handler ---------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", [2, 3, 4])
def test_each_fault_calls_the_handler(path: Path, kind: int, backend: str) -> None:
    guest = start(path, backend)
    assert guest.call("proxy_on_request_headers", 5, kind, 0) == 100 + kind
    assert guest.call("state") == (5, kind, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_fault_no_handler(path: Path, backend: str) -> None:
    guest = start(path, backend)
    assert guest.call("proxy_on_request_headers", 5, 9, 1) == 7
    assert guest.call("state") == (0, 0, 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_answers_of_every_shape(path: Path, backend: str) -> None:
    guest = start(path, backend)
    assert guest.call("proxy_on_tick", 3) is None
    assert guest.call("state")[:2] == (3, 4)
    assert guest.call("several", 8) == (0, 0, 0)
    assert guest.call("state")[:2] == (8, 4)
    assert guest.call("wide", 1) == 104
    assert guest.call("without_context") == 104
    assert guest.call("state")[:2] == (0, 4)


def test_endless_loop_is_stopped(path: Path) -> None:
    guest = start(path, "wasm")
    assert guest.call("proxy_on_request_headers", 5, 1, 0) == 101
    assert guest.call("state") == (5, 1, 0)


def test_guest_lives_on_after_a_fault(path: Path) -> None:
    guest = start(path, "wasm", step_budget=BUDGET)
    for _ in range(3):
        assert guest.call("proxy_on_request_headers", 5, 2, 0) == 102
        assert guest.call("proxy_on_request_headers", 5, 9, 0) == 7


def test_fault_in_the_handler_traps(path: Path) -> None:
    guest = start(path, "wasm", step_budget=BUDGET)
    with pytest.raises(GuestTrap):
        guest.call("proxy_on_request_headers", 99, 2, 0)


def test_handler_has_a_budget_of_its_own(path: Path) -> None:
    guest = start(path, "wasm", step_budget=100_001)
    assert guest.call("proxy_on_request_headers", 99, 1, 0) == 101


def test_without_handler_a_fault_traps(tmp_path: Path) -> None:
    """A zero would be CONTINUE: nothing that faults may let a request pass."""
    source = GUEST.replace("@on_fault\n", "")
    guest = start(write(tmp_path, source), "wasm")
    with pytest.raises(GuestTrap):
        guest.call("proxy_on_request_headers", 5, 2, 0)


def test_functions_that_cannot_fault_are_not_asked(tmp_path: Path) -> None:
    source = """
from filters.lang import Buffer, export, u32

BUF = Buffer(64)


def safe(i: u32) -> u32:
    return BUF[i & 63]


@export
def run(i: u32) -> u32:
    total: u32 = 0
    if i < 4:
        total = u32(safe(i) + safe(u32(i + 1)))
    return total
"""
    module = build(write(tmp_path, source))
    run = next(f for f in module.functions if f.name.endswith("run"))
    assert not [i for i in run.body if i.op.name == "br_if"]
    assert not [i for i in run.body if i.op.name == "global.get"]


# --- steps ---------------------------------------------------------------------------


@pytest.mark.parametrize("export", ["turns", "turns_of_for"])
def test_budget_counts_turns_exactly(path: Path, export: str) -> None:
    guest = start(path, "wasm", step_budget=BUDGET)
    assert guest.call(export, BUDGET) < 1_000_000
    assert guest.call(export, BUDGET + 1) == 101
    assert guest.call(export, BUDGET) < 1_000_000  # each callback has its own


def test_constant_loops_pay_when_they_start(path: Path) -> None:
    guest = start(path, "wasm", step_budget=BUDGET)
    fits = BUDGET // 51
    assert guest.call("turns_of_constant_loops", fits) == fits * 1225
    assert guest.call("turns_of_constant_loops", fits + 1) == 101


def test_default_budget_is_enough_for_ten_million_turns(path: Path) -> None:
    guest = WasmGuest(build(path).to_bytes(), Host())
    assert guest.call("turns", 10_000_000) == 10_000_000
    assert guest.call("turns", 10_000_001) == 101

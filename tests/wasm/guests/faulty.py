"""A guest that faults in every way, and keeps a count in a global."""

from __future__ import annotations

from filters.abi import LogLevel
from filters.hostcalls import proxy_log
from filters.lang import Buffer, embedded, export, i64, on_fault, u32, u64

AREA = Buffer(4)

calls: u32 = 0
last_fault: u32 = 0


@export
def count() -> u32:
    global calls
    calls = u32(calls + 1)
    return calls


@export
def seen_fault() -> u32:
    return last_fault


@export
def bounds(context_id: u32, index: u32) -> u32:
    AREA[index] = 1
    return 7


@export
def division(context_id: u32, divisor: u32) -> u32:
    return 100 // divisor


@export
def assertion(context_id: u32, value: u32) -> u32:
    assert value == 1
    return 9


@export
def without_result(context_id: u32, value: u32) -> None:
    assert value == 1


@export
def deeper(context_id: u32, index: u32) -> u32:
    reached = u32(bounds(context_id, index) + 1)
    proxy_log(LogLevel.INFO, b"not reached after a fault")
    return reached


@export
def widths(small: i64, large: u64) -> tuple[i64, u64]:
    return small, large


@export
def linked(context_id: u32) -> u32:
    return len(embedded(b"table"))


@on_fault
def faulted(context_id: u32, fault: u32) -> u32:
    global last_fault
    last_fault = fault
    assert context_id != 13
    return u32(context_id * 10 + fault)

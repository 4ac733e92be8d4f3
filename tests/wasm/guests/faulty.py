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
def bounds(index: u32) -> u32:
    AREA[index & 0xFF] = 1
    return 7


@export
def division(divisor: u32) -> u32:
    return 100 // divisor


@export
def assertion(value: u32) -> u32:
    assert value == 1
    return 9


@export
def without_result(value: u32) -> None:
    assert value == 1


@export
def truth(value: u32) -> bool:
    assert value == 1
    return False


@export
def several(value: u32) -> tuple[u64, bool, i64]:
    assert value == 1
    return 1, True, -1


@export
def deeper(index: u32) -> u32:
    reached = u32(bounds(index) + 1)
    proxy_log(LogLevel.INFO, b"not reached after a fault")
    return reached


@export
def endless() -> u32:
    i: u32 = 0
    while i != 2:
        i = 1
    return i


@export
def widths(small: i64, large: u64, flag: bool) -> tuple[i64, u64, bool]:
    return small, large, flag


@export
def linked() -> u32:
    table = embedded(b"table")
    return u32(len(table) * 256 + table[0])


@export
def proxy_on_request_headers(context_id: u32, count: u32, end_of_stream: u32) -> u32:
    AREA[count & 0xFF] = 1
    return 0


@export
def proxy_on_tick(context_id: u32) -> None:
    assert context_id == 1


@on_fault
def faulted(context_id: u32, fault: u32) -> u32:
    global last_fault
    last_fault = fault
    assert context_id != 13
    return u32(context_id * 10 + fault)

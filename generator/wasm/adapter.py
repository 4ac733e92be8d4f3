"""Between a module's raw numbers and the host's Python methods.

One adapter serves one import. It is derived from the declaration alone: parameters
are read from memory, the host's method of that name is called, and results are
written through the result pointers. As in Envoy, results that are bytes are written
where the guest's allocator says (no call for empty ones, 0 means failure), result
words are written only on status 0, and a bad pointer is status 6.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

from filters.abi import Errno, Status
from filters.lang import Buffer, View, Width
from filters.running import Hostcall
from generator.wasm.hostcalls import WASI_MODULES
from generator.wasm.memory import BadAddress, GuestArea, GuestMemory


class Move(Enum):
    """How to move a value that is not an integer."""

    BYTES = 1
    AREA = 2


Step = Width | Move


class Caller(Protocol):
    """What an adapter needs of the running module."""

    @property
    def memory(self) -> GuestMemory: ...

    def allocate(self, size: int) -> int: ...


def adapt(
    call: Hostcall, method: Callable[..., Any], guest: Caller
) -> Callable[..., Any]:
    """Return the function that the module imports for a declaration."""
    kinds = tuple(_step(kind) for _, kind in call.parameters)
    result_kinds = tuple(_step(kind) for kind in call.results[1:])
    is_wasi = call.module in WASI_MODULES
    bad_address = Errno.BAD_ADDRESS if is_wasi else Status.INVALID_MEMORY_ACCESS

    def serve(*raw: int) -> Any:
        memory = guest.memory
        memory.refresh()
        try:
            arguments, used = take_arguments(kinds, raw, memory)
            answer = method(*arguments)
            if not result_kinds:
                return answer
            status, *values = answer
            if status == Status.OK:
                give_results(result_kinds, values, raw[used:], guest)
        except BadAddress:
            return bad_address
        return status

    return serve


def _step(kind: Any) -> Step:
    if kind == View:
        return Move.BYTES
    if kind is Buffer:
        return Move.AREA
    assert isinstance(kind, Width)
    return kind


def take_arguments(
    kinds: tuple[Step, ...], raw: tuple[int, ...], memory: GuestMemory
) -> tuple[list[Any], int]:
    """Return the Python arguments and how many raw numbers they took."""
    arguments: list[Any] = []
    at = 0
    for kind in kinds:
        if kind is Move.BYTES:
            arguments.append(memory.read(raw[at], raw[at + 1]))
            at += 1
        elif kind is Move.AREA:
            arguments.append(GuestArea(memory, raw[at]))
        else:
            arguments.append(kind(raw[at]))
        at += 1
    return arguments, at


def give_results(
    kinds: tuple[Step, ...], values: list[Any], pointers: tuple[int, ...], guest: Caller
) -> None:
    """Write results through the result pointers."""
    at = 0
    for kind, value in zip(kinds, values, strict=True):
        if kind is Move.BYTES:
            address = _place(value, guest)
            guest.memory.write_u32(pointers[at], address)
            guest.memory.write_u32(pointers[at + 1], len(value))
            at += 1
        elif isinstance(kind, Width):
            size = kind.bits // 8
            guest.memory.write(
                pointers[at], (value & kind.mask).to_bytes(size, "little")
            )
        at += 1


def _place(value: bytes, guest: Caller) -> int:
    """Copy bytes to where the guest's allocator puts them."""
    if not value:
        return 0
    address = guest.allocate(len(value))
    if address == 0:
        raise BadAddress(0)
    guest.memory.refresh()
    guest.memory.write(address, value)
    return address

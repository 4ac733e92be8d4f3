"""The linear memory of a running module, as the host sees it.

Reads copy; an address outside the memory raises `BadAddress`, which a hostcall turns
into status 6 (or EFAULT) as Envoy does. `Area` is what a hostcall gets for a `Buffer`
parameter: under CPython the guest's Buffer, in a module the memory from a pointer on.
"""

from __future__ import annotations

import ctypes
from typing import Protocol

from wasmtime import Memory, Store


class BadAddress(Exception):
    """The guest gave a pointer outside its memory."""


class Area(Protocol):
    """Memory of the guest that a hostcall may write to."""

    def put(self, offset: int, source: bytes, /) -> None: ...

    def put_u32(self, offset: int, value: int, /) -> None: ...


class GuestMemory:
    """A module's exported memory. `refresh` follows its growth."""

    __slots__ = ("_bytes", "_memory", "_store")

    def __init__(self, memory: Memory, store: Store) -> None:
        self._memory, self._store = memory, store
        self._bytes = memoryview(b"")
        self.refresh()

    def refresh(self) -> None:
        """See the memory as large as it is now."""
        size = self._memory.data_len(self._store)
        if size != len(self._bytes):
            address = ctypes.addressof(self._memory.data_ptr(self._store).contents)
            array = (ctypes.c_ubyte * size).from_address(address)
            self._bytes = memoryview(array).cast("B")

    def __len__(self) -> int:
        return len(self._bytes)

    def read(self, address: int, size: int) -> bytes:
        if address + size > len(self._bytes):
            raise BadAddress(address)
        return bytes(self._bytes[address : address + size])

    def write(self, address: int, data: bytes) -> None:
        if address + len(data) > len(self._bytes):
            raise BadAddress(address)
        self._bytes[address : address + len(data)] = data

    def write_u32(self, address: int, value: int) -> None:
        self.write(address, value.to_bytes(4, "little"))


class GuestArea:
    """The memory from `address` on; its end is the memory's."""

    __slots__ = ("_memory", "address")

    def __init__(self, memory: GuestMemory, address: int) -> None:
        self._memory, self.address = memory, address

    def put(self, offset: int, source: bytes, /) -> None:
        self._memory.write(self.address + offset, source)

    def put_u32(self, offset: int, value: int, /) -> None:
        self._memory.write_u32(self.address + offset, value)

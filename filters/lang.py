"""The guest language, as CPython runs it.

A filter is written in a small typed subset of Python. The compiler
(generator/compiler) turns it into Wasm and knows every name below; this module gives
the same names the same meaning under CPython, so one source runs on both.

Invariants, equal on both back ends:
- `u8(x)` ... `i64(x)` are x modulo the width; all other integer arithmetic is exact.
- An index outside a view, buffer, word array or pool raises IndexError (guest fault
  2); a zero divisor raises ZeroDivisionError (3); a failed assert AssertionError (4).
- A slice is a read-only view that aliases its buffer; its bounds are clamped.
- Storing a value that its place cannot hold raises OverflowError here and is refused
  by the compiler, so it is never a run-time fault of a module.
- Hostcalls go to the host of the guest that is running (filters/running.py).

What it does not do: it counts no steps (fault 1), and an index expression that may be
negative is refused by the compiler only, since `b"ab"[-1]` is legal Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    TypeAlias,
    TypeVar,
    dataclass_transform,
    overload,
)

from filters.running import View, embedded, hostcall

__all__ = [
    "Buffer",
    "Pool",
    "View",
    "Words",
    "embedded",
    "export",
    "hostcall",
    "i32",
    "i64",
    "inline",
    "load_u16",
    "load_u32",
    "load_u32_be",
    "load_u64",
    "on_fault",
    "record",
    "rotr32",
    "scratch",
    "u8",
    "u16",
    "u32",
    "u64",
]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Width:
    """An integer type: calling it wraps a value to the type's range."""

    __slots__ = ("bits", "high", "low", "mask", "name", "signed")

    def __init__(self, name: str, bits: int, *, signed: bool) -> None:
        self.name, self.bits, self.signed = name, bits, signed
        self.mask = (1 << bits) - 1
        self.low = -(1 << (bits - 1)) if signed else 0
        self.high = self.low + self.mask

    def __call__(self, value: int) -> int:
        wrapped = int(value) & self.mask
        return wrapped - self.mask - 1 if wrapped > self.high else wrapped

    def __repr__(self) -> str:
        return self.name

    def check(self, value: int) -> int:
        """Return `value`, or raise OverflowError if the type cannot hold it."""
        if not self.low <= value <= self.high:
            raise OverflowError(f"{value} does not fit {self.name}")
        return int(value)


_U8: Final = Width("u8", 8, signed=False)
_U16: Final = Width("u16", 16, signed=False)
_U32: Final = Width("u32", 32, signed=False)
_U64: Final = Width("u64", 64, signed=False)
_I32: Final = Width("i32", 32, signed=True)
_I64: Final = Width("i64", 64, signed=True)

if TYPE_CHECKING:
    u8: TypeAlias = int
    u16: TypeAlias = int
    u32: TypeAlias = int
    u64: TypeAlias = int
    i32: TypeAlias = int
    i64: TypeAlias = int
else:
    u8, u16, u32, u64, i32, i64 = _U8, _U16, _U32, _U64, _I32, _I64


def _offset(offset: int, length: int, size: int) -> int:
    """Check that `length` bytes at `offset` lie within `size`."""
    if offset < 0 or offset + length > size:
        raise IndexError(f"{length} bytes at {offset} of {size}")
    return offset


def load_u16(view: View, offset: int) -> u16:
    """Read two bytes, little-endian."""
    at = _offset(offset, 2, len(view))
    return int.from_bytes(view[at : at + 2], "little")


def load_u32(view: View, offset: int) -> u32:
    """Read four bytes, little-endian."""
    at = _offset(offset, 4, len(view))
    return int.from_bytes(view[at : at + 4], "little")


def load_u64(view: View, offset: int) -> u64:
    """Read eight bytes, little-endian."""
    at = _offset(offset, 8, len(view))
    return int.from_bytes(view[at : at + 8], "little")


def load_u32_be(view: View, offset: int) -> u32:
    """Read four bytes, big-endian (network order)."""
    at = _offset(offset, 4, len(view))
    return int.from_bytes(view[at : at + 4], "big")


def rotr32(value: u32, count: u32) -> u32:
    """Rotate 32 bits right; the count is taken modulo 32, as i32.rotr does."""
    count &= 31
    return ((value >> count) | (value << (32 - count))) & 0xFFFFFFFF


class Buffer:
    """A fixed area of bytes, zero at the start of the module's life."""

    __slots__ = ("_bytes", "_readable")

    def __init__(self, size: int) -> None:
        self._bytes = bytearray(size)
        self._readable = memoryview(self._bytes).toreadonly()

    def __len__(self) -> int:
        return len(self._bytes)

    @overload
    def __getitem__(self, where: int) -> u8: ...
    @overload
    def __getitem__(self, where: slice) -> View: ...
    def __getitem__(self, where: int | slice) -> u8 | View:
        if isinstance(where, slice):
            return self._readable[where]
        return self._bytes[_offset(where, 1, len(self._bytes))]

    def __setitem__(self, index: int, value: u8) -> None:
        self._bytes[_offset(index, 1, len(self._bytes))] = _U8.check(value)

    def put(self, offset: int, source: View) -> None:
        """Copy a view to `offset`; the view may overlap this buffer."""
        at = _offset(offset, len(source), len(self._bytes))
        self._bytes[at : at + len(source)] = bytes(source)

    def put_u32(self, offset: int, value: u32) -> None:
        """Write four bytes, little-endian."""
        at = _offset(offset, 4, len(self._bytes))
        self._bytes[at : at + 4] = _U32.check(value).to_bytes(4, "little")


def scratch(size: u32) -> Buffer:
    """Return a buffer of zeros that lives as long as the callback.

    In a module it comes from the arena, where the host's results are too; when that is
    full, the buffer is empty. Under CPython there is always room.
    """
    return Buffer(size)


class Words:
    """A fixed array of u32, zero at the start of the module's life."""

    __slots__ = ("_words",)

    def __init__(self, size: int) -> None:
        self._words = [0] * size

    def __len__(self) -> int:
        return len(self._words)

    def __getitem__(self, index: int) -> u32:
        return self._words[_offset(index, 1, len(self._words))]

    def __setitem__(self, index: int, value: u32) -> None:
        self._words[_offset(index, 1, len(self._words))] = _U32.check(value)


_FIELDS: Final[Mapping[str, Width | None]] = {
    **{width.name: width for width in (_U8, _U16, _U32, _U64, _I32, _I64)},
    "bool": None,
}


@dataclass_transform()
def record(cls: type[T]) -> type[T]:
    """Make a class a record: integer and bool fields, each with a default."""
    widths = {name: _FIELDS[str(a)] for name, a in cls.__annotations__.items()}
    defaults = {name: getattr(cls, name) for name in widths}

    def init(self: object) -> None:
        for name, value in defaults.items():
            setattr(self, name, value)

    def set_field(self: object, name: str, value: Any) -> None:
        width = widths[name]
        object.__setattr__(self, name, width.check(value) if width else bool(value))

    namespace = {
        "__slots__": tuple(widths),
        "__init__": init,
        "__setattr__": set_field,
        "__doc__": cls.__doc__,
        "__module__": cls.__module__,
    }
    return type(cls.__name__, (), namespace)


class Pool(Generic[T]):
    """A fixed number of records of one kind."""

    __slots__ = ("_records",)

    def __init__(self, kind: type[T], size: int) -> None:
        self._records = [kind() for _ in range(size)]

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> T:
        return self._records[_offset(index, 1, len(self._records))]


# --- Marks that the compiler and the guest runner read -------------------------------


def inline(function: F) -> F:
    """Expand this function where it is called."""
    return function


def export(function: F) -> F:
    """Export this function from the module under its own name."""
    function.__guest_export__ = True  # type: ignore[attr-defined]
    return function


def on_fault(function: F) -> F:
    """Call this `(context_id, fault) -> u32` when a callback of the guest faults."""
    function.__guest_on_fault__ = True  # type: ignore[attr-defined]
    return function

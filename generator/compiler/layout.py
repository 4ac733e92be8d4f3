"""Pass 7: give every static object that is used its place in linear memory.

    0        nothing: address 0 means "none"
    16       objects with initial contents (constants, literals, pools with defaults)
    ...      result slots of hostcalls, zero objects (buffers, words, pools)
    ...      arena: what the host allocates during a callback
    ...      embedded data, so that code and other addresses do not depend on it

Only objects that the remaining functions use are placed, in the order of their first
use. Zero objects take no bytes in the module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from generator.compiler.ir import (
    Call,
    Expr,
    PoolItem,
    Static,
)
from generator.compiler.ir_statements import (
    FunctionIR,
)
from generator.compiler.passes import ALL_PASSES, Pass, Passes
from generator.compiler.signature import SLOT_BYTES, slot_types
from generator.compiler.symbols import HostcallSymbol, StaticObject, fill
from generator.compiler.types import U8, IntType
from generator.compiler.walk import all_expressions
from generator.errors import CompileError, Diagnostic
from generator.wasm.module import PAGE_BYTES, Data

FIRST_ADDRESS: Final = 16
ALIGNMENT: Final = 16
MAX_PAGES: Final = 16_384
"""1 GiB: more, and Envoy does not start the module (envoy-wasm.md, 1.1)."""


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """Where things are. Addresses are bytes from 0."""

    addresses: Mapping[StaticObject, int]
    result_slots: int
    arena_start: int
    arena_end: int
    data: tuple[Data, ...]
    pages: int
    embedded: Mapping[StaticObject, StaticObject]

    def linked(self, static: StaticObject) -> StaticObject:
        """Return an object with its contents: embedded ones get theirs here."""
        return self.embedded.get(static, static)


def place_objects(
    functions: Iterable[FunctionIR],
    arena_bytes: int,
    contents: Mapping[str, bytes] = MappingProxyType({}),
    passes: Passes = ALL_PASSES,
) -> MemoryMap:
    """Lay out memory for a program; `contents` are those of embedded objects."""
    expressions = [e for f in functions for e in all_expressions_in_order(f)]
    objects = _used_objects(expressions)
    embedded = {o: fill(o, contents) for o in objects if o.is_embedded}
    filled = [o for o in objects if o.contents and not o.is_embedded]
    zero = [o for o in objects if not o.contents and not o.is_embedded]
    if Pass.NEAR_OBJECTS in passes:
        zero.sort(key=lambda o: o.size_bytes)  # most addresses are short numbers

    addresses: dict[StaticObject, int] = {}
    shared = _shared(filled) if Pass.SHARED_LITERALS in passes else {}
    filled = [o for o in filled if o not in shared]
    end = _place(filled, FIRST_ADDRESS, addresses)
    data = _segment(filled, addresses)
    addresses |= {o: addresses[whole] + at for o, (whole, at) in shared.items()}
    result_slots = _aligned(end, ALIGNMENT)
    end = _aligned(result_slots + _slot_bytes(expressions), ALIGNMENT)
    arena_start = _aligned(_place(zero, end, addresses), ALIGNMENT)
    arena_end = arena_start + _aligned(arena_bytes, ALIGNMENT)
    end = _place(embedded.values(), arena_end, addresses)
    data += [Data(addresses[o], o.contents) for o in embedded.values() if o.contents]
    addresses |= {o: addresses[filled] for o, filled in embedded.items()}
    return MemoryMap(
        addresses,
        result_slots,
        arena_start,
        arena_end,
        tuple(data),
        _pages(end),
        embedded,
    )


def all_expressions_in_order(function: FunctionIR) -> list[Expr]:
    """Return all expressions of a function in an order fixed by the source."""
    return list(all_expressions(function.body))


def _used_objects(expressions: Iterable[Expr]) -> list[StaticObject]:
    used: dict[StaticObject, None] = {}
    for expr in expressions:
        if isinstance(expr, Static):
            used[expr.object] = None
        elif isinstance(expr, PoolItem):
            used[expr.pool] = None
    return list(used)


def _shared(
    filled: Iterable[StaticObject],
) -> dict[StaticObject, tuple[StaticObject, int]]:
    """Find bytes that are a part of others: those, and where in them."""
    shared: dict[StaticObject, tuple[StaticObject, int]] = {}
    kept: list[StaticObject] = []
    literals = [o for o in filled if o.element == U8]
    for static in sorted(literals, key=lambda o: o.size_bytes, reverse=True):
        whole = next((o for o in kept if static.contents in o.contents), None)
        if whole is None:
            kept.append(static)
        else:
            shared[static] = whole, whole.contents.index(static.contents)
    return shared


def _alignment(static: StaticObject) -> int:
    if static.is_embedded or not static.contents:
        return ALIGNMENT if static.size_bytes >= ALIGNMENT else 8
    if isinstance(static.element, IntType):
        return static.element.size_bytes
    return 8


def _place(
    objects: Iterable[StaticObject], start: int, addresses: dict[StaticObject, int]
) -> int:
    """Place objects one after another; return the first free address."""
    end = start
    for static in objects:
        addresses[static] = _aligned(end, _alignment(static))
        end = addresses[static] + static.size_bytes
    return end


def _segment(
    objects: Iterable[StaticObject], addresses: Mapping[StaticObject, int]
) -> list[Data]:
    """Join the contents of neighbours to one segment."""
    contents = bytearray()
    for static in objects:
        contents += bytes(addresses[static] - FIRST_ADDRESS - len(contents))
        contents += static.contents
    return [Data(FIRST_ADDRESS, bytes(contents))] if contents else []


def _slot_bytes(expressions: Iterable[Expr]) -> int:
    sizes = [0]
    for expr in expressions:
        if isinstance(expr, Call) and isinstance(expr.target, HostcallSymbol):
            sizes.append(SLOT_BYTES * len(slot_types(expr.target)))
    return max(sizes)


def _aligned(address: int, alignment: int) -> int:
    return -(-address // alignment) * alignment


def _pages(end: int) -> int:
    pages = max(1, _aligned(end, PAGE_BYTES) // PAGE_BYTES)
    if pages > MAX_PAGES:
        message = f"the module needs {end} bytes of memory, more than 1 GiB"
        raise CompileError([Diagnostic("GST0046", message)])
    return pages

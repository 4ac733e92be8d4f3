"""Lower views, and where arrays are: address and length of views, buffers, words.

A slice is made by a function of runtime.py, unless its bounds are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from generator.compiler.bounds import is_inside
from generator.compiler.interval import U32, width
from generator.compiler.ir import (
    Binary,
    Call,
    Choose,
    Const,
    Expr,
    InlineBlock,
    Let,
    ReadLocal,
    Slice,
    Static,
)
from generator.compiler.link import Fault
from generator.compiler.lowering import Lowering
from generator.compiler.passes import Pass
from generator.compiler.runtime import SAME_BYTES, SLICE
from generator.compiler.types import MAX_LENGTH, flatten
from generator.wasm import opcodes as op
from generator.wasm.opcodes import ValueType

# --- areas: where an array is and how long -------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is known, or in a Wasm local, or (to be pushed once) an index."""

    known: int | None
    local: int = 0
    index: Expr | None = None

    def push(self, out: Lowering) -> None:
        if self.known is not None:
            out.code.const(self.known)
        elif self.index is not None:
            push_index(out, self.index)
        else:
            out.code.get(self.local)


@dataclass(frozen=True, slots=True)
class Area:
    """Address and number of elements of an array."""

    address: Number
    count: Number


def take_area(out: Lowering, array: Expr) -> Area:
    """Evaluate an array once. Locals that this takes belong to the open scope."""
    match array:
        case Static(object=static):
            address = out.linker.memory.addresses[static]
            count = out.linker.memory.linked(static).count
            return Area(Number(address), Number(count))
        case ReadLocal(local=local):
            address_local, count_local = out.place(local)
            return Area(Number(None, address_local), Number(None, count_local))
        case _:
            push_pair(out, array)
            count_local = out.code.new_local(ValueType.I32)
            address_local = out.code.new_local(ValueType.I32)
            out.code.set(count_local)
            out.code.set(address_local)
            return Area(Number(None, address_local), Number(None, count_local))


def take_index(out: Lowering, index: Expr, *, is_checked: bool) -> Number:
    """Evaluate an index, which is pushed twice if it `is_checked`, else once.

    An index of 64 bits saturates at the largest u32.
    """
    if isinstance(index, Const):
        return Number(min(index.value, U32.high))
    if not is_checked:
        return Number(None, index=index)
    if isinstance(index, ReadLocal) and flatten(index.type) == (ValueType.I32,):
        return Number(None, out.place(index.local)[0])
    push_index(out, index)
    local = out.code.new_local(ValueType.I32)
    out.code.set(local)
    return Number(None, local)


def push_index(out: Lowering, index: Expr) -> None:
    """Push an index as u32. No array is longer, so saturation keeps it outside."""
    if width(index.interval) == 32:
        out.operations.integer(out, index, 32)
        return
    code = out.code
    with code.scope():
        wide = code.new_local(ValueType.I64)
        out.operations.integer(out, index, 64)
        code.tee(wide)
        code.const(U32.high, 64)
        code.get(wide)
        code.const(U32.high, 64)
        code.emit(op.I64_LT_U)
        code.emit(op.SELECT)
        code.emit(op.I32_WRAP_I64)


def check_element(out: Lowering, area: Area, index: Number) -> None:
    """Fault unless `index` is below the number of elements."""
    if index.known is not None:
        area.count.push(out)
        out.code.const(index.known)
        out.code.emit(op.I32_LE_U)
    else:
        index.push(out)
        area.count.push(out)
        out.code.emit(op.I32_GE_U)
    out.fault_if(Fault.BOUNDS)


def is_element_inside(out: Lowering, area: Area, array: Expr, index: Expr) -> bool:
    """Tell whether `array[index]` needs no check here."""
    known = area.count.known
    if not out.linker.makes(Pass.INTERVAL_BOUNDS):
        return isinstance(index, ReadLocal) and is_inside(array, index, out.facts)
    if known is not None and index.interval.high < known:
        return True
    return is_inside(array, index, out.facts)


def is_span_inside(out: Lowering, area: Area, start: Expr, size: int) -> bool:
    """Tell whether `size` bytes from `start` need no check."""
    if not out.linker.makes(Pass.INTERVAL_BOUNDS):
        return False
    known = area.count.known
    return known is not None and start.interval.high + size <= known


def check_span(out: Lowering, area: Area, start: Number, high: int, size: int) -> None:
    """Fault unless `size` bytes from `start`, which is at most `high`, lie inside."""
    known = area.count.known
    code = out.code
    if known is not None:
        _push_exceeds(out, start, known - size)
    elif start.known is not None:
        area.count.push(out)
        code.const(start.known + size)
        code.emit(op.I32_LT_U)
    elif high + size <= U32.high:
        start.push(out)
        code.const(size)
        code.emit(op.I32_ADD)
        area.count.push(out)
        code.emit(op.I32_GT_U)
    else:
        start.push(out)
        code.emit(op.I64_EXTEND_I32_U)
        code.const(size, 64)
        code.emit(op.I64_ADD)
        area.count.push(out)
        code.emit(op.I64_EXTEND_I32_U)
        code.emit(op.I64_GT_U)
    out.fault_if(Fault.BOUNDS)


def _push_exceeds(out: Lowering, start: Number, last: int) -> None:
    """Push whether `start` is past the last place that is inside."""
    if last < 0:
        out.code.const(1)
        return
    start.push(out)
    out.code.const(last)
    out.code.emit(op.I32_GT_U)


def push_address(out: Lowering, area: Area, index: Number, size: int) -> int:
    """Push the address of an element; return what the access adds to it."""
    code = out.code
    base, place = area.address.known, index.known
    if place is not None:
        if base is not None:
            code.const(base + place * size)
            return 0
        area.address.push(out)
        return place * size
    index, constant = _split(out, index, base, size)
    index.push(out)
    if size > 1:
        code.const(size.bit_length() - 1)
        code.emit(op.I32_SHL)
    if base is not None:
        return base + constant
    area.address.push(out)
    code.emit(op.I32_ADD)
    return constant


def _split(
    out: Lowering, index: Number, base: int | None, size: int
) -> tuple[Number, int]:
    """Take a constant out of an index, in bytes: accesses add it for nothing.

    What is left is not negative, and so small that no address wraps.
    """
    expr = index.index
    if not isinstance(expr, Binary) or not out.linker.makes(Pass.INDEX_OFFSETS):
        return index, 0
    match expr:
        case Binary(operation="+", left=part, right=Const(value=value)):
            constant = value * size
        case Binary(operation="-", left=part, right=Const(value=value)):
            constant = -value * size
        case _:
            return index, 0
    is_small = part.interval.low >= 0 and part.interval.high <= MAX_LENGTH
    if not is_small or constant + (base or 0) < 0:
        return index, 0
    return Number(None, index=part), constant


# --- views ---------------------------------------------------------------------------


def push_pair(out: Lowering, expr: Expr) -> None:
    """Push address and length of a view, buffer or word array."""
    _PAIRS[type(expr)](out, expr)


def _static_pair(out: Lowering, e: Static) -> None:
    out.code.const(out.linker.memory.addresses[e.object])
    out.code.const(out.linker.memory.linked(e.object).count)


def _local_pair(out: Lowering, e: ReadLocal) -> None:
    for index in out.place(e.local):
        out.code.get(index)


def _slice(out: Lowering, e: Slice) -> None:
    if e.stop is None and isinstance(e.start, Const) and e.start.value == 0:
        push_pair(out, e.array)
    elif not _push_known_slice(out, e):
        push_pair(out, e.array)
        push_index(out, e.start)
        if e.stop is None:
            out.code.const(U32.high)
        else:
            push_index(out, e.stop)
        out.code.emit(op.CALL, out.linker.callee(SLICE))


def _push_known_slice(out: Lowering, e: Slice) -> bool:
    """Push a slice of a static array if its bounds are known to be in order."""
    if not isinstance(e.array, Static) or not isinstance(e.start, Const):
        return False
    if not out.linker.makes(Pass.KNOWN_SLICES):
        return False
    count = out.linker.memory.linked(e.array.object).count
    start = e.start.value
    address = out.linker.memory.addresses[e.array.object]
    if e.stop is None or isinstance(e.stop, Const):
        stop = count if e.stop is None else min(e.stop.value, count)
        start = min(start, stop)
        out.code.const(address + start)
        out.code.const(stop - start)
        return True
    if start == 0 and e.stop.interval.high <= count:
        out.code.const(address)
        push_index(out, e.stop)
        return True
    return False


def _chosen_pair(out: Lowering, e: Choose) -> None:
    code = out.code
    out.operations.boolean(out, e.condition)
    code.open(op.IF, block_type=out.linker.block_type(flatten(e.type)))
    push_pair(out, e.then)
    code.emit(op.ELSE)
    push_pair(out, e.otherwise)
    code.emit(op.END)


def _let_pair(out: Lowering, e: Let) -> None:
    with out.frame():
        for local, value in e.bindings:
            out.push(value, local.type)
            out.store(local)
        push_pair(out, e.body)


def _called_pair(out: Lowering, e: Call | InlineBlock) -> None:
    out.operations.call(out, e)


_PAIRS: Final[Mapping[type[Any], Callable[[Lowering, Any], None]]] = {
    Static: _static_pair,
    ReadLocal: _local_pair,
    Slice: _slice,
    Choose: _chosen_pair,
    Let: _let_pair,
    Call: _called_pair,
    InlineBlock: _called_pair,
}


def push_length(out: Lowering, array: Expr) -> None:
    """Push the length of an array."""
    with out.code.scope():
        take_area(out, array).count.push(out)


def push_same_bytes(out: Lowering, left: Expr, right: Expr) -> None:
    """Push whether two views have the same bytes."""
    push_pair(out, left)
    push_pair(out, right)
    out.code.emit(op.CALL, out.linker.callee(SAME_BYTES))

"""Lower what touches linear memory: views, elements, loads, stores, records.

Every access is checked against the length of its array, unless the interval of the
index proves it inside. Checks branch to the function's cold `bounds` block; nothing
here can trap. Addresses of static objects go into the offset of the access.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from generator.compiler.interval import U32, width
from generator.compiler.ir import (
    Call,
    Choose,
    Const,
    Element,
    Expr,
    InlineBlock,
    Let,
    LoadBytes,
    PoolItem,
    ReadField,
    ReadLocal,
    Slice,
    Static,
)
from generator.compiler.link import Fault
from generator.compiler.lowering import Lowering
from generator.compiler.runtime import SAME_BYTES, SLICE
from generator.compiler.types import IntType, flatten
from generator.wasm import opcodes as op
from generator.wasm.opcodes import Op, ValueType

_LOADS: Final[Mapping[int, tuple[Op, int]]] = {
    1: (op.I32_LOAD8_U, 0),
    2: (op.I32_LOAD16_U, 1),
    4: (op.I32_LOAD, 2),
    8: (op.I64_LOAD, 3),
}
"""By size: the operation, and the exponent of its natural alignment."""


# --- areas: where an array is and how long -------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is known, or that is in a Wasm local."""

    known: int | None
    local: int = 0

    def push(self, l: Lowering) -> None:
        if self.known is None:
            l.code.get(self.local)
        else:
            l.code.const(self.known)


@dataclass(frozen=True, slots=True)
class Area:
    """Address and number of elements of an array."""

    address: Number
    count: Number


def take_area(l: Lowering, array: Expr) -> Area:
    """Evaluate an array once. Locals that this takes belong to the open scope."""
    match array:
        case Static(object=static):
            address = l.linker.memory.addresses[static]
            return Area(Number(address), Number(static.count))
        case ReadLocal(local=local):
            address_local, count_local = l.place(local)
            return Area(Number(None, address_local), Number(None, count_local))
        case _:
            push_pair(l, array)
            count_local = l.code.new_local(ValueType.I32)
            address_local = l.code.new_local(ValueType.I32)
            l.code.set(count_local)
            l.code.set(address_local)
            return Area(Number(None, address_local), Number(None, count_local))


def take_index(l: Lowering, index: Expr) -> Number:
    """Evaluate an index once; one of 64 bits saturates at the largest u32."""
    if isinstance(index, Const):
        return Number(min(index.value, U32.high))
    if isinstance(index, ReadLocal) and flatten(index.type) == (ValueType.I32,):
        return Number(None, l.place(index.local)[0])
    push_index(l, index)
    local = l.code.new_local(ValueType.I32)
    l.code.set(local)
    return Number(None, local)


def push_index(l: Lowering, index: Expr) -> None:
    """Push an index as u32. No array is longer, so saturation keeps it outside."""
    if width(index.interval) == 32:
        l.operations.integer(l, index, 32)
        return
    code = l.code
    with code.scope():
        wide = code.new_local(ValueType.I64)
        l.operations.integer(l, index, 64)
        code.tee(wide)
        code.const(U32.high, 64)
        code.get(wide)
        code.const(U32.high, 64)
        code.emit(op.I64_LT_U)
        code.emit(op.SELECT)
        code.emit(op.I32_WRAP_I64)


def check_element(l: Lowering, area: Area, index: Number, bounds: Expr) -> None:
    """Fault unless `index` is below the number of elements."""
    known = area.count.known
    if known is not None and bounds.interval.high < known:
        return
    if index.known is not None:
        area.count.push(l)
        l.code.const(index.known)
        l.code.emit(op.I32_LE_U)
    else:
        index.push(l)
        area.count.push(l)
        l.code.emit(op.I32_GE_U)
    l.fault_if(Fault.BOUNDS)


def check_span(
    l: Lowering, area: Area, start: Number, bounds: Expr, size: int
) -> None:
    """Fault unless `size` bytes from `start` lie inside."""
    known, high = area.count.known, min(bounds.interval.high, U32.high)
    if known is not None and high + size <= known:
        return
    code = l.code
    if known is not None:
        _push_exceeds(l, start, known - size)
    elif start.known is not None:
        area.count.push(l)
        code.const(start.known + size)
        code.emit(op.I32_LT_U)
    elif high + size <= U32.high:
        start.push(l)
        code.const(size)
        code.emit(op.I32_ADD)
        area.count.push(l)
        code.emit(op.I32_GT_U)
    else:
        start.push(l)
        code.emit(op.I64_EXTEND_I32_U)
        code.const(size, 64)
        code.emit(op.I64_ADD)
        area.count.push(l)
        code.emit(op.I64_EXTEND_I32_U)
        code.emit(op.I64_GT_U)
    l.fault_if(Fault.BOUNDS)


def _push_exceeds(l: Lowering, start: Number, last: int) -> None:
    """Push whether `start` is past the last place that is inside."""
    if last < 0:
        l.code.const(1)
        return
    start.push(l)
    l.code.const(last)
    l.code.emit(op.I32_GT_U)


def push_address(l: Lowering, area: Area, index: Number, size: int) -> int:
    """Push the address of an element; return what the access adds to it."""
    code = l.code
    base, place = area.address.known, index.known
    if place is not None:
        if base is not None:
            code.const(base + place * size)
            return 0
        area.address.push(l)
        return place * size
    index.push(l)
    if size > 1:
        code.const(size.bit_length() - 1)
        code.emit(op.I32_SHL)
    if base is not None:
        return base
    area.address.push(l)
    code.emit(op.I32_ADD)
    return 0


# --- loads ---------------------------------------------------------------------------


def load_element(l: Lowering, e: Element) -> None:
    """Push `array[index]`."""
    size = e.type.size_bytes
    with l.code.scope():
        area = take_area(l, e.array)
        index = take_index(l, e.index)
        check_element(l, area, index, e.index)
        offset = push_address(l, area, index, size)
        _load(l, size, offset, is_aligned=True)


def _load(l: Lowering, size: int, offset: int, *, is_aligned: bool) -> None:
    load, alignment = _LOADS[size]
    l.code.emit(load, alignment if is_aligned else 0, offset)


def load_bytes(l: Lowering, e: LoadBytes) -> None:
    """Push `load_u32(view, offset)` and its like."""
    with l.code.scope():
        area = take_area(l, e.view)
        start = take_index(l, e.offset)
        check_span(l, area, start, e.offset, e.size_bytes)
        offset = push_address(l, area, start, 1)
        _load(l, e.size_bytes, offset, is_aligned=False)
        if e.is_big_endian:
            swap_bytes_32(l)


def swap_bytes_32(l: Lowering) -> None:
    """Reverse four bytes: rotr(x & 0x00ff00ff, 8) | rotr(x & 0xff00ff00, 24)."""
    code = l.code
    value = code.new_local(ValueType.I32)
    code.tee(value)
    code.const(0x00FF00FF)
    code.emit(op.I32_AND)
    code.const(8)
    code.emit(op.I32_ROTR)
    code.get(value)
    code.const(0xFF00FF00)
    code.emit(op.I32_AND)
    code.const(24)
    code.emit(op.I32_ROTR)
    code.emit(op.I32_OR)


def load_field(l: Lowering, e: ReadField) -> None:
    """Push a field of a record."""
    offset = push_record(l, e.record) + e.field.offset_bytes
    _load(l, _field_bytes(e.type), offset, is_aligned=True)


def _field_bytes(type_: object) -> int:
    return type_.size_bytes if isinstance(type_, IntType) else 1


# --- views ---------------------------------------------------------------------------


def push_pair(l: Lowering, expr: Expr) -> None:
    """Push address and length of a view, buffer or word array."""
    _PAIRS[type(expr)](l, expr)


def _static_pair(l: Lowering, e: Static) -> None:
    l.code.const(l.linker.memory.addresses[e.object])
    l.code.const(e.object.count)


def _local_pair(l: Lowering, e: ReadLocal) -> None:
    for index in l.place(e.local):
        l.code.get(index)


def _slice(l: Lowering, e: Slice) -> None:
    if e.stop is None and isinstance(e.start, Const) and e.start.value == 0:
        push_pair(l, e.array)
    elif not _push_known_slice(l, e):
        push_pair(l, e.array)
        push_index(l, e.start)
        if e.stop is None:
            l.code.const(U32.high)
        else:
            push_index(l, e.stop)
        l.code.emit(op.CALL, l.linker.callee(SLICE))


def _push_known_slice(l: Lowering, e: Slice) -> bool:
    """Push a slice of a static array if its bounds are known to be in order."""
    if not isinstance(e.array, Static) or not isinstance(e.start, Const):
        return False
    count, start = e.array.object.count, e.start.value
    address = l.linker.memory.addresses[e.array.object]
    if e.stop is None or isinstance(e.stop, Const):
        stop = count if e.stop is None else min(e.stop.value, count)
        start = min(start, stop)
        l.code.const(address + start)
        l.code.const(stop - start)
        return True
    if start == 0 and e.stop.interval.high <= count:
        l.code.const(address)
        push_index(l, e.stop)
        return True
    return False


def _chosen_pair(l: Lowering, e: Choose) -> None:
    code = l.code
    l.operations.boolean(l, e.condition)
    code.open(op.IF, block_type=l.linker.block_type(flatten(e.type)))
    push_pair(l, e.then)
    code.emit(op.ELSE)
    push_pair(l, e.otherwise)
    code.emit(op.END)


def _let_pair(l: Lowering, e: Let) -> None:
    with l.frame():
        for local, value in e.bindings:
            l.push(value, local.type)
            l.store(local)
        push_pair(l, e.body)


def _called_pair(l: Lowering, e: Call | InlineBlock) -> None:
    l.operations.call(l, e)


_PAIRS: Final[Mapping[type[Any], Callable[[Lowering, Any], None]]] = {
    Static: _static_pair,
    ReadLocal: _local_pair,
    Slice: _slice,
    Choose: _chosen_pair,
    Let: _let_pair,
    Call: _called_pair,
    InlineBlock: _called_pair,
}


def push_length(l: Lowering, array: Expr) -> None:
    """Push the length of an array."""
    with l.code.scope():
        take_area(l, array).count.push(l)


def push_same_bytes(l: Lowering, left: Expr, right: Expr) -> None:
    """Push whether two views have the same bytes."""
    push_pair(l, left)
    push_pair(l, right)
    l.code.emit(op.CALL, l.linker.callee(SAME_BYTES))


# --- records -------------------------------------------------------------------------


def push_record(l: Lowering, expr: Expr) -> int:
    """Push the address of a record; return what accesses add to it."""
    match expr:
        case PoolItem():
            return _pool_item(l, expr)
        case ReadLocal(local=local):
            l.code.get(l.place(local)[0])
        case Choose():
            _chosen_record(l, expr)
        case Let():
            return _let_record(l, expr)
        case _:
            l.operations.call(l, expr)
    return 0


def _pool_item(l: Lowering, e: PoolItem) -> int:
    address = l.linker.memory.addresses[e.pool]
    size = e.type.size_bytes
    with l.code.scope():
        index = take_index(l, e.index)
        area = Area(Number(address), Number(e.pool.count))
        check_element(l, area, index, e.index)
        if index.known is not None:
            l.code.const(address + index.known * size)
            return 0
        index.push(l)
        if size > 1:
            l.code.const(size)
            l.code.emit(op.I32_MUL)
        return address


def _chosen_record(l: Lowering, e: Choose) -> None:
    code = l.code
    l.operations.boolean(l, e.condition)
    code.open(op.IF, block_type=l.linker.block_type((ValueType.I32,)))
    l.add_offset(push_record(l, e.then))
    code.emit(op.ELSE)
    l.add_offset(push_record(l, e.otherwise))
    code.emit(op.END)


def _let_record(l: Lowering, e: Let) -> int:
    with l.frame():
        for local, value in e.bindings:
            l.push(value, local.type)
            l.store(local)
        return push_record(l, e.body)


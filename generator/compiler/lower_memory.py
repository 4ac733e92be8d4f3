"""Lower what reads linear memory: elements, bytes, fields of records.

Every access is checked against the length of its array, unless the interval of the
index proves it inside. Checks branch to the function's cold `bounds` block; nothing
here can trap. Addresses of static objects go into the offset of the access.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from generator.compiler.bounds import cannot_fault
from generator.compiler.ir import (
    Choose,
    Element,
    Expr,
    Let,
    LoadBytes,
    PoolItem,
    ReadField,
    ReadLocal,
)
from generator.compiler.lower_view import (
    Area,
    Number,
    check_element,
    check_span,
    is_element_inside,
    is_span_inside,
    push_address,
    take_area,
    take_index,
)
from generator.compiler.lowering import Lowering
from generator.compiler.passes import Pass
from generator.compiler.types import IntType
from generator.wasm import opcodes as op
from generator.wasm.opcodes import Op, ValueType

_LOADS: Final[Mapping[int, tuple[Op, int]]] = {
    1: (op.I32_LOAD8_U, 0),
    2: (op.I32_LOAD16_U, 1),
    4: (op.I32_LOAD, 2),
    8: (op.I64_LOAD, 3),
}
"""By size: the operation, and the exponent of its natural alignment."""


# --- loads ---------------------------------------------------------------------------


def load_element(out: Lowering, e: Element) -> None:
    """Push `array[index]`."""
    size = e.type.size_bytes
    with out.code.scope():
        area = take_area(out, e.array)
        is_checked = not is_element_inside(out, area, e.array, e.index)
        index = take_index(out, e.index, is_checked=is_checked)
        if is_checked:
            check_element(out, area, index)
        offset = push_address(out, area, index, size)
        _load(out, size, offset, is_aligned=True)


def _load(out: Lowering, size: int, offset: int, *, is_aligned: bool) -> None:
    load, alignment = _LOADS[size]
    out.code.emit(load, alignment if is_aligned else 0, offset)


def load_bytes(out: Lowering, e: LoadBytes) -> None:
    """Push `load_u32(view, offset)` and its like."""
    with out.code.scope():
        area = take_area(out, e.view)
        is_checked = not is_span_inside(out, area, e.offset, e.size_bytes)
        start = take_index(out, e.offset, is_checked=is_checked)
        if is_checked:
            check_span(out, area, start, e.offset.interval.high, e.size_bytes)
        offset = push_address(out, area, start, 1)
        _load(out, e.size_bytes, offset, is_aligned=False)
        if e.is_big_endian:
            swap_bytes_32(out)


def swap_bytes_32(out: Lowering) -> None:
    """Reverse four bytes: rotr(x & 0x00ff00ff, 8) | rotr(x & 0xff00ff00, 24)."""
    code = out.code
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


def load_field(out: Lowering, e: ReadField) -> None:
    """Push a field of a record."""
    offset = push_record(out, e.record) + e.field.offset_bytes
    _load(out, _field_bytes(e.type), offset, is_aligned=True)


def _field_bytes(type_: object) -> int:
    return type_.size_bytes if isinstance(type_, IntType) else 1


# --- records -------------------------------------------------------------------------


def push_record(out: Lowering, expr: Expr) -> int:
    """Push the address of a record; return what accesses add to it."""
    match expr:
        case PoolItem():
            return _pool_item(out, expr)
        case ReadLocal(local=local):
            out.code.get(out.place(local)[0])
        case Choose():
            _chosen_record(out, expr)
        case Let():
            return _let_record(out, expr)
        case _:
            out.operations.call(out, expr)
    return 0


def _pool_item(out: Lowering, e: PoolItem) -> int:
    address = out.linker.memory.addresses[e.pool]
    size = e.type.size_bytes
    with out.code.scope():
        is_sure = out.linker.makes(Pass.INTERVAL_BOUNDS) and cannot_fault(e)
        is_checked = not is_sure
        index = take_index(out, e.index, is_checked=is_checked)
        if is_checked:
            check_element(out, Area(Number(address), Number(e.pool.count)), index)
        if index.known is not None:
            out.code.const(address + index.known * size)
            return 0
        index.push(out)
        if size > 1:
            out.code.const(size)
            out.code.emit(op.I32_MUL)
        return address


def _chosen_record(out: Lowering, e: Choose) -> None:
    code = out.code
    out.operations.boolean(out, e.condition)
    code.open(op.IF, block_type=out.linker.block_type((ValueType.I32,)))
    out.add_offset(push_record(out, e.then))
    code.emit(op.ELSE)
    out.add_offset(push_record(out, e.otherwise))
    code.emit(op.END)


def _let_record(out: Lowering, e: Let) -> int:
    with out.frame():
        for local, value in e.bindings:
            out.push(value, local.type)
            out.store(local)
        return push_record(out, e.body)

"""Lower stores: elements, fields, bytes, copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from generator.compiler.effects import may_follow_address
from generator.compiler.ir import (
    Convert,
    Expr,
)
from generator.compiler.ir_statements import (
    CopyBytes,
    StoreBytes,
    StoreElement,
    StoreField,
)
from generator.compiler.link import Fault
from generator.compiler.lower_memory import push_record, swap_bytes_32
from generator.compiler.lower_view import (
    check_element,
    check_span,
    is_element_inside,
    is_span_inside,
    push_address,
    push_index,
    push_pair,
    take_area,
    take_index,
)
from generator.compiler.lowering import Lowering
from generator.compiler.passes import Pass
from generator.compiler.runtime import COPY
from generator.compiler.types import BOOL, BUFFER, IntType
from generator.wasm import opcodes as op
from generator.wasm.opcodes import Op, ValueType

_STORES: Final[Mapping[int, tuple[Op, int]]] = {
    1: (op.I32_STORE8, 0),
    2: (op.I32_STORE16, 1),
    4: (op.I32_STORE, 2),
    8: (op.I64_STORE, 3),
}
"""By size: the operation, and the exponent of its natural alignment."""


def store_element(out: Lowering, s: StoreElement) -> None:
    """`array[index] = value`."""
    size = 1 if s.array.type == BUFFER else 4

    def address() -> int:
        area = take_area(out, s.array)
        is_checked = not is_element_inside(out, area, s.array, s.index)
        index = take_index(out, s.index, is_checked=is_checked)
        if is_checked:
            check_element(out, area, index)
        return push_address(out, area, index, size)

    follows = _follows(out, s.value, (s.array, s.index))
    _store(out, address, s.value, size, follows=follows, is_aligned=True)


def store_field(out: Lowering, s: StoreField) -> None:
    """`record.field = value`."""
    type_ = s.field.type
    size = type_.size_bytes if isinstance(type_, IntType) else 1

    def address() -> int:
        return push_record(out, s.record) + s.field.offset_bytes

    follows = _follows(out, s.value, (s.record,))
    _store(out, address, s.value, size, follows=follows, is_aligned=True)


def _follows(out: Lowering, value: Expr, address: tuple[Expr, ...]) -> bool:
    is_made = out.linker.makes(Pass.DIRECT_STORES)
    return is_made and may_follow_address(value, address)


def _store(
    out: Lowering,
    address: Callable[[], int],
    value: Expr,
    size: int,
    *,
    follows: bool,
    is_aligned: bool,
) -> None:
    """Store a value; it is evaluated first unless it may follow its address."""
    code = out.code
    store, alignment = _STORES[size]
    with code.scope():
        if follows:
            offset = address()
            _push_stored(out, value, size)
        else:
            held = code.new_local(ValueType.I64 if size == 8 else ValueType.I32)
            _push_stored(out, value, size)
            code.set(held)
            offset = address()
            code.get(held)
        code.emit(store, alignment if is_aligned else 0, offset)


def _push_stored(out: Lowering, value: Expr, size: int) -> None:
    """Push a value of which the store keeps `size` bytes: no need to mask it."""
    if value.type == BOOL:
        out.operations.boolean(out, value)
        return
    while size < 8 and isinstance(value, Convert) and value.operand.type != BOOL:
        if value.type.size_bytes < size:
            break
        value = value.operand
    out.operations.integer(out, value, 64 if size == 8 else 32)


def store_bytes(out: Lowering, s: StoreBytes) -> None:
    """`buffer.put_u32(offset, value)`: Python evaluates both, then checks."""
    code = out.code
    with code.scope():
        area = take_area(out, s.buffer)
        start = take_index(out, s.offset, is_checked=True)
        held = code.new_local(ValueType.I64 if s.size_bytes == 8 else ValueType.I32)
        _push_stored(out, s.value, s.size_bytes)
        code.set(held)
        if not is_span_inside(out, area, s.offset, s.size_bytes):
            check_span(out, area, start, s.offset.interval.high, s.size_bytes)
        offset = push_address(out, area, start, 1)
        code.get(held)
        if s.is_big_endian:
            swap_bytes_32(out)
        code.emit(_STORES[s.size_bytes][0], 0, offset)


def copy_bytes(out: Lowering, s: CopyBytes) -> None:
    """`buffer.put(offset, source)`: the copy itself says whether it fits."""
    push_pair(out, s.buffer)
    push_index(out, s.offset)
    push_pair(out, s.source)
    out.code.emit(op.CALL, out.linker.callee(COPY))
    out.fault_if(Fault.BOUNDS)

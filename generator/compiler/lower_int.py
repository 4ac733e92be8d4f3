"""Lower integer expressions.

A value is pushed at a width, 32 or 64, that its user chooses. Asked for 32 bits, an
expression gives its value modulo 2**32; asked for 64 bits, modulo 2**64. That is the
value itself wherever the interval fits the width, signed or unsigned, and the checker
has seen to it that users who need the value ask for such a width. Between the widths
the interval says how to extend: with zeros unless it has negative values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from generator.compiler.interval import RING, fits_32, width
from generator.compiler.ir import (
    Binary,
    Call,
    Choose,
    Const,
    Convert,
    Element,
    Expr,
    Extreme,
    InlineBlock,
    Length,
    Let,
    LoadBytes,
    ReadField,
    ReadGlobal,
    ReadLocal,
    Rotate,
)
from generator.compiler.link import Fault
from generator.compiler.lower_choice import push_choice, push_extreme, value_type
from generator.compiler.lower_memory import load_bytes, load_element, load_field
from generator.compiler.lower_view import push_length
from generator.compiler.lowering import Lowering
from generator.compiler.types import BOOL, IntType, Type
from generator.wasm import opcodes as op
from generator.wasm.opcodes import Op

_OPS: Final[Mapping[str, tuple[Op, Op]]] = {
    "+": (op.I32_ADD, op.I64_ADD),
    "-": (op.I32_SUB, op.I64_SUB),
    "*": (op.I32_MUL, op.I64_MUL),
    "&": (op.I32_AND, op.I64_AND),
    "|": (op.I32_OR, op.I64_OR),
    "^": (op.I32_XOR, op.I64_XOR),
    "<<": (op.I32_SHL, op.I64_SHL),
    "//": (op.I32_DIV_U, op.I64_DIV_U),
    "%": (op.I32_REM_U, op.I64_REM_U),
}


def push_integer(out: Lowering, expr: Expr, wanted: int) -> None:
    """Push an integer at a width."""
    given = _PUSH[type(expr)](out, expr, wanted)
    if given == 64 and wanted == 32:
        out.code.emit(op.I32_WRAP_I64)
    elif given == 32 and wanted == 64:
        is_signed = expr.interval.low < 0
        out.code.emit(op.I64_EXTEND_I32_S if is_signed else op.I64_EXTEND_I32_U)


def carried_width(type_: Type) -> int:
    """Return the width in which locals and results of an integer type are carried."""
    return 64 if isinstance(type_, IntType) and type_.size_bytes == 8 else 32


def natural_width(expr: Expr) -> int:
    """Return the width in which an expression's value is there without conversion."""
    if isinstance(expr, ReadLocal | ReadGlobal | ReadField | Call | InlineBlock):
        return carried_width(expr.type)
    if isinstance(expr, Element | LoadBytes):
        return carried_width(expr.type)
    return width(expr.interval)


# --- leaves --------------------------------------------------------------------------


def _const(out: Lowering, e: Const, wanted: int) -> int:
    out.code.const(e.value, wanted)
    return wanted


def _local(out: Lowering, e: ReadLocal, wanted: int) -> int:
    (index,) = out.place(e.local)
    out.code.get(index)
    return carried_width(e.type)


def _global(out: Lowering, e: ReadGlobal, wanted: int) -> int:
    out.code.emit(op.GLOBAL_GET, out.linker.variable(e.variable))
    return carried_width(e.type)


def _call(out: Lowering, e: Call, wanted: int) -> int:
    out.operations.call(out, e)
    return carried_width(e.type)


def _length(out: Lowering, e: Length, wanted: int) -> int:
    push_length(out, e.array)
    return 32


def _element(out: Lowering, e: Element, wanted: int) -> int:
    load_element(out, e)
    return carried_width(e.type)


def _bytes(out: Lowering, e: LoadBytes, wanted: int) -> int:
    load_bytes(out, e)
    return carried_width(e.type)


def _field(out: Lowering, e: ReadField, wanted: int) -> int:
    load_field(out, e)
    return carried_width(e.type)


def _let(out: Lowering, e: Let, wanted: int) -> int:
    with out.frame():
        for local, value in e.bindings:
            out.push(value, local.type)
            out.store(local)
        push_integer(out, e.body, wanted)
    return wanted


def _inline_block(out: Lowering, e: InlineBlock, wanted: int) -> int:
    out.operations.call(out, e)
    return carried_width(e.type)


# --- arithmetic ----------------------------------------------------------------------


def _binary(out: Lowering, e: Binary, wanted: int) -> int:
    if e.operation in RING:
        return _ring(out, e, wanted)
    if e.operation == ">>":
        return _shift_right(out, e, wanted)
    return _divide(out, e)


def _ring(out: Lowering, e: Binary, wanted: int) -> int:
    given = _ring_width(e, wanted)
    push_integer(out, e.left, given)
    push_integer(out, e.right, given)
    out.code.emit(_OPS[e.operation][given == 64])
    return given


def _ring_width(e: Binary, wanted: int) -> int:
    """Choose the width of a ring operation, whose low bits are right at any width."""
    if e.operation == "<<" and e.right.interval.high > 31:
        return 64
    if wanted == 32:
        return 64 if _is_wide(e) else 32
    widths = {natural_width(x) for x in (e.left, e.right) if not isinstance(x, Const)}
    return 32 if fits_32(e.interval) and 64 not in widths else 64


def _is_wide(expr: Expr) -> bool:
    """Tell whether the low bits of a value come for less at 64 bits than at 32.

    That is so if everything that it is made of is there in 64 bits.
    """
    if isinstance(expr, Binary) and expr.operation in RING:
        parts = [x for x in (expr.left, expr.right) if not isinstance(x, Const)]
        return bool(parts) and all(_is_wide(part) for part in parts)
    return natural_width(expr) == 64


def _shift_right(out: Lowering, e: Binary, wanted: int) -> int:
    left, right = e.left.interval, e.right.interval
    given = 64 if right.high > 31 or natural_width(e.left) == 64 else width(left)
    push_integer(out, e.left, given)
    push_integer(out, e.right, given)
    if left.low < 0:
        out.code.emit(op.I32_SHR_S if given == 32 else op.I64_SHR_S)
    else:
        out.code.emit(op.I32_SHR_U if given == 32 else op.I64_SHR_U)
    return given


def _divide(out: Lowering, e: Binary) -> int:
    given = width(e.left.interval.union(e.right.interval))
    code = out.code
    push_integer(out, e.left, given)
    push_integer(out, e.right, given)
    if e.right.interval.low == 0:
        with code.scope():
            divisor = code.new_local(value_type(given))
            code.tee(divisor)
            code.emit(op.I32_EQZ if given == 32 else op.I64_EQZ)
            out.fault_if(Fault.ZERO_DIVISION)
            code.get(divisor)
    code.emit(_OPS[e.operation][given == 64])
    return given


def _convert(out: Lowering, e: Convert, wanted: int) -> int:
    if e.operand.type == BOOL:
        out.operations.boolean(out, e.operand)
        return 32
    if e.operand.interval.is_within(e.type.range):
        push_integer(out, e.operand, wanted)
        return wanted
    given = carried_width(e.type)
    push_integer(out, e.operand, given)
    if e.type.size_bytes < 4:
        out.code.const(e.type.range.high)
        out.code.emit(op.I32_AND)
    return given


def _rotate(out: Lowering, e: Rotate, wanted: int) -> int:
    push_integer(out, e.value, 32)
    push_integer(out, e.amount, 32)
    out.code.emit(op.I32_ROTR)
    return 32


_PUSH: Final[Mapping[type[Any], Callable[[Lowering, Any, int], int]]] = {
    Const: _const,
    ReadLocal: _local,
    ReadGlobal: _global,
    Call: _call,
    Length: _length,
    Element: _element,
    LoadBytes: _bytes,
    ReadField: _field,
    Let: _let,
    InlineBlock: _inline_block,
    Binary: _binary,
    Convert: _convert,
    Rotate: _rotate,
    Extreme: push_extreme,
    Choose: push_choice,
}

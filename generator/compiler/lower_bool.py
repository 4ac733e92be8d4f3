"""Lower conditions: to 0 or 1 on the stack, or to branches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from generator.compiler.interval import width
from generator.compiler.ir import (
    Call,
    Choose,
    Compare,
    Const,
    Expr,
    InlineBlock,
    Let,
    Logic,
    Not,
    ReadField,
    ReadGlobal,
    ReadLocal,
    SameBytes,
)
from generator.compiler.lower_int import natural_width, push_integer
from generator.compiler.lower_memory import load_field, push_same_bytes
from generator.compiler.lowering import Lowering
from generator.compiler.types import BOOL
from generator.wasm import opcodes as op
from generator.wasm.opcodes import Op, ValueType

_COMPARE: Final[Mapping[str, tuple[Op, Op, Op, Op]]] = {
    "<": (op.I32_LT_U, op.I32_LT_S, op.I64_LT_U, op.I64_LT_S),
    "<=": (op.I32_LE_U, op.I32_LE_S, op.I64_LE_U, op.I64_LE_S),
    ">": (op.I32_GT_U, op.I32_GT_S, op.I64_GT_U, op.I64_GT_S),
    ">=": (op.I32_GE_U, op.I32_GE_S, op.I64_GE_U, op.I64_GE_S),
    "==": (op.I32_EQ, op.I32_EQ, op.I64_EQ, op.I64_EQ),
    "!=": (op.I32_NE, op.I32_NE, op.I64_NE, op.I64_NE),
}
"""By comparison: 32 bits unsigned and signed, 64 bits unsigned and signed."""


def push_boolean(l: Lowering, expr: Expr) -> None:
    """Push 1 or 0."""
    _PUSH[type(expr)](l, expr)


def branch_if(l: Lowering, expr: Expr, label: int) -> None:
    """Branch to a label if a condition holds."""
    match expr:
        case Const():
            if expr.value:
                l.code.emit(op.BR, label)
        case Not():
            branch_unless(l, expr.operand, label)
        case Logic(operation="or"):
            branch_if(l, expr.left, label)
            branch_if(l, expr.right, label)
        case Logic():
            past = l.code.new_label()
            with l.code.block(op.BLOCK, past):
                branch_unless(l, expr.left, past)
                branch_if(l, expr.right, label)
        case _:
            push_boolean(l, expr)
            l.code.emit(op.BR_IF, label)


def branch_unless(l: Lowering, expr: Expr, label: int) -> None:
    """Branch to a label if a condition does not hold."""
    match expr:
        case Const():
            if not expr.value:
                l.code.emit(op.BR, label)
        case Not():
            branch_if(l, expr.operand, label)
        case Logic(operation="and"):
            branch_unless(l, expr.left, label)
            branch_unless(l, expr.right, label)
        case Logic():
            past = l.code.new_label()
            with l.code.block(op.BLOCK, past):
                branch_if(l, expr.left, past)
                branch_unless(l, expr.right, label)
        case _:
            _push_opposite(l, expr)
            l.code.emit(op.BR_IF, label)


def _push_opposite(l: Lowering, expr: Expr) -> None:
    from generator.compiler.fold import negate

    if isinstance(expr, Compare):
        push_boolean(l, negate(expr))
    else:
        push_boolean(l, expr)
        l.code.emit(op.I32_EQZ)


def _const(l: Lowering, e: Const) -> None:
    l.code.const(e.value)


def _local(l: Lowering, e: ReadLocal) -> None:
    (index,) = l.place(e.local)
    l.code.get(index)


def _global(l: Lowering, e: ReadGlobal) -> None:
    l.code.emit(op.GLOBAL_GET, l.linker.variable(e.variable))


def _compare(l: Lowering, e: Compare) -> None:
    if e.left.type == BOOL:
        push_boolean(l, e.left)
        push_boolean(l, e.right)
        l.code.emit(_COMPARE[e.operation][0])
        return
    both = e.left.interval.union(e.right.interval)
    bits = _compare_width(e)
    push_integer(l, e.left, bits)
    if isinstance(e.right, Const) and e.right.value == 0 and e.operation == "==":
        l.code.emit(op.I32_EQZ if bits == 32 else op.I64_EQZ)
        return
    push_integer(l, e.right, bits)
    l.code.emit(_COMPARE[e.operation][2 * (bits == 64) + (both.low < 0)])


def _compare_width(e: Compare) -> int:
    """Compare in 64 bits what is there in 64 bits, even if 32 would do."""
    bits = width(e.left.interval.union(e.right.interval))
    sides = [x for x in (e.left, e.right) if not isinstance(x, Const)]
    if bits == 32 and sides and all(natural_width(x) == 64 for x in sides):
        return 64
    return bits


def _same_bytes(l: Lowering, e: SameBytes) -> None:
    push_same_bytes(l, e.left, e.right)


def _not(l: Lowering, e: Not) -> None:
    push_boolean(l, e.operand)
    l.code.emit(op.I32_EQZ)


def _logic(l: Lowering, e: Logic) -> None:
    """The right side runs only if it matters, unless it is free and safe."""
    code = l.code
    push_boolean(l, e.left)
    if _is_free(e.right):
        push_boolean(l, e.right)
        code.emit(op.I32_AND if e.operation == "and" else op.I32_OR)
        return
    code.open(op.IF, block_type=l.linker.block_type((ValueType.I32,)))
    if e.operation == "and":
        push_boolean(l, e.right)
        code.emit(op.ELSE)
        code.const(0)
    else:
        code.const(1)
        code.emit(op.ELSE)
        push_boolean(l, e.right)
    code.emit(op.END)


def _is_free(expr: Expr) -> bool:
    """Tell whether a condition can neither fault nor call and costs next to nothing."""
    match expr:
        case Const() | ReadLocal() | ReadGlobal():
            return True
        case Not():
            return _is_free(expr.operand)
        case Compare():
            simple = Const | ReadLocal | ReadGlobal
            return isinstance(expr.left, simple) and isinstance(expr.right, simple)
        case _:
            return False


def _choose(l: Lowering, e: Choose) -> None:
    code = l.code
    push_boolean(l, e.condition)
    code.open(op.IF, block_type=l.linker.block_type((ValueType.I32,)))
    push_boolean(l, e.then)
    code.emit(op.ELSE)
    push_boolean(l, e.otherwise)
    code.emit(op.END)


def _let(l: Lowering, e: Let) -> None:
    with l.frame():
        for local, value in e.bindings:
            l.push(value, local.type)
            l.store(local)
        push_boolean(l, e.body)


def _call(l: Lowering, e: Call | InlineBlock) -> None:
    l.operations.call(l, e)


_PUSH: Final[Mapping[type[Any], Callable[[Lowering, Any], None]]] = {
    Const: _const,
    ReadLocal: _local,
    ReadGlobal: _global,
    ReadField: load_field,
    Compare: _compare,
    SameBytes: _same_bytes,
    Not: _not,
    Logic: _logic,
    Choose: _choose,
    Let: _let,
    Call: _call,
    InlineBlock: _call,
}

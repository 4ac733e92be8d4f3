"""Lower conditions: to 0 or 1 on the stack, or to branches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from generator.compiler.bounds import facts_of, facts_unless
from generator.compiler.effects import is_total
from generator.compiler.fold import negate
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
from generator.compiler.lower_memory import load_field
from generator.compiler.lower_view import push_same_bytes
from generator.compiler.lowering import Lowering
from generator.compiler.passes import Pass
from generator.compiler.types import BOOL
from generator.compiler.walk import within
from generator.wasm import opcodes as op
from generator.wasm.opcodes import Op, ValueType

MAX_EAGER_NODES: Final = 8
"""Conditions of this size are cheaper to evaluate than to jump around."""

_COMPARE: Final[Mapping[str, tuple[Op, Op, Op, Op]]] = {
    "<": (op.I32_LT_U, op.I32_LT_S, op.I64_LT_U, op.I64_LT_S),
    "<=": (op.I32_LE_U, op.I32_LE_S, op.I64_LE_U, op.I64_LE_S),
    ">": (op.I32_GT_U, op.I32_GT_S, op.I64_GT_U, op.I64_GT_S),
    ">=": (op.I32_GE_U, op.I32_GE_S, op.I64_GE_U, op.I64_GE_S),
    "==": (op.I32_EQ, op.I32_EQ, op.I64_EQ, op.I64_EQ),
    "!=": (op.I32_NE, op.I32_NE, op.I64_NE, op.I64_NE),
}
"""By comparison: 32 bits unsigned and signed, 64 bits unsigned and signed."""


def push_boolean(out: Lowering, expr: Expr) -> None:
    """Push 1 or 0."""
    _PUSH[type(expr)](out, expr)


def branch_if(out: Lowering, expr: Expr, label: int) -> None:
    """Branch to a label if a condition holds."""
    match expr:
        case Const():
            if expr.value:
                out.code.emit(op.BR, label)
        case Not():
            branch_unless(out, expr.operand, label)
        case Logic(operation="or"):
            branch_if(out, expr.left, label)
            with out.knowing(facts_unless(expr.left)):
                branch_if(out, expr.right, label)
        case Logic():
            past = out.code.new_label()
            with out.code.block(op.BLOCK, past):
                branch_unless(out, expr.left, past)
                with out.knowing(facts_of(expr.left)):
                    branch_if(out, expr.right, label)
        case _:
            push_boolean(out, expr)
            out.code.emit(op.BR_IF, label)


def branch_unless(out: Lowering, expr: Expr, label: int) -> None:
    """Branch to a label if a condition does not hold."""
    match expr:
        case Const():
            if not expr.value:
                out.code.emit(op.BR, label)
        case Not():
            branch_if(out, expr.operand, label)
        case Logic(operation="and"):
            branch_unless(out, expr.left, label)
            with out.knowing(facts_of(expr.left)):
                branch_unless(out, expr.right, label)
        case Logic():
            past = out.code.new_label()
            with out.code.block(op.BLOCK, past):
                branch_if(out, expr.left, past)
                with out.knowing(facts_unless(expr.left)):
                    branch_unless(out, expr.right, label)
        case _:
            _push_opposite(out, expr)
            out.code.emit(op.BR_IF, label)


def _push_opposite(out: Lowering, expr: Expr) -> None:
    if isinstance(expr, Compare):
        push_boolean(out, negate(expr))
    else:
        push_boolean(out, expr)
        out.code.emit(op.I32_EQZ)


def _const(out: Lowering, e: Const) -> None:
    out.code.const(e.value)


def _local(out: Lowering, e: ReadLocal) -> None:
    (index,) = out.place(e.local)
    out.code.get(index)


def _global(out: Lowering, e: ReadGlobal) -> None:
    out.code.emit(op.GLOBAL_GET, out.linker.variable(e.variable))


def _compare(out: Lowering, e: Compare) -> None:
    if e.left.type == BOOL:
        push_boolean(out, e.left)
        push_boolean(out, e.right)
        out.code.emit(_COMPARE[e.operation][0])
        return
    both = e.left.interval.union(e.right.interval)
    bits = _compare_width(e)
    push_integer(out, e.left, bits)
    if isinstance(e.right, Const) and e.right.value == 0 and e.operation == "==":
        out.code.emit(op.I32_EQZ if bits == 32 else op.I64_EQZ)
        return
    push_integer(out, e.right, bits)
    out.code.emit(_COMPARE[e.operation][2 * (bits == 64) + (both.low < 0)])


def _compare_width(e: Compare) -> int:
    """Compare in 64 bits what is there in 64 bits, even if 32 would do."""
    bits = width(e.left.interval.union(e.right.interval))
    sides = [x for x in (e.left, e.right) if not isinstance(x, Const)]
    if bits == 32 and sides and all(natural_width(x) == 64 for x in sides):
        return 64
    return bits


def _same_bytes(out: Lowering, e: SameBytes) -> None:
    push_same_bytes(out, e.left, e.right)


def _not(out: Lowering, e: Not) -> None:
    push_boolean(out, e.operand)
    out.code.emit(op.I32_EQZ)


def _logic(out: Lowering, e: Logic) -> None:
    """The right side runs only if it matters, unless it is free and safe."""
    code = out.code
    push_boolean(out, e.left)
    if _is_free(out, e.right):
        push_boolean(out, e.right)
        code.emit(op.I32_AND if e.operation == "and" else op.I32_OR)
        return
    code.open(op.IF, block_type=out.linker.block_type((ValueType.I32,)))
    if e.operation == "and":
        with out.knowing(facts_of(e.left)):
            push_boolean(out, e.right)
        code.emit(op.ELSE)
        code.const(0)
    else:
        code.const(1)
        code.emit(op.ELSE)
        with out.knowing(facts_unless(e.left)):
            push_boolean(out, e.right)
    code.emit(op.END)


def _is_free(out: Lowering, expr: Expr) -> bool:
    """Tell whether a condition can neither fault nor call and costs next to nothing."""
    if not out.linker.makes(Pass.EAGER_LOGIC):
        return False
    size = sum(1 for _ in within(expr))
    return size <= MAX_EAGER_NODES and is_total(expr)


def _choose(out: Lowering, e: Choose) -> None:
    code = out.code
    push_boolean(out, e.condition)
    code.open(op.IF, block_type=out.linker.block_type((ValueType.I32,)))
    push_boolean(out, e.then)
    code.emit(op.ELSE)
    push_boolean(out, e.otherwise)
    code.emit(op.END)


def _let(out: Lowering, e: Let) -> None:
    with out.frame():
        for local, value in e.bindings:
            out.push(value, local.type)
            out.store(local)
        push_boolean(out, e.body)


def _call(out: Lowering, e: Call | InlineBlock) -> None:
    out.operations.call(out, e)


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

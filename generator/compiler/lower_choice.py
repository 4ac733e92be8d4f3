"""Lower `min`, `max` and conditional expressions of integers.

`select` evaluates both sides, so it is used only where both are there for nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from generator.compiler.bounds import facts_of, facts_unless
from generator.compiler.interval import Interval, width
from generator.compiler.ir import Choose, Const, Expr, Extreme, ReadLocal
from generator.compiler.lowering import Lowering
from generator.wasm import opcodes as op
from generator.wasm.opcodes import Op, ValueType


def value_type(bits: int) -> ValueType:
    return ValueType.I32 if bits == 32 else ValueType.I64


def is_simple(expr: Expr) -> bool:
    """Tell whether pushing a value twice costs nothing."""
    return isinstance(expr, Const | ReadLocal)


def push_extreme(out: Lowering, e: Extreme, wanted: int) -> int:
    both = e.left.interval.union(e.right.interval)
    given = width(both)
    code = out.code
    with code.scope():
        again = [_push_twice(out, x, given) for x in (e.left, e.right)]
        for push in again:
            push()
        code.emit(_less(both, given) if e.operation == "min" else _more(both, given))
        code.emit(op.SELECT)
    return given


def _push_twice(out: Lowering, expr: Expr, given: int) -> Callable[[], None]:
    """Push a value; return what pushes it again without evaluating it again."""
    out.operations.integer(out, expr, given)
    if is_simple(expr):
        return lambda: out.operations.integer(out, expr, given)
    index = out.code.new_local(value_type(given))
    out.code.tee(index)
    return lambda: out.code.get(index)


def _less(interval: Interval, given: int) -> Op:
    if interval.low < 0:
        return op.I32_LT_S if given == 32 else op.I64_LT_S
    return op.I32_LT_U if given == 32 else op.I64_LT_U


def _more(interval: Interval, given: int) -> Op:
    if interval.low < 0:
        return op.I32_GT_S if given == 32 else op.I64_GT_S
    return op.I32_GT_U if given == 32 else op.I64_GT_U


def push_choice(out: Lowering, e: Choose, wanted: int) -> int:
    code = out.code
    if is_simple(e.then) and is_simple(e.otherwise):
        out.operations.integer(out, e.then, wanted)
        out.operations.integer(out, e.otherwise, wanted)
        out.operations.boolean(out, e.condition)
        code.emit(op.SELECT)
        return wanted
    out.operations.boolean(out, e.condition)
    code.open(op.IF, block_type=out.linker.block_type((value_type(wanted),)))
    with out.knowing(facts_of(e.condition)):
        out.operations.integer(out, e.then, wanted)
    code.emit(op.ELSE)
    with out.knowing(facts_unless(e.condition)):
        out.operations.integer(out, e.otherwise, wanted)
    code.emit(op.END)
    return wanted

"""Lower statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Final

from generator.compiler.bounds import facts_of, facts_of_loop, lasting
from generator.compiler.ir import (
    Const,
    Expr,
    Local,
    Logic,
    Not,
)
from generator.compiler.ir_statements import (
    Assert,
    Assign,
    Break,
    Continue,
    CopyBytes,
    Evaluate,
    For,
    If,
    Leave,
    Return,
    Stmt,
    StoreBytes,
    StoreElement,
    StoreField,
    Unpack,
    While,
)
from generator.compiler.link import Fault
from generator.compiler.lower_bool import branch_if, branch_unless, push_boolean
from generator.compiler.lower_int import carried_width
from generator.compiler.lower_store import (
    copy_bytes,
    store_bytes,
    store_element,
    store_field,
)
from generator.compiler.lowering import Loop, Lowering
from generator.compiler.passes import Pass
from generator.compiler.symbols import GlobalSymbol
from generator.compiler.types import (
    IntType,
    ScalarType,
    TupleType,
    Type,
    flatten,
)
from generator.compiler.walk import all_statements
from generator.wasm import opcodes as op
from generator.wasm.opcodes import Op, ValueType

MAX_PREPAID: Final = 4096
"""A loop whose number of turns is constant and at most this pays for them at once."""


def lower_block(out: Lowering, body: Sequence[Stmt]) -> None:
    """Write statements in order."""
    for statement in body:
        _STATEMENTS[type(statement)](out, statement)


# --- assignments ---------------------------------------------------------------------


def _assign(out: Lowering, s: Assign) -> None:
    out.push(s.value, s.target.type)
    _store(out, s.target)


def _store(out: Lowering, target: Local | GlobalSymbol) -> None:
    if isinstance(target, Local):
        out.store(target)
    else:
        out.code.emit(op.GLOBAL_SET, out.linker.variable(target))


def _unpack(out: Lowering, s: Unpack) -> None:
    assert isinstance(s.value.type, TupleType)
    out.operations.call(out, s.value)
    pairs = list(zip(s.targets, s.value.type.items, strict=True))
    for target, given in reversed(pairs):
        if target is None:
            _drop(out, given)
        else:
            _adapt(out, given, target.type)
            _store(out, target)


def _drop(out: Lowering, type_: Type) -> None:
    for _ in flatten(type_):
        out.code.emit(op.DROP)


def _adapt(out: Lowering, given: ScalarType, wanted: ScalarType) -> None:
    """Bring an integer on the stack to the width of its new place."""
    before, after = carried_width(given), carried_width(wanted)
    if before == 32 and after == 64 and isinstance(given, IntType):
        is_signed = given.range.low < 0
        out.code.emit(op.I64_EXTEND_I32_S if is_signed else op.I64_EXTEND_I32_U)
    elif before == 64 and after == 32:
        out.code.emit(op.I32_WRAP_I64)


def _evaluate(out: Lowering, s: Evaluate) -> None:
    if isinstance(s.value.type, TupleType) or not flatten(s.value.type):
        out.operations.call(out, s.value)
    else:
        out.push(s.value)
    _drop(out, s.value.type)


# --- control -------------------------------------------------------------------------


def _if(out: Lowering, s: If) -> None:
    code = out.code
    if not s.then:
        _if_not(out, s)
    elif _is_compound(s.condition) and not s.otherwise:
        past = code.new_label()
        with code.block(op.BLOCK, past):
            branch_unless(out, s.condition, past)
            _guarded_block(out, s.condition, s.then)
    else:
        push_boolean(out, s.condition)
        with code.block(op.IF):
            _guarded_block(out, s.condition, s.then)
            if s.otherwise:
                code.emit(op.ELSE)
                lower_block(out, s.otherwise)


def _is_compound(condition: Expr) -> bool:
    """Tell whether a condition takes less as branches than as a number."""
    if isinstance(condition, Not):
        return _is_compound(condition.operand)
    return isinstance(condition, Logic)


def _guarded_block(out: Lowering, condition: Expr, body: Sequence[Stmt]) -> None:
    """Write a block that runs where a condition holds."""
    with out.knowing(lasting(facts_of(condition), body)):
        lower_block(out, body)


def _if_not(out: Lowering, s: If) -> None:
    past = out.code.new_label()
    with out.code.block(op.BLOCK, past):
        branch_if(out, s.condition, past)
        lower_block(out, s.otherwise)


def _while(out: Lowering, s: While) -> None:
    loop = Loop(out.code.new_label(), out.code.new_label())
    with out.code.block(op.BLOCK, loop.leave), out.code.block(op.LOOP, loop.again):
        branch_unless(out, s.condition, loop.leave)
        out.charge_steps(1)
        with out.knowing(lasting(facts_of(s.condition), s.body)):
            _loop_body(out, loop, s.body)
        if not out.code.is_left:
            out.code.emit(op.BR, loop.again)


def _loop_body(out: Lowering, loop: Loop, body: Sequence[Stmt]) -> None:
    out.loops.append(loop)
    lower_block(out, body)
    out.loops.pop()


def _for(out: Lowering, s: For) -> None:
    """The test is at the bottom: one branch a turn."""
    code = out.code
    turns = _constant_turns(s)
    with out.frame():
        bits = carried_width(s.counter.type)
        (counter,) = out.place(s.counter)
        out.operations.integer(out, s.start, bits)
        code.set(counter)
        stop = _take_stop(out, s.stop, bits)
        if turns == 0:
            return
        if turns is not None and _is_prepaid(out, turns):
            out.charge_steps(turns)
        loop = Loop(code.new_label(), code.new_label())
        is_left = turns is None or any(
            isinstance(x, Break) for x in all_statements(s.body)
        )
        with code.block(op.BLOCK, loop.leave) if is_left else nullcontext():
            if turns is None:
                _push_test(out, s, counter, stop, _PAST)
                code.emit(op.BR_IF, loop.leave)
            head = code.new_label()
            with code.block(op.LOOP, head):
                _turn(out, s, loop, turns)
                code.get(counter)
                code.const(s.step, bits)
                code.emit(op.I32_ADD if bits == 32 else op.I64_ADD)
                code.set(counter)
                _push_test(out, s, counter, stop, _BEFORE)
                code.emit(op.BR_IF, head)


def _turn(out: Lowering, s: For, loop: Loop, turns: int | None) -> None:
    """Write one turn of a loop, up to where `continue` goes."""
    if turns is None or not _is_prepaid(out, turns):
        out.charge_steps(1)
    has_continue = any(isinstance(x, Continue) for x in all_statements(s.body))
    again = out.code.block(op.BLOCK, loop.again) if has_continue else nullcontext()
    with out.knowing(lasting(facts_of_loop(s), s.body)), again:
        _loop_body(out, loop, s.body)


def _take_stop(out: Lowering, stop: Expr, bits: int) -> Callable[[], None]:
    """Evaluate the end of a range once; return what pushes it."""
    code = out.code
    if isinstance(stop, Const):
        return lambda: code.const(stop.value, bits)
    out.operations.integer(out, stop, bits)
    index = code.new_local(ValueType.I32 if bits == 32 else ValueType.I64)
    code.set(index)
    return lambda: code.get(index)


def _constant_turns(s: For) -> int | None:
    if isinstance(s.start, Const) and isinstance(s.stop, Const):
        return len(range(s.start.value, s.stop.value, s.step))
    return None


def _is_prepaid(out: Lowering, turns: int) -> bool:
    return turns <= MAX_PREPAID and out.linker.makes(Pass.PREPAID_LOOPS)


def _push_test(
    out: Lowering,
    s: For,
    counter: int,
    stop: Callable[[], None],
    tests: Mapping[bool, tuple[Op, Op, Op, Op]],
) -> None:
    """Push whether the counter is before the end, or past it."""
    out.code.get(counter)
    stop()
    assert isinstance(s.counter.type, IntType)
    is_wide = carried_width(s.counter.type) == 64
    is_signed = s.counter.type.range.low < 0
    out.code.emit(tests[s.step > 0][2 * is_wide + is_signed])


_BEFORE: Final = {
    True: (op.I32_LT_U, op.I32_LT_S, op.I64_LT_U, op.I64_LT_S),
    False: (op.I32_GT_U, op.I32_GT_S, op.I64_GT_U, op.I64_GT_S),
}
"""By direction: 32 bits unsigned and signed, 64 bits unsigned and signed."""

_PAST: Final = {
    True: (op.I32_GE_U, op.I32_GE_S, op.I64_GE_U, op.I64_GE_S),
    False: (op.I32_LE_U, op.I32_LE_S, op.I64_LE_U, op.I64_LE_S),
}


def _break(out: Lowering, s: Break) -> None:
    out.code.emit(op.BR, out.loops[-1].leave)


def _continue(out: Lowering, s: Continue) -> None:
    out.code.emit(op.BR, out.loops[-1].again)


def _return(out: Lowering, s: Return) -> None:
    out.push_results(s.values, out.result)
    out.code.emit(op.RETURN)


def _leave(out: Lowering, s: Leave) -> None:
    label, type_ = out.exits[s.exit]
    out.push_results(s.values, type_)
    out.code.emit(op.BR, label)


def _assert(out: Lowering, s: Assert) -> None:
    if isinstance(s.condition, Const):
        if not s.condition.value:
            out.fault_now(Fault.ASSERTION)
        return
    branch_unless(out, s.condition, out.fault_label(Fault.ASSERTION))


_STATEMENTS: Final[Mapping[type[Any], Callable[[Lowering, Any], None]]] = {
    Assign: _assign,
    Unpack: _unpack,
    StoreField: store_field,
    StoreElement: store_element,
    StoreBytes: store_bytes,
    CopyBytes: copy_bytes,
    If: _if,
    While: _while,
    For: _for,
    Break: _break,
    Continue: _continue,
    Return: _return,
    Leave: _leave,
    Assert: _assert,
    Evaluate: _evaluate,
}

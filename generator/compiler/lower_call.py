"""Lower calls and inlined bodies."""

from __future__ import annotations

from collections.abc import Sequence

from generator.compiler.ir import (
    Call,
    Expr,
    InlineBlock,
)
from generator.compiler.ir_statements import (
    Leave,
    Stmt,
)
from generator.compiler.lowering import Lowering
from generator.compiler.symbols import HostcallSymbol, RuntimeSymbol
from generator.compiler.types import BUFFER, WORDS, PlainType, flatten
from generator.compiler.walk import all_statements
from generator.wasm import opcodes as op


def push_call(out: Lowering, expr: Expr) -> None:
    """Push the results of a call or of an inlined body."""
    if isinstance(expr, InlineBlock):
        _inline_block(out, expr)
    else:
        assert isinstance(expr, Call)
        _call(out, expr)


def _call(out: Lowering, call: Call) -> None:
    target = call.target
    is_host = isinstance(target, HostcallSymbol)
    for argument, (_, type_) in zip(call.arguments, target.parameters, strict=True):
        out.push(argument, type_)
        if is_host and isinstance(type_, PlainType) and type_ in (BUFFER, WORDS):
            out.code.emit(op.DROP)  # a host gets the address only
    callee = target.name if isinstance(target, RuntimeSymbol) else target
    out.code.emit(op.CALL, out.linker.callee(callee))
    if target in out.linker.faulting:
        out.unwind_if_fault()


def _inline_block(out: Lowering, block: InlineBlock) -> None:
    """Write an inlined body. One that leaves at its end only needs no Wasm block."""
    code = out.code
    last = block.body[-1] if block.body else None
    with out.frame():
        if isinstance(last, Leave) and not _has_leave(block.body[:-1]):
            out.operations.block(out, block.body[:-1])
            out.push_results(last.values, block.type)
            return
        label = code.new_label()
        out.exits[block.exit] = (label, block.type)
        code.open(op.BLOCK, label, out.linker.block_type(flatten(block.type)))
        out.operations.block(out, block.body)
        if flatten(block.type) and not code.is_left:
            code.emit(op.UNREACHABLE)
        code.emit(op.END)


def _has_leave(body: Sequence[Stmt]) -> bool:
    return any(isinstance(statement, Leave) for statement in all_statements(body))

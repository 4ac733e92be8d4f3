"""The border of the module: exported callbacks, and hostcalls with results.

What an export does, around the guest's own function or as a part of it (lower.py):

    proxy_on_request_headers(context_id, count, end_of_stream):
        arena = its start; steps = budget; fault = 0
        result = guest function(...)
        if fault: result = fault_handler(context_id, fault)   ; see `answer_fault`
        return result

A hostcall with further results gets a function that clears result slots, calls the
import with their addresses, and reads them back.
"""

from __future__ import annotations

from generator.compiler.code import Code
from generator.compiler.link import (
    ARENA_GLOBAL,
    FAULT_GLOBAL,
    STEPS_GLOBAL,
    Linker,
)
from generator.compiler.signature import SLOT_BYTES, slot_types
from generator.compiler.symbols import FunctionSymbol, HostcallSymbol
from generator.compiler.types import (
    BOOL,
    Type,
    flatten,
)
from generator.wasm import opcodes as op
from generator.wasm.opcodes import ValueType

# --- exports -------------------------------------------------------------------------


def write_export(
    code: Code,
    linker: Linker,
    function: FunctionSymbol,
    handler: FunctionSymbol | None,
) -> None:
    """Write the exported function around a guest function."""
    begin_export(code, linker, function)
    for index in range(len(code.parameters)):
        code.emit(op.LOCAL_GET, index)
    code.emit(op.CALL, linker.callee(function))
    if function in linker.faulting:
        code.emit(op.GLOBAL_GET, FAULT_GLOBAL)
        with code.block(op.IF):
            answer_fault(code, linker, function, handler)
            code.emit(op.RETURN)


def begin_export(code: Code, linker: Linker, function: FunctionSymbol) -> None:
    """Write what comes before the guest's own code."""
    _reset(code, linker)
    for index, (_, type_) in enumerate(function.parameters):
        if type_ == BOOL:  # the host's truth is any number but 0
            code.emit(op.LOCAL_GET, index)
            code.const(0)
            code.emit(op.I32_NE)
            code.set(index)


def _reset(code: Code, linker: Linker) -> None:
    code.const(linker.memory.arena_start)
    code.emit(op.GLOBAL_SET, ARENA_GLOBAL)
    code.const(linker.step_budget)
    code.emit(op.GLOBAL_SET, STEPS_GLOBAL)
    code.const(0)
    code.emit(op.GLOBAL_SET, FAULT_GLOBAL)


def answer_fault(
    code: Code,
    linker: Linker,
    function: FunctionSymbol,
    handler: FunctionSymbol | None,
) -> None:
    """Push what the handler answers after a fault.

    Without a handler, and if the handler faults too, the module traps: Envoy then
    fails closed, whereas a zero would let a request pass.
    """
    if handler is None:
        code.emit(op.UNREACHABLE)
        return
    answer = code.new_local(ValueType.I32)
    fault = code.new_local(ValueType.I32)
    code.emit(op.GLOBAL_GET, FAULT_GLOBAL)
    code.set(fault)
    _reset(code, linker)
    _push_context_id(code)
    code.emit(op.LOCAL_GET, fault)
    code.emit(op.CALL, linker.callee(handler))
    code.set(answer)
    if handler in linker.faulting:
        code.emit(op.GLOBAL_GET, FAULT_GLOBAL)
        with code.block(op.IF):
            code.emit(op.UNREACHABLE)
    _push_answer(code, function.result, answer)


def _push_context_id(code: Code) -> None:
    """The context is the first argument, in every callback that has one."""
    if not code.parameters:
        code.const(0)
        return
    code.emit(op.LOCAL_GET, 0)
    if code.parameters[0] is ValueType.I64:
        code.emit(op.I32_WRAP_I64)


def _push_answer(code: Code, result: Type, answer: int) -> None:
    """Give the handler's answer; a function with several results gives zeros."""
    types = flatten(result)
    if len(types) != 1:
        for type_ in types:
            code.const(0, 32 if type_ is ValueType.I32 else 64)
        return
    code.emit(op.LOCAL_GET, answer)
    if types[0] is ValueType.I64:
        code.emit(op.I64_EXTEND_I32_U)
    elif result == BOOL:
        code.const(0)
        code.emit(op.I32_NE)


# --- hostcalls -----------------------------------------------------------------------


def write_hostcall(
    code: Code, linker: Linker, hostcall: HostcallSymbol, import_id: int
) -> None:
    """Write the function around an import. The host writes slots on success only."""
    types = slot_types(hostcall)
    slots = [linker.memory.result_slots + SLOT_BYTES * i for i in range(len(types))]
    for slot in slots:
        code.const(slot)
        code.const(0, 64)
        code.emit(op.I64_STORE, 3)
    for index in range(len(code.parameters)):
        code.emit(op.LOCAL_GET, index)
    for slot in slots:
        code.const(slot)
    code.emit(op.CALL, import_id)
    for slot, type_ in zip(slots, types, strict=True):
        code.const(slot)
        is_i32 = type_ is ValueType.I32
        code.emit(*((op.I32_LOAD, 2) if is_i32 else (op.I64_LOAD, 3)))

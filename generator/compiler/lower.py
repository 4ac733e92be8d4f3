"""Pass 8: typed IR of one function -> Wasm instructions.

Where values are: see types.py. Faults: a check that fails branches to a cold block at
the end of the function, which sets the fault number and returns zeros; after a call
of a function that can fault the caller returns zeros too. So functions must come
callees first: which can fault is known only when their checks have been written.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final

from generator.compiler.border import answer_fault, begin_export
from generator.compiler.callbacks import MALLOC
from generator.compiler.callgraph import callees
from generator.compiler.check_exports import Exports
from generator.compiler.code import Code
from generator.compiler.ir_statements import (
    FunctionIR,
)
from generator.compiler.link import Linker
from generator.compiler.lower_bool import push_boolean
from generator.compiler.lower_call import push_call
from generator.compiler.lower_int import push_integer
from generator.compiler.lower_memory import push_record
from generator.compiler.lower_statement import lower_block
from generator.compiler.lower_view import push_pair
from generator.compiler.lowering import Lowering, Operations
from generator.compiler.passes import Pass
from generator.compiler.signature import function_type
from generator.compiler.symbols import FunctionSymbol
from generator.compiler.tidy import tidied
from generator.compiler.types import NONE, flatten
from generator.compiler.walk import assigned_locals
from generator.wasm.module import FunctionType
from generator.wasm.opcodes import UNREACHABLE

OPERATIONS: Final = Operations(
    integer=push_integer,
    boolean=push_boolean,
    pair=push_pair,
    record=push_record,
    call=push_call,
    block=lower_block,
)


@dataclass(frozen=True, slots=True)
class Lowered:
    """A function in Wasm, its labels and callees still by number."""

    name: str
    type: FunctionType
    code: Code


def lower_program(
    functions: Sequence[FunctionIR], exports: Exports, linker: Linker
) -> dict[FunctionSymbol, Lowered]:
    """Lower all functions, callees first; note the exports that are written whole."""
    called = {symbol for function in functions for symbol in callees(function)}
    called |= {exports.fault_handler} if exports.fault_handler else set()
    whole = {f.symbol for f in functions if _is_whole_export(f, called, linker)}
    linker.whole_exports |= whole
    inner = [f for f in functions if f.symbol not in whole]
    outer = [f for f in functions if f.symbol in whole]
    lowered = {f.symbol: lower_function(f, linker) for f in inner}
    handler = exports.fault_handler
    return lowered | {f.symbol: lower_export(f, linker, handler) for f in outer}


def _is_whole_export(
    function: FunctionIR, called: Set[FunctionSymbol], linker: Linker
) -> bool:
    """Tell whether only the host calls a function, which keeps its first argument."""
    symbol = function.symbol
    if symbol in called or not symbol.is_exported or symbol.name == MALLOC:
        return False
    first = function.parameters[:1]
    is_kept = not first or first[0] not in set(assigned_locals(function.body))
    return is_kept and linker.makes(Pass.DIRECT_EXPORTS)


def lower_function(function: FunctionIR, linker: Linker) -> Lowered:
    """Lower one function; note in the linker whether it can fault."""
    lowering = _begin(function, linker)
    _write_body(lowering, function)
    lowering.close()
    if lowering.can_fault:
        linker.faulting.add(function.symbol)
    return _finished(lowering, function)


def lower_export(
    function: FunctionIR, linker: Linker, handler: FunctionSymbol | None
) -> Lowered:
    """Lower an exported function that only the host calls, border and all."""
    lowering = _begin(function, linker)
    code, symbol = lowering.code, function.symbol
    begin_export(code, linker, symbol)
    _write_body(lowering, function)
    lowering.close(lambda: answer_fault(code, linker, symbol, handler))
    return _finished(lowering, function)


def _begin(function: FunctionIR, linker: Linker) -> Lowering:
    parameters = function_type(function.symbol).parameters
    code = Code(parameters, makes_tees=linker.makes(Pass.TEES))
    lowering = Lowering(code, linker, OPERATIONS, function.result)
    index = 0
    for parameter in function.parameters:
        count = len(flatten(parameter.type))
        lowering.places[parameter] = tuple(range(index, index + count))
        index += count
    return lowering


def _write_body(lowering: Lowering, function: FunctionIR) -> None:
    lower_block(lowering, function.body)
    if function.result != NONE and not lowering.code.is_left:
        lowering.code.emit(UNREACHABLE)


def _finished(lowering: Lowering, function: FunctionIR) -> Lowered:
    code, type_ = lowering.code, function_type(function.symbol)
    if lowering.linker.makes(Pass.TIDY):
        code.instructions = tidied(code.instructions, has_results=bool(type_.results))
    return Lowered(function.symbol.shown_name, type_, code)

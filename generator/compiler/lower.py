"""Pass 8: typed IR of one function -> Wasm instructions.

Where values are: see types.py. Faults: a check that fails branches to a cold block at
the end of the function, which sets the fault number and returns zeros; after a call
of a function that can fault the caller returns zeros too. So functions must come
callees first: which can fault is known only when their checks have been written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

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
from generator.compiler.tidy import tidied
from generator.compiler.types import NONE, flatten
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


def lower_function(function: FunctionIR, linker: Linker) -> Lowered:
    """Lower one function; note in the linker whether it can fault."""
    type_ = function_type(function.symbol)
    code = Code(type_.parameters, makes_tees=linker.makes(Pass.TEES))
    lowering = Lowering(code, linker, OPERATIONS, function.result)
    index = 0
    for parameter in function.parameters:
        count = len(flatten(parameter.type))
        lowering.places[parameter] = tuple(range(index, index + count))
        index += count
    lower_block(lowering, function.body)
    if function.result != NONE and not code.is_left:
        code.emit(UNREACHABLE)
    lowering.close()
    if lowering.can_fault:
        linker.faulting.add(function.symbol)
    if linker.makes(Pass.TIDY):
        code.instructions = tidied(code.instructions, has_results=bool(type_.results))
    return Lowered(function.symbol.shown_name, type_, code)

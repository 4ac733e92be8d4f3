"""The Wasm types of functions, imports and their result slots."""

from __future__ import annotations

from typing import Final

from generator.compiler.symbols import FunctionSymbol, HostcallSymbol
from generator.compiler.types import BUFFER, TupleType, Type, flatten
from generator.wasm.module import FunctionType
from generator.wasm.opcodes import ValueType

SLOT_BYTES: Final = 8
"""Every result pointer of a hostcall points to a slot of this size."""


def function_type(function: FunctionSymbol) -> FunctionType:
    """Return the Wasm type of a guest function."""
    parameters = tuple(v for _, t in function.parameters for v in flatten(t))
    return FunctionType(parameters, flatten(function.result))


def slot_types(hostcall: HostcallSymbol) -> list[ValueType]:
    """Return what is read from each result slot."""
    result = hostcall.result
    if not isinstance(result, TupleType):
        return []
    return [value for item in result.items[1:] for value in flatten(item)]


def import_type(hostcall: HostcallSymbol) -> FunctionType:
    """Return the type of the import: a buffer is its address only."""
    parameters: list[ValueType] = []
    for _, type_ in hostcall.parameters:
        parameters += flatten(type_)[:1] if type_ == BUFFER else flatten(type_)
    pointers = [ValueType.I32] * len(slot_types(hostcall))
    return FunctionType((*parameters, *pointers), flatten(_first(hostcall.result)))


def has_slots(hostcall: HostcallSymbol) -> bool:
    return bool(slot_types(hostcall))


def hostcall_type(hostcall: HostcallSymbol) -> FunctionType:
    """Return the type of the function around an import with result slots."""
    own = import_type(hostcall)
    count = len(own.parameters) - len(slot_types(hostcall))
    return FunctionType(own.parameters[:count], flatten(hostcall.result))


def _first(result: Type) -> Type:
    return result.items[0] if isinstance(result, TupleType) else result

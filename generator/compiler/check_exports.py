"""Pass 4: what the module exports, checked against the ABI.

The exports are the `@export` functions of all modules of the program, and so is the
fault handler. A wrong signature or an unknown `proxy_*` name, which Envoy would refuse
or never call, is an error here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from generator.compiler.callbacks import CALLBACKS, MALLOC, PREFIXES, RESERVED
from generator.compiler.collect import Names
from generator.compiler.source_module import SourceModule, did_you_mean
from generator.compiler.symbols import FunctionSymbol
from generator.compiler.types import (
    BOOL,
    I32_TYPE,
    NONE,
    U32_TYPE,
    VIEW,
    IntType,
    PlainType,
    ScalarType,
    TupleType,
    Type,
)
from generator.errors import CompileError, Diagnostic
from generator.source import Position

I32_CARRIED = (U32_TYPE, I32_TYPE, BOOL)


@dataclass(frozen=True, slots=True)
class Exports:
    """Exported functions in source order, and the handler of faults."""

    functions: tuple[FunctionSymbol, ...]
    fault_handler: FunctionSymbol | None

    @property
    def roots(self) -> tuple[FunctionSymbol, ...]:
        """Every function that something outside the guest can start."""
        handler = () if self.fault_handler is None else (self.fault_handler,)
        return (*self.functions, *handler)


def check_exports(program: Mapping[str, Names], entry: SourceModule) -> Exports:
    """Find and check the exports of a program."""
    functions = [function for names in program.values() for function in names.functions]
    exported = {f.name: f for f in functions if f.is_exported}
    handlers = [f for f in functions if f.is_fault_handler]
    errors: list[Diagnostic] = []
    for function in functions:
        if function.is_exported:
            module = program[function.module].module
            errors += _check(module, function, exported[function.name])
    for handler in handlers:
        errors += _check_handler(program[handler.module].module, handler, handlers[0])
    if not exported:
        start = Position(0, 0)
        message = "the module exports nothing, so nothing can run"
        span = entry.source.span(start, start)
        errors.append(Diagnostic("GST0045", message, span))
    if errors:
        raise CompileError(errors)
    return Exports(tuple(exported.values()), handlers[0] if handlers else None)


def _check(
    module: SourceModule, function: FunctionSymbol, last: FunctionSymbol
) -> list[Diagnostic]:
    name, node = function.name, function.py_node
    if function is not last:
        message = f'"{name}" is exported by {last.module} too'
        return [module.diagnostic("GST0042", message, node)]
    if name in RESERVED:
        message = f'"{name}" cannot be exported: {RESERVED[name]}'
        return [module.diagnostic("GST0042", message, node)]
    if name in CALLBACKS:
        return _check_callback(module, function)
    if name == MALLOC:
        return _check_malloc(module, function)
    if name.startswith(PREFIXES):
        message = f'the host calls no "{name}"'
        return [
            module.diagnostic("GST0041", message, node, did_you_mean(name, CALLBACKS))
        ]
    inward = [t for _, t in function.parameters if not _crosses(t)]
    outward = [t for t in _items(function.result) if not _crosses(t) and t != VIEW]
    for type_ in (*inward, *outward):
        message = f"a {type_} cannot cross the border of the module"
        hint = "use u32, i32, u64, i64 or bool; a View can be returned only"
        return [module.diagnostic("GST0040", message, node, hint)]
    return []


def _items(result: Type) -> tuple[ScalarType, ...]:
    if isinstance(result, TupleType):
        return result.items
    return () if result == NONE else (result,)


def _crosses(type_: ScalarType) -> bool:
    """Small integers do not: a caller could pass more bits than they have."""
    if isinstance(type_, IntType):
        return type_.size_bytes >= 4
    return isinstance(type_, PlainType) and type_ == BOOL


def _check_callback(module: SourceModule, function: FunctionSymbol) -> list[Diagnostic]:
    callback = CALLBACKS[function.name]
    given = [t for _, t in function.parameters]
    is_good = len(given) == len(callback.parameters)
    is_good = is_good and all(t in I32_CARRIED for t in given)
    if callback.answer == "none":
        is_good = is_good and function.result == NONE
    elif callback.answer == "action":
        is_good = is_good and function.result in (U32_TYPE, I32_TYPE)
    else:
        is_good = is_good and function.result in I32_CARRIED
    if is_good:
        return []
    wanted = ", ".join(f"{p}: {_example(p)}" for p in callback.parameters)
    result = {"none": "None", "action": "u32", "bool": "bool"}[callback.answer]
    message = f'"{function.name}" has another signature'
    hint = f"write def {function.name}({wanted}) -> {result}"
    return [module.diagnostic("GST0040", message, function.py_node, hint)]


def _example(parameter: str) -> str:
    return "bool" if parameter == "end_of_stream" else "u32"


def _check_malloc(module: SourceModule, function: FunctionSymbol) -> list[Diagnostic]:
    types = [t for _, t in function.parameters]
    if types == [U32_TYPE] and function.result == U32_TYPE:
        return []
    message, hint = (
        '"malloc" has another signature',
        "write def malloc(size: u32) -> u32",
    )
    return [module.diagnostic("GST0040", message, function.py_node, hint)]


def _check_handler(
    module: SourceModule, handler: FunctionSymbol, first: FunctionSymbol
) -> list[Diagnostic]:
    types = [t for _, t in handler.parameters]
    if handler is not first:
        message = f'"{first.name}" is already the fault handler'
        return [module.diagnostic("GST0043", message, handler.py_node)]
    if types == [U32_TYPE, U32_TYPE] and handler.result == U32_TYPE:
        return []
    message = "a fault handler has another signature"
    hint = f"write def {handler.name}(context_id: u32, fault: u32) -> u32"
    return [module.diagnostic("GST0043", message, handler.py_node, hint)]

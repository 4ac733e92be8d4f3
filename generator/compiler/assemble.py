"""Pass 9: put functions, imports, exports and memory together to a module.

Imported are the hostcalls that remaining code calls, and nothing else. There is no
start section, and no export but the program's, the marker, the memory and malloc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from generator.compiler.border import write_export, write_hostcall
from generator.compiler.callbacks import MARKER, MEMORY
from generator.compiler.check_exports import Exports
from generator.compiler.code import Code, finish
from generator.compiler.link import Linker
from generator.compiler.lower import Lowered
from generator.compiler.runtime import MALLOC, RUNTIME
from generator.compiler.signature import (
    function_type,
    has_slots,
    hostcall_type,
    import_type,
)
from generator.compiler.symbols import FunctionSymbol, HostcallSymbol
from generator.wasm.module import (
    Export,
    ExportKind,
    Function,
    FunctionType,
    Import,
    Module,
)


@dataclass(slots=True)
class _Assembly:
    """Functions in index order, as far as they are known."""

    linker: Linker
    imports: list[Import] = field(default_factory=list)
    lowered: list[Lowered] = field(default_factory=list)
    index_of_id: dict[int, int] = field(default_factory=dict)
    exports: list[Export] = field(default_factory=list)

    def add(self, name: str, type_: FunctionType, write: Callable[[Code], None]) -> int:
        """Write a function; return its index."""
        code = Code(type_.parameters)
        write(code)
        return self.add_lowered(Lowered(name, type_, code))

    def add_lowered(self, lowered: Lowered) -> int:
        self.lowered.append(lowered)
        return len(self.imports) + len(self.lowered) - 1

    def export(self, name: str, index: int) -> None:
        self.exports.append(Export(name, ExportKind.FUNCTION, index))


def assemble(
    name: str,
    functions: Mapping[FunctionSymbol, Lowered],
    exports: Exports,
    linker: Linker,
) -> Module:
    """Make the module."""
    assembly = _Assembly(linker)
    _add_imports(assembly)
    for symbol, lowered in functions.items():
        assembly.index_of_id[linker.callee(symbol)] = assembly.add_lowered(lowered)
    _add_exports(assembly, exports)
    _add_runtime(assembly)
    return _module(name, assembly)


def _add_imports(assembly: _Assembly) -> None:
    """Imports come first in the index space, then the functions around them."""
    linker = assembly.linker
    hostcalls = [c for c in linker.ids if isinstance(c, HostcallSymbol)]
    for hostcall in hostcalls:
        type_ = import_type(hostcall)
        import_ = Import(hostcall.import_module, hostcall.import_name, type_)
        assembly.imports.append(import_)
    for index, hostcall in enumerate(hostcalls):
        if has_slots(hostcall):
            import_id = linker.callee(f"import {hostcall.import_name}")
            assembly.index_of_id[import_id] = index

            write = partial(
                write_hostcall, linker=linker, hostcall=hostcall, import_id=import_id
            )
            type_ = hostcall_type(hostcall)
            index = assembly.add(f"call {hostcall.import_name}", type_, write)
        assembly.index_of_id[linker.callee(hostcall)] = index


def _add_exports(assembly: _Assembly, exports: Exports) -> None:
    linker, handler = assembly.linker, exports.fault_handler
    assembly.export(MARKER, assembly.add(MARKER, FunctionType(), lambda code: None))
    for function in exports.functions:
        if function.name == MALLOC or function in linker.whole_exports:
            index = assembly.index_of_id[linker.callee(function)]
            assembly.export(function.name, index)
            continue
        write = partial(write_export, linker=linker, function=function, handler=handler)
        type_ = function_type(function)
        assembly.export(function.name, assembly.add(function.name, type_, write))
    if not any(function.name == MALLOC for function in exports.functions):
        linker.callee(MALLOC)


def _add_runtime(assembly: _Assembly) -> None:
    linker = assembly.linker
    for name, runtime in RUNTIME.items():
        if name in linker.ids:
            code = Code(runtime.type.parameters)
            runtime.write(code, linker)
            index = assembly.add_lowered(Lowered(name, runtime.type, code))
            assembly.index_of_id[linker.callee(name)] = index
            if name == MALLOC:
                assembly.export(MALLOC, index)


def _module(name: str, assembly: _Assembly) -> Module:
    linker = assembly.linker
    indices = [assembly.index_of_id[i] for i in range(len(linker.ids))]
    functions = tuple(_finished(lowered, indices) for lowered in assembly.lowered)
    for type_ in [i.type for i in assembly.imports] + [f.type for f in functions]:
        linker.type_index(type_)
    memory = Export(MEMORY, ExportKind.MEMORY, 0)
    return Module(
        name,
        tuple(linker.types),
        tuple(assembly.imports),
        functions,
        tuple(linker.globals),
        (memory, *assembly.exports),
        linker.memory.pages,
        linker.memory.data,
    )


def _finished(lowered: Lowered, indices: Sequence[int]) -> Function:
    code = lowered.code
    body = finish(code.instructions, indices)
    return Function(lowered.name, lowered.type, tuple(code.locals), body)

"""A Wasm module as plain data, and its binary form.

Where in the pipeline: the compiler's last pass builds a `Module`; `to_bytes` encodes
it. One function per section, in the order of the standard (WebAssembly Core 2.0,
section 5.5). Indices are the format's own: imported functions come first, then
`functions`. Equal modules have equal bytes. Nothing is checked here: validators do
that (tests run every module through wasmtime's).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Final

from generator.wasm.leb128 import encode_signed, encode_unsigned
from generator.wasm.opcodes import Instruction, Op, ValueType

MAGIC_AND_VERSION: Final = b"\0asm\1\0\0\0"
FUNCTION_TYPE: Final = b"\x60"
PAGE_BYTES: Final = 65_536


class Section(IntEnum):
    """Section ids, in file order except CUSTOM, which comes last here."""

    CUSTOM = 0
    TYPE = 1
    IMPORT = 2
    FUNCTION = 3
    MEMORY = 5
    GLOBAL = 6
    EXPORT = 7
    CODE = 10
    DATA = 11


class ExportKind(IntEnum):
    FUNCTION = 0
    MEMORY = 2


@dataclass(frozen=True, slots=True)
class FunctionType:
    """Parameters and results."""

    parameters: tuple[ValueType, ...] = ()
    results: tuple[ValueType, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """An imported function."""

    module: str
    name: str
    type: FunctionType


@dataclass(frozen=True, slots=True)
class Function:
    """A defined function; `body` holds the final `end`."""

    name: str
    type: FunctionType
    locals: tuple[ValueType, ...]
    body: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Global:
    """A mutable global with a constant initial value."""

    name: str
    type: ValueType
    initial: int


@dataclass(frozen=True, slots=True)
class Export:
    name: str
    kind: ExportKind
    index: int


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes that are in memory when the module starts."""

    offset: int
    contents: bytes


@dataclass(frozen=True, slots=True)
class Module:
    """A whole module. `types` holds every type that is used, once."""

    name: str
    types: tuple[FunctionType, ...]
    imports: tuple[Import, ...]
    functions: tuple[Function, ...]
    globals: tuple[Global, ...]
    exports: tuple[Export, ...]
    memory_pages: int
    data: tuple[Data, ...]

    def to_bytes(self) -> bytes:
        """Encode the module: equal modules, equal bytes."""
        type_index = {t: i for i, t in enumerate(self.types)}
        sections = (
            (Section.TYPE, [_function_type(t) for t in self.types]),
            (Section.IMPORT, [_import(i, type_index) for i in self.imports]),
            (Section.FUNCTION, [_index(type_index[f.type]) for f in self.functions]),
            (Section.MEMORY, [_memory(self.memory_pages)]),
            (Section.GLOBAL, [_global(g) for g in self.globals]),
            (Section.EXPORT, [_export(e) for e in self.exports]),
            (Section.CODE, [_code(f) for f in self.functions]),
            (Section.DATA, [_data(d) for d in self.data]),
        )
        encoded = [_section(number, items) for number, items in sections if items]
        return b"".join([MAGIC_AND_VERSION, *encoded, _names(self)])


_index = encode_unsigned


def _vector(items: Sequence[bytes]) -> bytes:
    return encode_unsigned(len(items)) + b"".join(items)


def _sized(contents: bytes) -> bytes:
    return encode_unsigned(len(contents)) + contents


def _text(text: str) -> bytes:
    return _sized(text.encode())


def _section(number: Section, items: Sequence[bytes]) -> bytes:
    return bytes([number]) + _sized(_vector(items))


def _function_type(type_: FunctionType) -> bytes:
    parameters = bytes(type_.parameters)
    return FUNCTION_TYPE + _sized(parameters) + _sized(bytes(type_.results))


def _import(item: Import, type_index: dict[FunctionType, int]) -> bytes:
    return _text(item.module) + _text(item.name) + b"\0" + _index(type_index[item.type])


def _memory(pages: int) -> bytes:
    """Minimum and maximum are equal: our modules never grow their memory."""
    return b"\1" + encode_unsigned(pages) + encode_unsigned(pages)


def _global(item: Global) -> bytes:
    op = b"\x41" if item.type is ValueType.I32 else b"\x42"
    return bytes([item.type]) + b"\1" + op + encode_signed(item.initial) + b"\x0b"


def _export(export: Export) -> bytes:
    return _text(export.name) + bytes([export.kind]) + _index(export.index)


def _code(function: Function) -> bytes:
    runs = [(t, len(list(run))) for t, run in groupby(function.locals)]
    local_runs = [encode_unsigned(count) + bytes([t]) for t, count in runs]
    return _sized(_vector(local_runs) + encode_body(function.body))


def encode_body(body: Iterable[Instruction]) -> bytes:
    """Encode instructions with their immediates."""
    out = bytearray()
    for op, first, second in body:
        out += op.code
        if op.immediates != "none":
            out += _immediates(op, first, second)
    return bytes(out)


def _immediates(op: Op, first: int, second: int) -> bytes:
    match op.immediates:
        case "signed" | "block":
            return encode_signed(first)
        case "index" | "label":
            return encode_unsigned(first)
        case "memory":
            return encode_unsigned(first) + encode_unsigned(second)
        case "copy":
            return b"\0\0"
        case "fill":
            return b"\0"
        case "none":
            return b""


def _data(data: Data) -> bytes:
    address = b"\x41" + encode_signed(data.offset) + b"\x0b"
    return b"\0" + address + _sized(data.contents)


def _names(module: Module) -> bytes:
    """The custom section `name`: module, functions, globals. Traps print it."""
    functions = [i.name for i in module.imports] + [f.name for f in module.functions]
    contents = (
        _text("name")
        + b"\0"
        + _sized(_text(module.name))
        + b"\1"
        + _sized(_name_map(functions))
        + b"\7"
        + _sized(_name_map([g.name for g in module.globals]))
    )
    return bytes([Section.CUSTOM]) + _sized(contents)


def _name_map(names: Sequence[str]) -> bytes:
    return _vector([_index(i) + _text(name) for i, name in enumerate(names)])

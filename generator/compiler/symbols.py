"""What a module-level name can mean: plain data, made by the collect pass.

Symbols are compared by identity, except static objects, which are equal if their
contents are: two literals with the same bytes are one object in memory.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from generator.compiler.types import (
    U8,
    IntType,
    PlainType,
    RecordType,
    ScalarType,
    Type,
)

_EMBEDDED: Final = "embedded "


def shown_name(module: str, name: str) -> str:
    """Name what is in a module for those who read a trap: `filters` goes unsaid."""
    return f"{module.removeprefix('filters.')}.{name}"


@dataclass(frozen=True, slots=True)
class StaticObject:
    """An area of linear memory.

    `contents` is what is there at the start: empty for zeros. An `embedded` object is
    placed last; only layout gives it contents, so other passes do not know its length.
    """

    name: str
    element: IntType | RecordType
    count: int
    contents: bytes = b""
    is_embedded: bool = False

    @property
    def size_bytes(self) -> int:
        return self.element.size_bytes * self.count


def embedded_object(name: bytes) -> StaticObject:
    """Make the object for bytes that are linked in under a name."""
    label = f"{_EMBEDDED}{name.decode()}"
    return StaticObject(label, U8, 0, is_embedded=True)


def fill(static: StaticObject, contents: Mapping[str, bytes]) -> StaticObject:
    """Give an embedded object the contents of its name; none if it has none."""
    given = contents.get(static.name.removeprefix(_EMBEDDED), b"")
    return replace(static, count=len(given), contents=given)


@dataclass(frozen=True, slots=True)
class ConstantSymbol:
    """A named integer or bool. `type` is None if the source gives none."""

    value: int
    type: IntType | PlainType | None


@dataclass(frozen=True, slots=True)
class BytesSymbol:
    """A named bytes constant."""

    value: bytes


@dataclass(frozen=True, slots=True)
class TableSymbol:
    """A constant array of integers; also known value by value, for folding."""

    object: StaticObject
    element: IntType
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EnumSymbol:
    """A class of named integers."""

    name: str
    members: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RecordSymbol:
    type: RecordType


@dataclass(frozen=True, slots=True)
class ArraySymbol:
    """A static `Buffer` or `Words`."""

    object: StaticObject
    type: PlainType


@dataclass(frozen=True, slots=True)
class PoolSymbol:
    """A `Pool` of records, or a single record (`is_single`)."""

    object: StaticObject
    record: RecordType
    is_single: bool


@dataclass(frozen=True, slots=True, eq=False)
class GlobalSymbol:
    """A mutable scalar."""

    name: str
    module: str
    type: IntType | PlainType
    initial: int


@dataclass(frozen=True, slots=True, eq=False)
class FunctionSymbol:
    """A function of the guest."""

    name: str
    module: str
    py_node: ast.FunctionDef
    parameters: tuple[tuple[str, ScalarType], ...]
    result: Type
    is_inline: bool
    is_exported: bool
    is_fault_handler: bool

    @property
    def shown_name(self) -> str:
        return shown_name(self.module, self.name)


@dataclass(frozen=True, slots=True, eq=False)
class HostcallSymbol:
    """A function of the host."""

    name: str
    import_module: str
    import_name: str
    parameters: tuple[tuple[str, ScalarType], ...]
    result: Type


@dataclass(frozen=True, slots=True)
class RuntimeSymbol:
    """A function that the compiler writes itself (runtime.py)."""

    name: str
    parameters: tuple[tuple[str, ScalarType], ...]
    result: Type


@dataclass(frozen=True, slots=True)
class BuiltinSymbol:
    """A name that the language defines (intrinsics.py)."""

    name: str


Symbol = (
    ConstantSymbol
    | BytesSymbol
    | TableSymbol
    | EnumSymbol
    | RecordSymbol
    | ArraySymbol
    | PoolSymbol
    | GlobalSymbol
    | FunctionSymbol
    | HostcallSymbol
    | BuiltinSymbol
)

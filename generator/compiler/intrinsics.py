"""The names that the language itself defines, as tables.

`filters.lang` gives them their meaning under CPython; its `__all__` and `LANG` hold
the same names (tests/compiler checks). Adding a load or a store is one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from generator.compiler.symbols import RuntimeSymbol
from generator.compiler.types import (
    BUFFER,
    INT_TYPES,
    U16_TYPE,
    U32_TYPE,
    U64_TYPE,
    IntType,
)


@dataclass(frozen=True, slots=True)
class Access:
    """A load from a view or a store to a buffer."""

    type: IntType
    is_big_endian: bool = False


LOADS: Final[Mapping[str, Access]] = {
    "load_u16": Access(U16_TYPE),
    "load_u32": Access(U32_TYPE),
    "load_u64": Access(U64_TYPE),
    "load_u32_be": Access(U32_TYPE, is_big_endian=True),
}

STORES: Final[Mapping[str, Access]] = {
    "put_u32": Access(U32_TYPE),
}
"""Methods of `Buffer`, beside `put`."""

RUNTIME_CALLS: Final[Mapping[str, RuntimeSymbol]] = {
    "scratch": RuntimeSymbol("scratch", (("size", U32_TYPE),), BUFFER),
}
"""Functions of runtime.py that guests call by name."""

DECORATORS: Final = frozenset({"export", "hostcall", "inline", "on_fault", "record"})

LANG: Final = frozenset(
    {*INT_TYPES, *LOADS, *RUNTIME_CALLS, *DECORATORS, "View", "Buffer", "Words", "Pool"}
    | {"embedded", "rotr32"}
)
"""What `from filters.lang import ...` can bring in."""

PYTHON_BUILTINS: Final = frozenset({"bool", "len", "max", "min", "range"})
"""Built-ins of Python that keep their meaning."""

STANDARD_IMPORTS: Final[Mapping[str, frozenset[str]]] = {
    "__future__": frozenset({"annotations"}),
    "typing": frozenset({"Final"}),
    "enum": frozenset({"IntEnum"}),
    "filters.lang": LANG,
}
"""Modules that are never read: what may be imported from them."""

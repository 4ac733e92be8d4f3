"""Numbers for what functions refer to before all of them exist.

Calls are written with ids, given out at first mention; assemble.py maps them to
indices in the end. Types of functions and blocks are interned, in order of first use.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from generator.compiler.layout import MemoryMap
from generator.compiler.passes import Pass, Passes
from generator.compiler.symbols import (
    FunctionSymbol,
    GlobalSymbol,
    HostcallSymbol,
    shown_name,
)
from generator.compiler.types import flatten
from generator.wasm.module import FunctionType, Global
from generator.wasm.opcodes import EMPTY_BLOCK, ValueType


class Fault(IntEnum):
    """Fault numbers, as the handler and CPython's runner have them."""

    STEPS = 1
    BOUNDS = 2
    ZERO_DIVISION = 3
    ASSERTION = 4


FAULT_GLOBAL: Final = 0
STEPS_GLOBAL: Final = 1
ARENA_GLOBAL: Final = 2

Callee = FunctionSymbol | HostcallSymbol | str
"""A guest function, a hostcall, or the name of a function of runtime.py."""


def signed(value: int, width: int) -> int:
    """Return the number with the same low bits that Wasm's constants want."""
    half = 1 << (width - 1)
    return (value + half) % (2 * half) - half


@dataclass(slots=True)
class Linker:
    """Shared by all functions of one module."""

    memory: MemoryMap
    step_budget: int
    passes: Passes
    faulting: set[FunctionSymbol] = field(default_factory=set)
    whole_exports: set[FunctionSymbol] = field(default_factory=set)
    ids: dict[Callee, int] = field(default_factory=dict)
    types: dict[FunctionType, int] = field(default_factory=dict)
    global_indices: dict[GlobalSymbol, int] = field(default_factory=dict)
    globals: list[Global] = field(default_factory=list)

    def __post_init__(self) -> None:
        i32 = ValueType.I32
        self.globals += [
            Global("fault", i32, 0),
            Global("steps", i32, self.step_budget),
            Global("arena", i32, self.memory.arena_start),
        ]

    def makes(self, optimisation: Pass) -> bool:
        return optimisation in self.passes

    def callee(self, callee: Callee) -> int:
        """Return the id that calls use for a function."""
        return self.ids.setdefault(callee, len(self.ids))

    def type_index(self, type_: FunctionType) -> int:
        return self.types.setdefault(type_, len(self.types))

    def block_type(self, results: tuple[ValueType, ...]) -> int:
        """Return the block type for results, as a signed 33-bit number."""
        if not results:
            return EMPTY_BLOCK
        if len(results) == 1:
            return results[0] - 0x80
        return self.type_index(FunctionType((), results))

    def variable(self, symbol: GlobalSymbol) -> int:
        """Return the index of a guest's mutable global."""
        index = self.global_indices.get(symbol)
        if index is None:
            index = self.global_indices[symbol] = len(self.globals)
            (type_,) = flatten(symbol.type)
            name = shown_name(symbol.module, symbol.name)
            initial = signed(symbol.initial, 32 if type_ is ValueType.I32 else 64)
            self.globals.append(Global(name, type_, initial))
        return index

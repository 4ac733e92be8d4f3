"""Build the code of one Wasm function.

Instructions are appended in order. Branches name labels, not depths: `finish` counts
the depths, so that code can be wrapped in blocks after it was made. Locals that are
not needed any more are given out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from generator.errors import InternalError
from generator.wasm.opcodes import (
    BLOCK,
    BR,
    BR_IF,
    CALL,
    EMPTY_BLOCK,
    END,
    I32_CONST,
    I64_CONST,
    IF,
    LOCAL_GET,
    LOCAL_SET,
    LOCAL_TEE,
    LOOP,
    RETURN,
    UNREACHABLE,
    Instruction,
    Op,
    ValueType,
)

OPENING: Final = frozenset({BLOCK, LOOP, IF})
LEAVING: Final = frozenset({BR, RETURN, UNREACHABLE})


@dataclass(slots=True)
class Code:
    """A function that is being written. Parameters are the first locals."""

    parameters: tuple[ValueType, ...]
    instructions: list[Instruction] = field(default_factory=list)
    locals: list[ValueType] = field(default_factory=list)
    free: dict[ValueType, list[int]] = field(default_factory=dict)
    scopes: list[list[int]] = field(default_factory=list)
    labels: int = 0
    makes_tees: bool = True

    # --- instructions ----------------------------------------------------------------

    def emit(self, op: Op, first: int = 0, second: int = 0) -> None:
        self.instructions.append(Instruction(op, first, second))

    def const(self, value: int, width: int = 32) -> None:
        """Push a constant, given modulo the width."""
        half = 1 << (width - 1)
        signed = (value + half) % (2 * half) - half
        self.emit(I32_CONST if width == 32 else I64_CONST, signed)

    def get(self, local: int) -> None:
        """Push a local; right after it was set, keep it on the stack instead."""
        if self.instructions and self.makes_tees:
            last = self.instructions[-1]
            if last.op is LOCAL_SET and last.first == local:
                self.instructions[-1] = Instruction(LOCAL_TEE, local)
                return
        self.emit(LOCAL_GET, local)

    def set(self, local: int) -> None:
        self.emit(LOCAL_SET, local)

    def tee(self, local: int) -> None:
        self.emit(LOCAL_TEE, local)

    @property
    def is_left(self) -> bool:
        """Tell whether control surely does not get past the last instruction."""
        return bool(self.instructions) and self.instructions[-1].op in LEAVING

    def has_branch(self, label: int) -> bool:
        branches = (BR, BR_IF)
        return any(i.op in branches and i.first == label for i in self.instructions)

    # --- blocks ----------------------------------------------------------------------

    def new_label(self) -> int:
        self.labels += 1
        return self.labels

    def open(self, op: Op, label: int = 0, block_type: int = EMPTY_BLOCK) -> None:
        self.emit(op, block_type, label)

    @contextmanager
    def block(self, op: Op, label: int = 0) -> Iterator[None]:
        """Put what is written inside into a block without results."""
        self.open(op, label)
        yield
        self.emit(END)

    def wrap(self, label: int) -> None:
        """Put all that was written so far into a block."""
        self.instructions.insert(0, Instruction(BLOCK, EMPTY_BLOCK, label))
        self.emit(END)

    # --- locals ----------------------------------------------------------------------

    def new_local(self, type_: ValueType) -> int:
        """Return a local that nothing else uses until the scope ends."""
        free = self.free.get(type_)
        if free:
            index = free.pop()
        else:
            self.locals.append(type_)
            index = len(self.parameters) + len(self.locals) - 1
        if self.scopes:
            self.scopes[-1].append(index)
        return index

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Give back at the end the locals that were taken inside."""
        self.scopes.append([])
        yield
        for index in reversed(self.scopes.pop()):
            type_ = self.locals[index - len(self.parameters)]
            self.free.setdefault(type_, []).append(index)


def finish(
    instructions: Sequence[Instruction], functions: Sequence[int]
) -> tuple[Instruction, ...]:
    """Turn labels into depths and function ids into indices; add the last `end`."""
    finished: list[Instruction] = []
    open_labels: list[int] = []
    for instruction in instructions:
        op, first, second = instruction
        if op in OPENING:
            open_labels.append(second)
            instruction = Instruction(op, first)
        elif op is END:
            open_labels.pop()
        elif op is BR or op is BR_IF:
            instruction = Instruction(op, _depth(open_labels, first))
        elif op is CALL:
            instruction = Instruction(op, functions[first])
        finished.append(instruction)
    if open_labels:
        raise InternalError(f"blocks left open: {open_labels}")
    finished.append(Instruction(END))
    return tuple(finished)


def _depth(open_labels: list[int], label: int) -> int:
    for depth, candidate in enumerate(reversed(open_labels)):
        if candidate == label:
            return depth
    raise InternalError(f"branch to label {label}, which is not open")

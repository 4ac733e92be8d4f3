"""Functions that the compiler writes itself: the arena, and what views need.

Each is made once, if something uses it. None can trap or fault: `copy` answers
whether it faulted, and its caller says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from generator.compiler.code import Code
from generator.compiler.link import ARENA_GLOBAL, Linker
from generator.wasm import opcodes as op
from generator.wasm.module import FunctionType
from generator.wasm.opcodes import Op, ValueType

SLICE: Final = "slice"
SAME_BYTES: Final = "same_bytes"
COPY: Final = "copy"
MALLOC: Final = "malloc"
SCRATCH: Final = "scratch"

I32: Final = ValueType.I32
ARENA_ALIGNMENT: Final = 8


@dataclass(frozen=True, slots=True)
class RuntimeFunction:
    """Its type, and what writes its body: `write(code, linker)`."""

    type: FunctionType
    write: Callable[[Code, Linker], None]


def _minimum(code: Code, target: int, other: int) -> None:
    """target = min(target, other), unsigned."""
    code.emit(op.LOCAL_GET, target)
    code.emit(op.LOCAL_GET, other)
    code.emit(op.LOCAL_GET, target)
    code.emit(op.LOCAL_GET, other)
    code.emit(op.I32_LT_U)
    code.emit(op.SELECT)
    code.set(target)


def _binary(code: Code, left: int, operation: Op, right: int) -> None:
    code.emit(op.LOCAL_GET, left)
    code.emit(op.LOCAL_GET, right)
    code.emit(operation)


def _slice(code: Code, linker: Linker) -> None:
    """(address, length, start, stop) -> (address, length), clamped as in Python."""
    address, length, start, stop = range(4)
    _minimum(code, stop, length)
    _minimum(code, start, stop)
    _binary(code, address, op.I32_ADD, start)
    _binary(code, stop, op.I32_SUB, start)


def _copy(code: Code, linker: Linker) -> None:
    """(buffer, its length, offset, source, its length) -> does not fit."""
    buffer, size, offset, source, length = range(5)
    for local in (offset, length):
        code.emit(op.LOCAL_GET, local)
        code.emit(op.I64_EXTEND_I32_U)
    code.emit(op.I64_ADD)
    code.emit(op.LOCAL_GET, size)
    code.emit(op.I64_EXTEND_I32_U)
    code.emit(op.I64_GT_U)
    with code.block(op.IF):
        code.const(1)
        code.emit(op.RETURN)
    _binary(code, buffer, op.I32_ADD, offset)
    code.emit(op.LOCAL_GET, source)
    code.emit(op.LOCAL_GET, length)
    code.emit(op.MEMORY_COPY)
    code.const(0)


def _same_bytes(code: Code, linker: Linker) -> None:
    """(left, its length, right, its length) -> same; eight bytes a turn, then one."""
    left, left_length, right, right_length = range(4)
    _binary(code, left_length, op.I32_NE, right_length)
    with code.block(op.IF):
        code.const(0)
        code.emit(op.RETURN)
    for size, load, not_equal in (
        (8, op.I64_LOAD, op.I64_NE),
        (1, op.I32_LOAD8_U, op.I32_NE),
    ):
        done, again = code.new_label(), code.new_label()
        with code.block(op.BLOCK, done), code.block(op.LOOP, again):
            code.emit(op.LOCAL_GET, left_length)
            code.const(size)
            code.emit(op.I32_LT_U)
            code.emit(op.BR_IF, done)
            for local in (left, right):
                code.emit(op.LOCAL_GET, local)
                code.emit(load)
            code.emit(not_equal)
            with code.block(op.IF):
                code.const(0)
                code.emit(op.RETURN)
            for local, step in ((left, size), (right, size), (left_length, -size)):
                code.emit(op.LOCAL_GET, local)
                code.const(step)
                code.emit(op.I32_ADD)
                code.set(local)
            code.emit(op.BR, again)
    code.const(1)


def _malloc(code: Code, linker: Linker) -> None:
    """(size) -> address, or 0 if the arena is full."""
    _allocate(code, linker, (0,))


def _scratch(code: Code, linker: Linker) -> None:
    """(size) -> (address, length): zero bytes, none at all if the arena is full."""
    size = 0
    address = code.new_local(I32)
    _allocate(code, linker, (0, 0))
    code.tee(address)
    code.const(0)
    code.emit(op.LOCAL_GET, size)
    code.emit(op.MEMORY_FILL)
    code.emit(op.LOCAL_GET, address)
    code.emit(op.LOCAL_GET, size)


def _allocate(code: Code, linker: Linker, nothing: tuple[int, ...]) -> None:
    """Push the address of `size`, the first parameter, bytes; else return `nothing`.

    end = arena + ((size + 7) & ~7)     in 64 bits, so that no size wraps
    """
    size = 0
    end = code.new_local(ValueType.I64)
    code.emit(op.GLOBAL_GET, ARENA_GLOBAL)
    code.emit(op.I64_EXTEND_I32_U)
    code.emit(op.LOCAL_GET, size)
    code.emit(op.I64_EXTEND_I32_U)
    code.emit(op.I64_ADD)
    code.const(ARENA_ALIGNMENT - 1, 64)
    code.emit(op.I64_ADD)
    code.const(-ARENA_ALIGNMENT, 64)
    code.emit(op.I64_AND)
    code.tee(end)
    code.const(linker.memory.arena_end, 64)
    code.emit(op.I64_GT_U)
    with code.block(op.IF):
        for number in nothing:
            code.const(number)
        code.emit(op.RETURN)
    code.emit(op.GLOBAL_GET, ARENA_GLOBAL)
    code.emit(op.LOCAL_GET, end)
    code.emit(op.I32_WRAP_I64)
    code.emit(op.GLOBAL_SET, ARENA_GLOBAL)


RUNTIME: Final[Mapping[str, RuntimeFunction]] = {
    SLICE: RuntimeFunction(FunctionType((I32,) * 4, (I32, I32)), _slice),
    SAME_BYTES: RuntimeFunction(FunctionType((I32,) * 4, (I32,)), _same_bytes),
    COPY: RuntimeFunction(FunctionType((I32,) * 5, (I32,)), _copy),
    MALLOC: RuntimeFunction(FunctionType((I32,), (I32,)), _malloc),
    SCRATCH: RuntimeFunction(FunctionType((I32,), (I32, I32)), _scratch),
}

"""The Wasm instructions that the compiler emits, by name, code and immediates.

Source: WebAssembly Core 2.0, section 5.4. One row each; an instruction that is not
here is never emitted. All are in the feature set that Envoy accepts: MVP with
sign extension, saturating truncation, bulk memory and multiple results.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal, NamedTuple

Immediates = Literal[
    "none", "index", "label", "block", "signed", "memory", "copy", "fill"
]
"""none; an index; a label depth; a block type; a signed constant; alignment and
offset; the two memories of memory.copy; the memory of memory.fill"""


class ValueType(IntEnum):
    """Value types, by their byte."""

    I32 = 0x7F
    I64 = 0x7E


EMPTY_BLOCK: Final = -0x40
"""Block type without results, as a signed 33-bit number."""


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One instruction of the table. Compared by identity."""

    name: str
    code: bytes
    immediates: Immediates = "none"


class Instruction(NamedTuple):
    """An operation and its immediates; unused ones are 0."""

    op: Op
    first: int = 0
    second: int = 0


def _op(name: str, code: int, immediates: Immediates = "none") -> Op:
    return Op(name, bytes([code]), immediates)


UNREACHABLE: Final = _op("unreachable", 0x00)
NOP: Final = _op("nop", 0x01)
BLOCK: Final = _op("block", 0x02, "block")
LOOP: Final = _op("loop", 0x03, "block")
IF: Final = _op("if", 0x04, "block")
ELSE: Final = _op("else", 0x05)
END: Final = _op("end", 0x0B)
BR: Final = _op("br", 0x0C, "label")
BR_IF: Final = _op("br_if", 0x0D, "label")
RETURN: Final = _op("return", 0x0F)
CALL: Final = _op("call", 0x10, "index")
DROP: Final = _op("drop", 0x1A)
SELECT: Final = _op("select", 0x1B)
LOCAL_GET: Final = _op("local.get", 0x20, "index")
LOCAL_SET: Final = _op("local.set", 0x21, "index")
LOCAL_TEE: Final = _op("local.tee", 0x22, "index")
GLOBAL_GET: Final = _op("global.get", 0x23, "index")
GLOBAL_SET: Final = _op("global.set", 0x24, "index")

I32_LOAD: Final = _op("i32.load", 0x28, "memory")
I64_LOAD: Final = _op("i64.load", 0x29, "memory")
I32_LOAD8_U: Final = _op("i32.load8_u", 0x2D, "memory")
I32_LOAD16_U: Final = _op("i32.load16_u", 0x2F, "memory")
I32_STORE: Final = _op("i32.store", 0x36, "memory")
I64_STORE: Final = _op("i64.store", 0x37, "memory")
I32_STORE8: Final = _op("i32.store8", 0x3A, "memory")
I32_STORE16: Final = _op("i32.store16", 0x3B, "memory")

I32_CONST: Final = _op("i32.const", 0x41, "signed")
I64_CONST: Final = _op("i64.const", 0x42, "signed")

I32_EQZ: Final = _op("i32.eqz", 0x45)
I32_EQ: Final = _op("i32.eq", 0x46)
I32_NE: Final = _op("i32.ne", 0x47)
I32_LT_S: Final = _op("i32.lt_s", 0x48)
I32_LT_U: Final = _op("i32.lt_u", 0x49)
I32_GT_S: Final = _op("i32.gt_s", 0x4A)
I32_GT_U: Final = _op("i32.gt_u", 0x4B)
I32_LE_S: Final = _op("i32.le_s", 0x4C)
I32_LE_U: Final = _op("i32.le_u", 0x4D)
I32_GE_S: Final = _op("i32.ge_s", 0x4E)
I32_GE_U: Final = _op("i32.ge_u", 0x4F)
I64_EQZ: Final = _op("i64.eqz", 0x50)
I64_EQ: Final = _op("i64.eq", 0x51)
I64_NE: Final = _op("i64.ne", 0x52)
I64_LT_S: Final = _op("i64.lt_s", 0x53)
I64_LT_U: Final = _op("i64.lt_u", 0x54)
I64_GT_S: Final = _op("i64.gt_s", 0x55)
I64_GT_U: Final = _op("i64.gt_u", 0x56)
I64_LE_S: Final = _op("i64.le_s", 0x57)
I64_LE_U: Final = _op("i64.le_u", 0x58)
I64_GE_S: Final = _op("i64.ge_s", 0x59)
I64_GE_U: Final = _op("i64.ge_u", 0x5A)

I32_ADD: Final = _op("i32.add", 0x6A)
I32_SUB: Final = _op("i32.sub", 0x6B)
I32_MUL: Final = _op("i32.mul", 0x6C)
I32_DIV_U: Final = _op("i32.div_u", 0x6E)
I32_REM_U: Final = _op("i32.rem_u", 0x70)
I32_AND: Final = _op("i32.and", 0x71)
I32_OR: Final = _op("i32.or", 0x72)
I32_XOR: Final = _op("i32.xor", 0x73)
I32_SHL: Final = _op("i32.shl", 0x74)
I32_SHR_S: Final = _op("i32.shr_s", 0x75)
I32_SHR_U: Final = _op("i32.shr_u", 0x76)
I32_ROTR: Final = _op("i32.rotr", 0x78)
I64_ADD: Final = _op("i64.add", 0x7C)
I64_SUB: Final = _op("i64.sub", 0x7D)
I64_MUL: Final = _op("i64.mul", 0x7E)
I64_DIV_U: Final = _op("i64.div_u", 0x80)
I64_REM_U: Final = _op("i64.rem_u", 0x82)
I64_AND: Final = _op("i64.and", 0x83)
I64_OR: Final = _op("i64.or", 0x84)
I64_XOR: Final = _op("i64.xor", 0x85)
I64_SHL: Final = _op("i64.shl", 0x86)
I64_SHR_S: Final = _op("i64.shr_s", 0x87)
I64_SHR_U: Final = _op("i64.shr_u", 0x88)

I32_WRAP_I64: Final = _op("i32.wrap_i64", 0xA7)
I64_EXTEND_I32_S: Final = _op("i64.extend_i32_s", 0xAC)
I64_EXTEND_I32_U: Final = _op("i64.extend_i32_u", 0xAD)

MEMORY_COPY: Final = Op("memory.copy", b"\xfc\x0a", "copy")
MEMORY_FILL: Final = Op("memory.fill", b"\xfc\x0b", "fill")

NUMERIC: Final = frozenset(
    op
    for op in list(vars().values())
    if isinstance(op, Op) and 0x41 <= op.code[0] < 0xC0
)
"""Constants, arithmetic, comparisons and conversions: what only uses the stack."""

DIVISIONS: Final = frozenset({I32_DIV_U, I32_REM_U, I64_DIV_U, I64_REM_U})
"""What traps if the divisor is 0."""

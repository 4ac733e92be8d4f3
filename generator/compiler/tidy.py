"""Write the instructions of a function more shortly, without a change of meaning.

    i32.const 0; i32.ne; br_if     ==>  br_if
    i32.eqz; i32.eqz; if           ==>  if
    i32.lt_u; i32.eqz              ==>  i32.ge_u
    br $a; end (of $a)             ==>  end (of $a)
    block $a ... end, no branch    ==>  ...
    return at the very end         ==>

Engines do all this too: what it gains is bytes. Labels are names here, not depths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from generator.wasm import opcodes as op
from generator.wasm.opcodes import EMPTY_BLOCK, Instruction

_OPENING: Final = frozenset({op.BLOCK, op.LOOP, op.IF})
_BRANCHES: Final = frozenset({op.BR, op.BR_IF})
_LEAVING: Final = frozenset({op.BR, op.RETURN, op.UNREACHABLE})
_TESTING: Final = frozenset({op.BR_IF, op.IF})
_ZERO: Final = Instruction(op.I32_CONST, 0)

_PAIRS: Final = (
    (op.I32_EQ, op.I32_NE),
    (op.I32_LT_S, op.I32_GE_S),
    (op.I32_LT_U, op.I32_GE_U),
    (op.I32_GT_S, op.I32_LE_S),
    (op.I32_GT_U, op.I32_LE_U),
    (op.I64_EQ, op.I64_NE),
    (op.I64_LT_S, op.I64_GE_S),
    (op.I64_LT_U, op.I64_GE_U),
    (op.I64_GT_S, op.I64_LE_S),
    (op.I64_GT_U, op.I64_LE_U),
)
_OPPOSITE: Final = dict(_PAIRS) | {b: a for a, b in _PAIRS}


def tidied(
    instructions: Sequence[Instruction], *, has_results: bool
) -> list[Instruction]:
    """Return shorter code for the body of a function, with or without results."""
    code = _without_dead_code(_with_short_tests(instructions))
    code = _without_branches(code, has_results=has_results)
    return _without_blocks(code)


# --- tests ---------------------------------------------------------------------------


def _with_short_tests(instructions: Sequence[Instruction]) -> list[Instruction]:
    code: list[Instruction] = []
    for instruction in instructions:
        if instruction.op in _TESTING:
            _drop_normalising(code)
        elif instruction.op is op.I32_EQZ and code and code[-1].op in _OPPOSITE:
            code[-1] = Instruction(_OPPOSITE[code[-1].op])
            continue
        code.append(instruction)
    return code


def _drop_normalising(code: list[Instruction]) -> None:
    """Drop from the end what only makes 1 of a number that is not 0."""
    while len(code) > 1:
        last, before = code[-1].op, code[-2]
        is_zero_test = last is op.I32_NE and before == _ZERO
        if not is_zero_test and not (last is op.I32_EQZ and before.op is op.I32_EQZ):
            return
        del code[-2:]


# --- control -------------------------------------------------------------------------


def _without_dead_code(instructions: Sequence[Instruction]) -> list[Instruction]:
    """Drop what stands between an unconditional branch and the end of its block."""
    code: list[Instruction] = []
    depth = 0  # of blocks within dead code, itself included; 0: control gets here
    for instruction in instructions:
        operation = instruction.op
        if depth and operation in _OPENING:
            depth += 1
        elif depth and operation is op.END:
            depth -= 1
        elif depth == 1 and operation is op.ELSE:
            depth = 0
        if depth:
            continue
        code.append(instruction)
        if operation in _LEAVING:
            depth = 1
    return code


def _without_branches(
    instructions: Sequence[Instruction], *, has_results: bool
) -> list[Instruction]:
    """Drop branches to where control goes anyway."""
    code: list[Instruction] = []
    opened: list[Instruction] = []
    plain: set[int] = set()  # indices of ends of blocks without results
    for instruction in instructions:
        if instruction.op in _OPENING:
            opened.append(instruction)
        elif instruction.op is op.END:
            opening = opened.pop()
            is_plain = opening.first == EMPTY_BLOCK
            if opening.op is not op.LOOP:
                branch = Instruction(op.BR, opening.second)
                _drop_before_ends(code, branch, plain if is_plain else frozenset())
            if is_plain:
                plain.add(len(code))
        code.append(instruction)
    _drop_before_ends(
        code, Instruction(op.RETURN), frozenset() if has_results else plain
    )
    return code


def _drop_before_ends(
    code: list[Instruction], branch: Instruction, plain: set[int] | frozenset[int]
) -> None:
    """Drop a branch that only ends of blocks (`plain`) separate from its target."""
    at = len(code) - 1
    while at in plain and code[at].op is op.END:
        at -= 1
    if at >= 0 and code[at] == branch:
        code[at] = Instruction(op.NOP)


def _without_blocks(instructions: Sequence[Instruction]) -> list[Instruction]:
    """Drop blocks that nothing branches to."""
    targets = {i.first for i in instructions if i.op in _BRANCHES}
    code: list[Instruction] = []
    kept: list[bool] = []
    for instruction in instructions:
        if instruction.op in _OPENING:
            is_kept = instruction.op is not op.BLOCK or instruction.second in targets
            kept.append(is_kept)
            if not is_kept:
                continue
        elif instruction.op is op.END and not kept.pop():
            continue
        if instruction.op is not op.NOP:
            code.append(instruction)
    return code

"""Leave out tests for a fault after which the function returns anyway.

    call $f; global.get $fault; br_if $unwind; i32.const 1; i32.add; return
    ==>  call $f; i32.const 1; i32.add; return

The caller tests the global itself, and what a faulted function returns means nothing.
A test stays if something follows that may do harm with what a faulted call returned:
another call, a store, a load, a division, a branch back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from generator.compiler.link import FAULT_GLOBAL
from generator.wasm import opcodes as op
from generator.wasm.opcodes import Instruction

_OPENING: Final = frozenset({op.BLOCK, op.LOOP, op.IF})
_HARMLESS: Final = (op.NUMERIC - op.DIVISIONS) | {
    op.LOCAL_GET,
    op.LOCAL_SET,
    op.LOCAL_TEE,
    op.GLOBAL_GET,
    op.SELECT,
    op.DROP,
}


def without_tail_tests(instructions: Sequence[Instruction]) -> list[Instruction]:
    """Return a function's code, which ends in a `return`, without such tests."""
    kept: list[Instruction] = []
    after: list[tuple[int, bool]] = []  # of open blocks: label, what follows the end
    labels = _labels_of_ends(instructions)
    only_returns = False  # whether nothing but harmless code follows, then a return
    skipped = False
    for index in range(len(instructions) - 1, -1, -1):
        instruction = instructions[index]
        if skipped:  # the global.get of a test
            skipped = False
            continue
        if only_returns and _is_test(instructions, index):
            skipped = True
            continue
        kept.append(instruction)
        operation = instruction.op
        if operation is op.RETURN:
            only_returns = True
        elif operation is op.END:
            after.append((labels[index], only_returns))
        elif operation is op.ELSE:
            only_returns = after[-1][1]
        elif operation in _OPENING:
            after.pop()
            only_returns = only_returns and operation is op.BLOCK
        elif operation is op.BR:
            only_returns = dict(after).get(instruction.first, False)
        else:
            only_returns = only_returns and operation in _HARMLESS
    kept.reverse()
    return kept


def _is_test(instructions: Sequence[Instruction], index: int) -> bool:
    before = Instruction(op.GLOBAL_GET, FAULT_GLOBAL)
    return instructions[index].op is op.BR_IF and instructions[index - 1] == before


def _labels_of_ends(instructions: Sequence[Instruction]) -> dict[int, int]:
    """Return the label that a branch to behind each `end` names; loops have none."""
    labels: dict[int, int] = {}
    opened: list[int] = []
    for index, (operation, _, label) in enumerate(instructions):
        if operation in _OPENING:
            opened.append(0 if operation is op.LOOP else label)
        elif operation is op.END:
            labels[index] = opened.pop()
    return labels

"""Each optimisation: its effect is there, and a program means the same without it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import pytest

from generator.compiler import compile_file
from generator.compiler.parse import PACKAGE
from generator.compiler.passes import ALL_PASSES, Pass, Passes
from generator.compiler.tail import without_tail_tests
from generator.compiler.tidy import tidied
from generator.wasm import opcodes as op
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host
from generator.wasm.module import Function, Module
from generator.wasm.opcodes import EMPTY_BLOCK, Instruction, Op
from tests.compiler.guests import write
from tests.compiler.test_language import cases

PEP: Final = PACKAGE / "pep.py"
NAMES: Final = """
from filters.lang import (
    Buffer, View, Words, export, on_fault, record, u32,
)
"""

NOTHING: Final[Passes] = frozenset()


def compiled(folder: Path, source: str, passes: Passes = ALL_PASSES) -> Module:
    return compile_file(write(folder, NAMES + source), passes=passes)


def function(module: Module, name: str = "program.run") -> Function:
    return next(f for f in module.functions if f.name == name)


def operations(made: Function) -> list[Op]:
    return [instruction.op for instruction in made.body]


def with_and_without(
    folder: Path, source: str, left_out: Pass, name: str = "program.run"
) -> tuple[list[Op], list[Op]]:
    """Return what a function is made of, with all passes and without one."""
    less = compiled(folder, source, ALL_PASSES - {left_out})
    whole = compiled(folder, source)
    return operations(function(whole, name)), operations(function(less, name))


# --- every pass ----------------------------------------------------------------------


@cache
def size(passes: Passes) -> int:
    return len(compile_file(PEP, passes=passes).to_bytes())


FOR_TIME: Final = {Pass.INLINE_SMALL, Pass.INLINE_IN_LOOPS, Pass.PREPAID_LOOPS}
"""What takes some bytes, since it saves time."""


@pytest.mark.parametrize("optimisation", sorted(set(Pass) - FOR_TIME))
def test_without_a_pass_the_filter_is_larger(optimisation: Pass) -> None:
    assert size(ALL_PASSES - {optimisation}) > size(ALL_PASSES)


@cache
def guest(path: Path, passes: Passes) -> WasmGuest:
    return WasmGuest(compile_file(path, passes=passes).to_bytes(), Host())


@pytest.mark.parametrize(
    "passes",
    [NOTHING, *(ALL_PASSES - {optimisation} for optimisation in Pass)],
    ids=["none", *(f"without {optimisation}" for optimisation in Pass)],
)
def test_the_language_means_the_same(passes: Passes) -> None:
    for case in cases():
        path, export, arguments, wanted = case.values
        found = guest(path, passes).call(export, *arguments)
        assert (found if isinstance(found, tuple) else (found,)) == wanted, case.id


# --- inlining ------------------------------------------------------------------------

ONCE: Final = """
BUF = Buffer(64)

def wanted(at: u32) -> u32:
    if at > 40:
        return 7
    return BUF[at]

@export
def run(at: u32) -> u32:
    return wanted(at)
"""


def test_a_function_that_is_called_once_is_taken_in(tmp_path: Path) -> None:
    made, called = with_and_without(tmp_path, ONCE, Pass.INLINE_ONCE)
    assert op.CALL not in made
    assert op.CALL in called


def test_its_returns_are_those_of_its_caller(tmp_path: Path) -> None:
    """`return f(x)` needs no block around the body of f, only that of the fault."""
    assert operations(function(compiled(tmp_path, ONCE))).count(op.BLOCK) == 1


def test_a_function_that_is_exported_too_is_called(tmp_path: Path) -> None:
    source = ONCE.replace("def wanted", "@export\ndef wanted")
    assert op.CALL in operations(function(compiled(tmp_path, source)))


LOOP_OF_LEAVES: Final = """
WORDS = Words(64)

def field(place: u32, row: u32) -> u32:
    at = u32(place + row)
    if at > 63:
        return 0
    return WORDS[at]

@export
def run(place: u32) -> u32:
    found: u32 = 0
    for row in range(place):
        found = u32(found + field(place, row))
    return found

@export
def single(place: u32) -> u32:
    return field(place, 0)
"""


def test_a_leaf_is_taken_into_loops(tmp_path: Path) -> None:
    left_out = Pass.INLINE_IN_LOOPS
    made, called = with_and_without(tmp_path, LOOP_OF_LEAVES, left_out)
    assert op.CALL not in made
    assert op.CALL in called
    single, _ = with_and_without(tmp_path, LOOP_OF_LEAVES, left_out, "program.single")
    assert op.CALL in single  # there it would only take more bytes


def test_a_long_chain_of_calls_compiles(tmp_path: Path) -> None:
    """Bodies nest to a limit only: passes walk them by recursion."""
    source = "\ndef f0(a: u32) -> u32:\n    return a\n"
    for i in range(1, 300):
        source += f"""
def f{i}(a: u32) -> u32:
    if a == {i}:
        return 1
    b = f{i - 1}(a)
    return u32(b + 1)
"""
    source += "\n@export\ndef run(a: u32) -> u32:\n    return f299(a)\n"
    made = compiled(tmp_path, source)
    assert WasmGuest(made.to_bytes(), Host()).call("run", 100) == 1 + 199


# --- tests for faults before a return ------------------------------------------------

TAIL: Final = """
BUF = Buffer(64)

def read(at: u32) -> u32:
    return BUF[at]

def wanted(at: u32) -> u32:
    if at > 40:
        return 7
    assert at != 5
    return BUF[at]

def more(at: u32) -> u32:
    found = wanted(at)
    return u32(found + 1)

@export
def run(at: u32) -> u32:
    return u32(more(at) + more(41) + wanted(at) + read(0))

@on_fault
def fault(context_id: u32, number: u32) -> u32:
    return u32(1000 + number)
"""


def test_no_test_for_a_fault_before_a_return(tmp_path: Path) -> None:
    left_out = Pass.TAIL_CALLS
    made, tested = with_and_without(tmp_path, TAIL, left_out, "program.more")
    assert op.BR_IF not in made
    assert op.BR_IF in tested
    found = WasmGuest(compiled(tmp_path, TAIL).to_bytes(), Host())
    assert found.call("run", 41) == 8 + 8 + 7
    assert found.call("run", 5) == 1004  # the callers see the fault all the same


CALL_AND_TEST: Final = (
    Instruction(op.CALL, 3),
    Instruction(op.GLOBAL_GET, 0),
    Instruction(op.BR_IF, 9),
)
UNTESTED: Final = CALL_AND_TEST[:1]
ONE: Final = Instruction(op.I32_CONST, 1)
RETURN: Final = Instruction(op.RETURN)
BLOCK: Final = Instruction(op.BLOCK, EMPTY_BLOCK, 1)
LOOP: Final = Instruction(op.LOOP, EMPTY_BLOCK, 2)
IF: Final = Instruction(op.IF, EMPTY_BLOCK, 3)
ELSE: Final = Instruction(op.ELSE)
END: Final = Instruction(op.END)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        # what only computes may follow a call that faulted
        ((*CALL_AND_TEST, RETURN), (*UNTESTED, RETURN)),
        (
            (*CALL_AND_TEST, ONE, Instruction(op.I32_ADD), RETURN),
            (*UNTESTED, ONE, Instruction(op.I32_ADD), RETURN),
        ),
        # another call, a load, a division may not
        (
            (*CALL_AND_TEST, *CALL_AND_TEST, RETURN),
            (*CALL_AND_TEST, *UNTESTED, RETURN),
        ),
        ((*CALL_AND_TEST, Instruction(op.I32_LOAD), RETURN), None),
        ((*CALL_AND_TEST, Instruction(op.I32_DIV_U), RETURN), None),
        # out of blocks, by falling or by a branch
        (
            (ONE, IF, *CALL_AND_TEST, ELSE, *CALL_AND_TEST, END, RETURN),
            (ONE, IF, *UNTESTED, ELSE, *UNTESTED, END, RETURN),
        ),
        (
            (BLOCK, *CALL_AND_TEST, Instruction(op.BR, 1), END, RETURN),
            (BLOCK, *UNTESTED, Instruction(op.BR, 1), END, RETURN),
        ),
        # not into a loop, where more would run
        ((LOOP, *CALL_AND_TEST, Instruction(op.BR, 2), END, RETURN), None),
        ((*CALL_AND_TEST, LOOP, ONE, Instruction(op.BR_IF, 2), END, RETURN), None),
        ((*CALL_AND_TEST, IF, *CALL_AND_TEST, END, ONE, op.I32_LOAD, RETURN), None),
    ],
)
def test_tail_tests(
    body: tuple[Instruction, ...], wanted: tuple[Instruction, ...] | None
) -> None:
    made = [Instruction(i) if isinstance(i, Op) else i for i in body]
    assert without_tail_tests(made) == list(wanted or made)


# --- exports -------------------------------------------------------------------------

EXPORTED: Final = """
BUF = Buffer(64)

@export
def run(at: u32, is_last: bool) -> u32:
    return 63 if is_last else BUF[at]

@export
def next(at: u32) -> u32:
    at = u32(at + 1)
    return BUF[at]

@on_fault
def fault(context_id: u32, number: u32) -> u32:
    return u32(context_id * 10 + number)
"""


def test_what_only_the_host_calls_is_the_export_itself(tmp_path: Path) -> None:
    names = {
        passes: [f.name for f in compiled(tmp_path, EXPORTED, passes).functions]
        for passes in (ALL_PASSES, ALL_PASSES - {Pass.DIRECT_EXPORTS})
    }
    assert names[ALL_PASSES].count("run") == 0
    assert names[ALL_PASSES - {Pass.DIRECT_EXPORTS}].count("run") == 1


def test_the_export_answers_faults(tmp_path: Path) -> None:
    made = compiled(tmp_path, EXPORTED)
    found = WasmGuest(made.to_bytes(), Host())
    assert found.call("run", 100, 2) == 63  # any number but 0 is true
    for _ in range(2):  # a fault leaves nothing behind
        assert found.call("run", 100, 0) == 1002
        assert found.call("run", 7, 0) == 0


def test_a_context_id_that_is_assigned_is_kept_by_a_wrapper(tmp_path: Path) -> None:
    made = compiled(tmp_path, EXPORTED)
    assert "next" in [f.name for f in made.functions]
    assert WasmGuest(made.to_bytes(), Host()).call("next", 100) == 1002


# --- memory and checks ---------------------------------------------------------------


def test_small_objects_come_first(tmp_path: Path) -> None:
    """Their addresses are short, wherever the large ones are used."""
    source = """
A = Buffer({})
B = Buffer({})

@export
def run(at: u32) -> u32:
    A[at & 3] = 1
    return B[at & 3]
"""
    offsets = {
        passes: {
            instruction.second
            for sizes in ((16, 100_000), (100_000, 16))
            for instruction in function(
                compiled(tmp_path, source.format(*sizes), passes)
            ).body
            if instruction.op.immediates == "memory"
        }
        for passes in (ALL_PASSES, ALL_PASSES - {Pass.NEAR_OBJECTS})
    }
    assert max(offsets[ALL_PASSES]) < 100
    assert max(offsets[ALL_PASSES - {Pass.NEAR_OBJECTS}]) > 100_000


def test_bytes_within_others_are_stored_once(tmp_path: Path) -> None:
    source = """
@export
def run(at: u32) -> u32:
    whole = b"spiffe://cluster"
    part = b"cluster"
    return whole[at] if at < 16 else part[u32(at - 16)]
"""
    stored = {
        passes: compiled(tmp_path, source, passes).data[0].contents.count(b"cluster")
        for passes in (ALL_PASSES, ALL_PASSES - {Pass.SHARED_LITERALS})
    }
    assert stored[ALL_PASSES] == 1
    assert stored[ALL_PASSES - {Pass.SHARED_LITERALS}] == 2
    found = WasmGuest(compiled(tmp_path, source).to_bytes(), Host())
    assert found.call("run", 9) == found.call("run", 16) == ord("c")


def test_an_interval_makes_a_check_needless(tmp_path: Path) -> None:
    source = """
BUF = Buffer(64)

@export
def run(at: u32) -> u32:
    return BUF[at & 63]
"""
    made, checked = with_and_without(tmp_path, source, Pass.INTERVAL_BOUNDS)
    assert op.BR_IF not in made
    assert op.BR_IF in checked


def test_a_condition_makes_a_check_needless(tmp_path: Path) -> None:
    source = """
BUF = Buffer(64)

def last(view: View) -> u32:
    found: u32 = 0
    for i in range(len(view)):
        found = view[i]
    return found

@export
def run(at: u32) -> u32:
    return last(BUF[at:])
"""
    made, checked = with_and_without(tmp_path, source, Pass.FACT_BOUNDS)
    assert checked.count(op.BR_IF) == made.count(op.BR_IF) + 1


def test_a_loop_of_known_length_pays_once(tmp_path: Path) -> None:
    source = """
BUF = Buffer(64)

@export
def run() -> None:
    for i in range(64):
        BUF[i] = 1
"""
    made, one_by_one = with_and_without(tmp_path, source, Pass.PREPAID_LOOPS)
    paid = [
        code[code.index(op.LOOP) :].count(op.GLOBAL_SET) for code in (made, one_by_one)
    ]
    assert paid[1] == paid[0] + 1


def test_a_slice_of_known_bounds_is_not_computed(tmp_path: Path) -> None:
    source = """
BUF = Buffer(64)

@export
def run(at: u32) -> u32:
    part = BUF[8:16]
    return part[at]
"""
    made, called = with_and_without(tmp_path, source, Pass.KNOWN_SLICES)
    assert op.CALL not in made
    assert op.CALL in called


def test_a_constant_in_an_index_costs_nothing(tmp_path: Path) -> None:
    source = """
WORDS = Words(64)

@export
def run(value: u32) -> u32:
    for i in range(16, 48):
        WORDS[i + 15] = u32(value ^ i)
    return WORDS[32]
"""
    made, computed = with_and_without(tmp_path, source, Pass.INDEX_OFFSETS)
    assert computed.count(op.I32_ADD) == made.count(op.I32_ADD) + 1
    assert WasmGuest(compiled(tmp_path, source).to_bytes(), Host()).call("run", 1) == 16


def test_a_value_that_does_no_harm_is_stored_directly(tmp_path: Path) -> None:
    source = """
WORDS = Words(4)

@export
def run(value: u32) -> None:
    WORDS[0] = u32(value + 1)
"""
    made, held = with_and_without(tmp_path, source, Pass.DIRECT_STORES)
    assert op.LOCAL_SET not in made
    assert op.LOCAL_SET in held


# --- instructions --------------------------------------------------------------------


def test_a_small_condition_is_evaluated_always(tmp_path: Path) -> None:
    source = """
@record
class Item:
    a: u32 = 0
    b: u32 = 0

ITEM = Item()

@export
def run() -> bool:
    return ITEM.a == 1 and ITEM.b == 2
"""
    made, jumping = with_and_without(tmp_path, source, Pass.EAGER_LOGIC)
    assert op.IF not in made
    assert op.IF in jumping


def test_a_local_that_was_just_set_stays_on_the_stack(tmp_path: Path) -> None:
    source = """
@export
def run(a: u32) -> u32:
    b = u32(a * 3)
    return u32(b + b)
"""
    made, fetched = with_and_without(tmp_path, source, Pass.TEES)
    assert op.LOCAL_TEE in made
    assert op.LOCAL_TEE not in fetched


EQZ: Final = Instruction(op.I32_EQZ)
TEST: Final = Instruction(op.BR_IF, 1)
GET: Final = Instruction(op.LOCAL_GET, 0)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        # a condition is any number but 0
        (
            (
                BLOCK,
                GET,
                Instruction(op.I32_CONST, 0),
                Instruction(op.I32_NE),
                TEST,
                END,
            ),
            (BLOCK, GET, TEST, END),
        ),
        ((BLOCK, GET, EQZ, EQZ, TEST, END), (BLOCK, GET, TEST, END)),
        ((GET, EQZ, EQZ), (GET, EQZ, EQZ)),  # as a value it is 0 or 1
        (
            (GET, GET, Instruction(op.I32_LT_U), EQZ),
            (GET, GET, Instruction(op.I32_GE_U)),
        ),
        # control goes there anyway
        (
            (BLOCK, GET, TEST, GET, Instruction(op.BR, 1), END),
            (BLOCK, GET, TEST, GET, END),
        ),
        (
            (BLOCK, GET, TEST, GET, IF, GET, Instruction(op.BR, 1), END, END),
            (BLOCK, GET, TEST, GET, IF, GET, END, END),
        ),
        (
            (LOOP, GET, Instruction(op.BR, 2), END),
            (LOOP, GET, Instruction(op.BR, 2), END),
        ),
        ((GET, IF, GET, RETURN, END), (GET, IF, GET, END)),
        ((GET, RETURN), (GET,)),
        # nothing gets there
        (
            (GET, IF, RETURN, GET, BLOCK, END, ELSE, GET, END, GET),
            (GET, IF, RETURN, ELSE, GET, END, GET),
        ),
        # a block that nothing leaves early
        ((BLOCK, GET, END), (GET,)),
    ],
)
def test_tidied(body: tuple[Instruction, ...], wanted: tuple[Instruction, ...]) -> None:
    assert tidied(body, has_results=False) == list(wanted)


def test_tidied_keeps_a_return_of_values_within_a_block() -> None:
    body = [GET, IF, GET, RETURN, END, GET, RETURN]
    assert tidied(body, has_results=True) == body[:-1]

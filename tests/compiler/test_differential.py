"""Random programs: CPython and Wasm compute the same, and fault the same.

A program is one function over typed parameters, made of statements over locals of all
integer types. Every value is converted where it is stored, so that all of it is in
the language; intermediate values are exact and of any size the compiler takes. A
program that is refused must be refused for a value over 64 bits, or for a fault that
is certain, and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

import pytest
from hypothesis import assume, given, note
from hypothesis import strategies as st

from generator.errors import CompileError
from tests.compiler.guests import BACKENDS, start, write

TYPES: Final = ("u8", "u16", "u32", "u64", "i32", "i64")
PARAMETERS: Final = (("a", "u32"), ("b", "u64"), ("c", "i32"), ("d", "i64"))
LOCALS: Final = (*PARAMETERS, ("x", "u32"), ("y", "u64"), ("z", "i64"), ("w", "u8"))
EDGES: Final = (0, 1, 2, 7, 31, 32, 63, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1)

PRELUDE: Final = """
from filters.lang import (
    Buffer, Pool, View, Words, export, i32, i64, inline, load_u32, load_u64, on_fault,
    record, rotr32, u8, u16, u32, u64,
)

BUF = Buffer(16)
WORDS = Words(8)
counter: u32 = 5


@record
class Item:
    a: u32 = 3
    b: u8 = 0
    c: i64 = -1


ITEMS = Pool(Item, 3)
ITEM = Item()


@on_fault
def fault(context_id: u32, number: u32) -> u32:
    return u32(0xFFFF0000 + number)


def half(n: u64) -> u64:
    return n // 2


@inline
def limited(n: u32, most: u32) -> u32:
    if n > most:
        return most
    return n


@inline
def first_at(text: View, wanted: u32) -> tuple[u32, View]:
    for i in range(len(text)):
        if text[i] == wanted:
            return i, text[i:]
    return len(text), b"none"


def byte_at(text: View, at: u32) -> u32:
    return text[at] if at < len(text) else 255


@inline
def total(text: View) -> u32:
    at: u32 = 0
    sum: u32 = 0
    while at < len(text):
        sum = u32(sum + text[at])
        at = u32(at + 1)
    return sum


def checked(text: View, at: u32) -> u32:
    assert at != 9
    if at > 3:
        for i in range(at):
            if text[i] == 7:
                return i
        return u32(text[at] + 1)
    return text[at]


def bump(n: u32) -> u32:
    global counter
    counter = u32(counter + n)
    return counter

"""

EXPECTED_REFUSALS: Final = {"GST0024", "GST0032", "GST0035"}

NAMES: Final = tuple(name for name, _ in LOCALS)

EXPRESSIONS: Final = (
    *(f"({{x}} {sign} {{y}})" for sign in "+-*&|^"),
    *(f"{name}({{x}})" for name in TYPES),
    "(u64({x}) // u32({y}))",
    "(u32({x}) % u64({y}))",
    "(u32({x}) << ({y} & 31))",
    "(i64({x}) >> ({y} & 63))",
    "(u64({x}) >> ({y} & 31))",
    "min(i64({x}), u32({y}))",
    "max(i32({x}), u8({y}))",
    "rotr32(u32({x}), u32({y}))",
    "({x} if {c} else u8({y}))",
    "({x} >> 5)",
    "(~{x})",
    "(-{x})",
    "half(u64({x}))",
    "limited(u32({x}), u32({y}))",
    "bump(u32({x}))",
    "WORDS[u32({x}) & 7]",
    "BUF[u8({x}) & 31]",
    "load_u32(BUF[2:12], u32({x}) & 15)",
    "load_u64(BUF[0:16], u32({x}) & 8)",
    "load_u32(BUF[u32({x}) & 15 : 16], u32({y}) & 7)",
    "len(BUF[u32({x}) & 15 : u32({y})])",
    "len(v)",
    "v[u32({x}) & 7]",
    "byte_at(v, u32({x}) & 15)",
    "byte_at(BUF[u32({x}) & 7 :], u32({y}))",
    "total(v[u32({x}) & 3 :])",
    "checked(v, u32({x}) & 15)",
    "ITEM.a",
    "ITEMS[u32({x}) % 4].b",
    "(ITEMS[u32({x}) & 1] if {c} else ITEM).c",
)
"""x and y are expressions, c is a condition."""

CONDITIONS: Final = (
    *(f"i64({{x}}) {sign} i64({{y}})" for sign in ("<", "<=", "==", "!=", ">", ">=")),
    "{x} > {c_int}",
    "{x} <= {y}",
    "not ({c})",
    "({c}) and ({c})",
    "({c}) or ({c})",
    "BUF[0:u32({x})] == BUF[u32({y}) & 3 : 9]",
    "v == BUF[u32({x}) & 15 :]",
    "(x >= len(v) or v[x] > {c_int})",
    "(x < len(v) and v[x] != u8({y}))",
)

STATEMENTS: Final = (
    "WORDS[u32({x}) % 9] = u32({y})",
    "BUF[u32({x}) & 15] = u8({y})",
    "BUF.put_u32(u32({x}) % 14, u32({y}))",
    "BUF.put(u32({x}) & 7, BUF[3 : u32({y}) & 15])",
    "assert {c}",
    "ITEM.a = u32({x})",
    "ITEMS[u32({x}) % 4].b = u8({y})",
    "ITEM.c = i64({x})",
    "v = BUF[u32({x}) & 15 : u32({y})]",
    "v = v[u32({x}) & 3 :]",
    "x, v = first_at(v, u32({x}) & 255)",
    "_, v = first_at(BUF[u32({x}) & 15 :], u8({y}))",
)


class Writer:
    """Writes random pieces of a program, no deeper than asked."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.counters: list[str] = []

    def expression(self, depth: int) -> str:
        if depth == 0 or self.random.random() < 0.2:
            edge = str(self.random.choice(EDGES))
            names = (*NAMES, *NAMES, *self.counters)
            return self.random.choice((*names, "counter", edge, edge))
        return self.fill(self.random.choice(EXPRESSIONS), depth - 1)

    def condition(self, depth: int) -> str:
        first = CONDITIONS[:8] if depth == 0 else CONDITIONS
        return self.fill(self.random.choice(first), max(depth - 1, 0))

    def fill(self, form: str, depth: int) -> str:
        """Put pieces in the place of {x}, {y} and {c}, each time another one."""
        while "{" in form:
            form = form.replace("{x}", self.expression(depth), 1)
            form = form.replace("{y}", self.expression(depth), 1)
            form = form.replace("{c_int}", str(self.random.choice(EDGES)), 1)
            if "{c}" in form:
                form = form.replace("{c}", self.condition(depth), 1)
        return form

    def block(self, depth: int) -> list[str]:
        lines = []
        for _ in range(self.random.randint(1, 3)):
            lines += ["    " + line for line in self.statement(depth)]
        return lines

    def loop(self, depth: int) -> list[str]:
        """A loop over numbers, or over the bytes of a view that the body may change."""
        name = f"i{len(self.counters)}"
        over_view = self.random.random() < 0.5
        stop = "len(v)" if over_view else f"u32({self.expression(1)}) & 7"
        start = self.random.choice(("0", "x & 3"))
        self.counters.append(name)
        body = self.block(depth - 1)
        if over_view:
            body.insert(0, f"    y = u64(y * 5 + v[{name}])")
        if self.random.random() < 0.4:
            leave = self.random.choice(("break", "continue"))
            body += [f"    if {self.condition(1)}:", f"        {leave}"]
            body.append("    x = u32(x + 1)")
        self.counters.pop()
        return [f"for {name} in range({start}, {stop}):", *body]

    def statement(self, depth: int) -> list[str]:
        kind = self.random.randint(0, 9 if depth else 6)
        if kind < 4:
            name, type_ = self.random.choice(LOCALS)
            return [f"{name} = {type_}({self.expression(3)})"]
        if kind < 7:
            return [self.fill(self.random.choice(STATEMENTS), 2)]
        if kind == 7:
            head = f"if {self.condition(2)}:"
            return [head, *self.block(depth - 1), "else:", *self.block(depth - 1)]
        if kind == 8:
            return self.loop(depth)
        return [f"if {self.condition(2)}:", f"    return u64({self.expression(2)})"]


def _program(random: Random) -> str:
    writer = Writer(random)
    body = [line for _ in range(random.randint(1, 5)) for line in writer.statement(2)]
    parameters = ", ".join(f"{name}: {type_}" for name, type_ in PARAMETERS)
    lines = [
        "@export",
        f"def run({parameters}) -> u64:",
        "    x: u32 = 1",
        "    y: u64 = 2",
        "    z: i64 = -3",
        "    w: u8 = 4",
        "    v: View = BUF[2:12]",
        *("    " + line for line in body),
        "    sum = u64(a + b * 3 + c * 5 + d * 7 + x * 11 + y * 13 + z * 17 + w)",
        "    for i in range(8):",
        "        sum = u64(sum * 31 + WORDS[i])",
        "    sum = u64(sum * 31 + total(v) + ITEM.a + ITEM.c + ITEMS[1].b)",
        "    return u64(sum * 31 + load_u64(BUF[0:16], 0) + load_u64(BUF[0:16], 8))",
    ]
    return PRELUDE + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("differential")


ARGUMENTS: Final = st.tuples(
    *(st.sampled_from(EDGES) | st.integers(0, 2**32 - 1) for _ in PARAMETERS)
)


@given(st.randoms(use_true_random=False), st.lists(ARGUMENTS, min_size=1, max_size=4))
def test_same_results(
    folder: Path, random: Random, calls: list[tuple[int, ...]]
) -> None:
    source = _program(random)
    note(source)
    path = write(folder, source)
    try:
        guests = [start(path, backend) for backend in BACKENDS]
    except CompileError as error:
        assert {d.code for d in error.diagnostics} <= EXPECTED_REFUSALS
        assume(False)
    for arguments in calls:
        results = [guest.call("run", *arguments) for guest in guests]
        assert results[0] == results[1], (arguments, results)

"""What is refused: the code, the message, the text pointed at, and a hint.

The cases are in data/refused.txt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from generator.codes import CODES
from generator.compiler import compile_file
from generator.errors import CompileError, Diagnostic, render
from generator.source import SourceFile
from tests.compiler.guests import HEAD, write

PRELUDE: Final = """
from enum import IntEnum
from typing import Final

from filters.lang import (
    Buffer, Pool, View, Words, embedded, export, hostcall, i32, i64, load_u32,
    on_fault, record, u8, u32, u64,
)

BUF = Buffer(16)
WORDS = Words(4)
changing: u32 = 0
NUMBERS: Final[tuple[u8, ...]] = (1, 2)


class Color(IntEnum):
    RED = 1
    GREEN = 2


@record
class Item:
    word: u32 = 0


ITEMS = Pool(Item, 2)


@export
def root() -> None:
    pass


"""


def _cases() -> Iterator[Any]:
    text = (Path(__file__).parent / "data" / "refused.txt").read_text()
    text = re.sub(r"^# .*\n", "", text, flags=re.MULTILINE)
    for block in re.split(r"^(?=\[GST)", text, flags=re.MULTILINE):
        match = re.match(r"\[(GST\d+)\] (.+)\n(?:hint: (.+)\n)?", block)
        if match:
            source = block[match.end() :].rstrip() + "\n"
            identity = f"{match[1]} {match[2]}"
            yield pytest.param(match[1], match[2], match[3] or "", source, id=identity)


def refusals(folder: Path, source: str) -> tuple[SourceFile, tuple[Diagnostic, ...]]:
    """Compile a program that must be refused; return its text and why."""
    path = write(folder, source)
    with pytest.raises(CompileError) as caught:
        compile_file(path)
    return SourceFile(str(path), path.read_text()), caught.value.diagnostics


def pointed_at(source: SourceFile, diagnostic: Diagnostic) -> str:
    """Return the text that a diagnostic marks."""
    span = diagnostic.span
    assert span is not None
    if span.start.line == span.end.line:
        return source.line(span.start.line)[span.start.column : span.end.column]
    lines = source.lines[span.start.line : span.end.line + 1]
    lines[-1] = lines[-1][: span.end.column]
    lines[0] = lines[0][span.start.column :]
    return "\n".join(lines)


@pytest.mark.parametrize(("code", "message", "hint", "program"), list(_cases()))
def test_refused(
    tmp_path: Path, code: str, message: str, hint: str, program: str
) -> None:
    marked = re.search(r"«(.*)»", program, re.DOTALL)
    source, found = refusals(tmp_path, PRELUDE + re.sub("[«»]", "", program))
    assert [(d.code, d.message) for d in found] == [(code, found[0].message)]
    assert message in found[0].message
    given_hint = found[0].hint or CODES[code].hint
    assert hint in given_hint
    if marked:
        assert pointed_at(source, found[0]) == marked[1]


def test_every_refusal_says_what_to_write() -> None:
    """A code without a hint of its own gives one with each error."""
    silent = {code for code, entry in CODES.items() if not entry.hint}
    assert {code for code in silent if code.startswith("GST")} <= NEEDS_NO_HINT


NEEDS_NO_HINT: Final = {
    "GST0014",  # the attribute's name says it, or did-you-mean does
    "GST0015",
    "GST0018",
    "GST0020",  # lists the known ones
    "GST0021",  # shows the signature
    "GST0022",  # names both types
    "GST0023",  # shows the conversion
    "GST0025",  # says what to compare
    "GST0026",
    "GST0027",  # shows the annotation
    "GST0035",
    "GST0037",
    "GST0040",  # shows the signature
    "GST0044",
}


def test_errors_are_reported_together(tmp_path: Path) -> None:
    source = """
from filters.lang import export, u32

@export
def one(a: u32) -> u32:
    b = wrong
    c = u32(b + 1)
    if a:
        d = also_wrong
    return u32(c + d)

@export
def two() -> u32:
    return 2 ** 3
"""
    _, found = refusals(tmp_path, source)
    assert [d.message for d in found] == [
        '"wrong" is not defined',
        "a condition must be bool, not u32",
        "this operator is not guest Python",
    ]


def test_caret_counts_characters_not_bytes(tmp_path: Path) -> None:
    source = """
from filters.lang import export, u32

@export
def one() -> u32:
    assert b"" == b"", "äöü €"; return wrong
"""
    text, found = refusals(tmp_path, source)
    assert pointed_at(text, found[0]) == "wrong"
    excerpt = render(found[0], {text.name: text}).splitlines()
    assert excerpt[2].index("^") == excerpt[1].index("wrong")


def test_error_in_imported_module(tmp_path: Path) -> None:
    write(tmp_path, "\n\ndef helper() -> u32:\n    return 1\n", "helper")
    path = write(tmp_path, "from helper import helper\n")
    with pytest.raises(CompileError) as caught:
        compile_file(path)
    (found,) = caught.value.diagnostics
    assert found.span is not None and found.span.file == str(tmp_path / "helper.py")
    assert found.code == "GST0016"


def test_modules_that_import_each_other(tmp_path: Path) -> None:
    write(tmp_path, "from second import b\n", "first")
    write(tmp_path, "from first import a\n", "second")
    with pytest.raises(CompileError, match=r"GST0005: .*first -> second -> first"):
        compile_file(tmp_path / "first.py")


def test_module_without_exports(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="GST0045"):
        compile_file(write(tmp_path, "from filters.lang import u32\n"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="GST0001: cannot read"):
        compile_file(tmp_path / "absent.py")
    (tmp_path / "latin.py").write_bytes(b"# \xe4\n")
    with pytest.raises(CompileError, match="GST0001: cannot read"):
        compile_file(tmp_path / "latin.py")
    (tmp_path / "zero.py").write_bytes(b"\0")
    with pytest.raises(CompileError, match="GST0001"):
        compile_file(tmp_path / "zero.py")


@pytest.mark.parametrize("depth", [150, 100_000])
def test_deep_nesting_is_refused_not_crashed_on(tmp_path: Path, depth: int) -> None:
    nested = "u32(" * depth + "1" + " + 1)" * depth
    source = "from filters.lang import export, u32\n\n@export\n"
    source += f"def f() -> u32:\n    return {nested}\n"
    with pytest.raises(CompileError, match=r"GST0001|GST0047"):
        compile_file(write(tmp_path, source))


@pytest.mark.parametrize("levels", [400, 2000])
def test_deep_nesting_after_inlining(tmp_path: Path, levels: int) -> None:
    source = "from filters.lang import export, inline, u32\n\n"
    source += "def f0(a: u32) -> u32:\n    return u32(a + 1)\n"
    for i in range(1, levels):
        source += (
            f"\n@inline\ndef f{i}(a: u32) -> u32:\n    return u32(f{i - 1}(a) ^ a)\n"
        )
    source += f"\n@export\ndef run(a: u32) -> u32:\n    return f{levels - 1}(a)\n"
    with pytest.raises(CompileError, match="GST0047"):
        compile_file(write(tmp_path, source))


def test_exported_twice(tmp_path: Path) -> None:
    export = (
        "from filters.lang import export\n\n@export\ndef run() -> None:\n    pass\n"
    )
    write(tmp_path, export, "other")
    source = export.replace("\n\n", "\nfrom other import run as theirs\n\n", 1)
    with pytest.raises(CompileError, match='GST0042: "run" is exported by'):
        compile_file(write(tmp_path, source))


def test_too_much_memory(tmp_path: Path) -> None:
    source = PRELUDE + "\nHUGE = Buffer(2**29 * 2 - 1)\n"
    source += "\n@export\ndef use(i: u32) -> u32:\n    return HUGE[i]\n"
    with pytest.raises(CompileError, match="GST0046"):
        compile_file(write(tmp_path, source.replace("2**29 * 2", "0x40000000")))


def test_unknown_override(tmp_path: Path) -> None:
    path = write(tmp_path, PRELUDE)
    with pytest.raises(CompileError, match=r'GST0015: .*"program\.ROWS"'):
        compile_file(path, constants={"program.ROWS": 1})


def test_the_program_starts_with_one_line() -> None:
    assert HEAD.count("\n") == 1

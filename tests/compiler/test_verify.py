"""The IR verifier: it takes what the passes make, and finds what is made wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from generator.compiler import fold
from generator.compiler.interval import NOTHING, Interval
from generator.compiler.ir import Binary, Const, Expr, Local, ReadLocal
from generator.compiler.ir_statements import (
    Assign,
    Break,
    Evaluate,
    FunctionIR,
    Return,
    Stmt,
    Unpack,
)
from generator.compiler.pipeline import check_file, optimise
from generator.compiler.types import BOOL, HUGE, U8, U32_TYPE, U64_TYPE
from generator.compiler.verify import verify
from generator.errors import InternalError
from tests.compiler.guests import LANGUAGE, write
from tests.compiler.test_modules import ALL_FILTERS

SMALL: Final = Local("small", U8, U8.range)
WORD: Final = Local("word", U32_TYPE, U32_TYPE.range)
FLAG: Final = Local("flag", BOOL, NOTHING)
OTHER: Final = Local("other", U32_TYPE, U32_TYPE.range)
READ: Final = ReadLocal(WORD, U32_TYPE, U32_TYPE.range)


@pytest.mark.parametrize(
    "path", [*ALL_FILTERS, *sorted(LANGUAGE.glob("*.py"))], ids=lambda p: p.stem
)
def test_takes_what_the_passes_make(path: Path) -> None:
    functions, exports = check_file(path)
    verify(functions)
    verify(optimise(functions, exports))


def _times(expr: Expr, count: int) -> Expr:
    for _ in range(count):
        expr = fold.binary("*", expr, READ)
    return expr


WRONG: Final[dict[str, Stmt]] = {
    "assignment too large": Assign(SMALL, READ),
    "assignment of another type": Assign(FLAG, READ),
    "has no value": Assign(WORD, ReadLocal(OTHER, U32_TYPE, U32_TYPE.range)),
    "interval of a local": Assign(WORD, ReadLocal(WORD, U32_TYPE, Interval(0, 5))),
    "interval of a constant": Assign(WORD, Const(7, U32_TYPE, Interval(0, 5))),
    "interval of an operation": Assign(
        WORD, Binary("+", READ, READ, U64_TYPE, U32_TYPE.range)
    ),
    "exceeds 64 bits": Evaluate(_times(READ, 2)),
    "number of results": Return((READ, READ)),
    "result too large": Return((fold.binary("+", READ, READ),)),
    "not in a loop": Break(),
    "unpacked": Unpack((WORD,), READ),
}


@pytest.mark.parametrize("problem", WRONG)
def test_finds_what_is_wrong(problem: str, tmp_path: Path) -> None:
    good = _function(tmp_path)
    verify([good])
    bad = FunctionIR(good.symbol, (SMALL, WORD, FLAG), U32_TYPE, (WRONG[problem],))
    with pytest.raises(InternalError, match=problem):
        verify([bad])


def _function(folder: Path) -> FunctionIR:
    source = "from filters.lang import export, u32\n\n@export\ndef run() -> u32:\n"
    functions, _ = check_file(write(folder, source + "    return 1\n"))
    return functions[0]


def test_huge_values_live_only_inside_conversions() -> None:
    product = _times(READ, 2)
    assert product.type == HUGE
    assert fold.convert(U32_TYPE, product).type == U32_TYPE

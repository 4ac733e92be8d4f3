"""Small programs, their IR after the checker and the inliner, and their Wasm.

Each file in golden/ is a source, then what the passes made of it. Set
PEPMESH_UPDATE_GOLDEN=1 to rewrite them, and read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from generator.compiler.dump import dump_function
from generator.compiler.pipeline import check_file, optimise
from generator.wasm.module import Module
from generator.wasm.text import function_text
from tests.compiler.guests import build, write

FOLDER: Final = Path(__file__).parent / "golden"
UPDATE: Final = os.environ.get("PEPMESH_UPDATE_GOLDEN") == "1"

PRELUDE: Final = """
from typing import Final

from filters.lang import (
    Buffer, Pool, View, Words, export, i32, i64, inline, load_u32, on_fault, record,
    u8, u32, u64,
)

"""
MARKS: Final = ("# --- checked", "# --- inlined", "# --- wasm")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda p: p.stem)
def test_golden(path: Path, tmp_path: Path) -> None:
    stored = path.read_text()
    source = stored.split(MARKS[0])[0].rstrip() + "\n"
    made = _stages(write(tmp_path, PRELUDE + source))
    text = source + "".join(
        f"\n{mark}\n\n{stage}" for mark, stage in zip(MARKS, made, strict=True)
    )
    if UPDATE:
        path.write_text(text)
    assert text == stored


def _stages(program: Path) -> tuple[str, str, str]:
    functions, exports = check_file(program)
    own = [f for f in functions if f.symbol.module == program.stem]
    inlined = optimise(functions, exports)
    return (
        "\n".join(dump_function(f) for f in own),
        "\n".join(dump_function(f) for f in inlined),
        _code(build(program), program.stem),
    )


def _code(module: Module, name: str) -> str:
    """Return the guest's own functions; in border.txt all but the runtime's."""
    functions = [f for f in module.functions if f.name.startswith(f"{name}.")]
    if any(i.name.startswith("proxy_") for i in module.imports):
        functions = [f for f in module.functions if f.name != "malloc"]
    return "\n\n".join(function_text(module, f) for f in functions) + "\n"

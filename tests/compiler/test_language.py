"""The language, case by case: CPython and Wasm give the answer that is written down.

The cases are the docstrings of the exported functions in language/: a line is a call,
`(arguments) -> results`, or `(arguments) -> fault N`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from generator.wasm.guest import WasmGuest
from generator.wasm.python_guest import PythonGuest
from tests.compiler.guests import BACKENDS, LANGUAGE, start

FILES: Final = sorted(LANGUAGE.glob("*.py"))
FAULT_ANSWER: Final = 1000


def cases() -> Iterator[Any]:
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and _is_exported(node):
                yield from _calls(path, node)


def _is_exported(function: ast.FunctionDef) -> bool:
    marks = [d.id for d in function.decorator_list if isinstance(d, ast.Name)]
    return "export" in marks


def _calls(path: Path, function: ast.FunctionDef) -> Iterator[Any]:
    lines = (ast.get_docstring(function) or "").splitlines()
    assert lines, f"{function.name} has no cases"
    for line in lines:
        match = re.fullmatch(r"\((.*)\) -> (fault )?(.+)", line.strip())
        assert match, f"{function.name}: {line}"
        arguments = _numbers(match[1])
        wanted = _numbers(match[3])
        if match[2]:
            wanted = (FAULT_ANSWER + wanted[0],)
        yield pytest.param(
            path, function.name, arguments, wanted, id=f"{function.name}{line.strip()}"
        )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part.strip())


@cache
def guest(path: Path, backend: str) -> WasmGuest | PythonGuest:
    return start(path, backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("path", "export", "arguments", "wanted"), list(cases()))
def test_case(
    path: Path,
    export: str,
    arguments: tuple[int, ...],
    wanted: tuple[int, ...],
    backend: str,
) -> None:
    result = guest(path, backend).call(export, *arguments)
    assert (result if isinstance(result, tuple) else (result,)) == wanted

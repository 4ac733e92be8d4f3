"""Guest programs of the compiler's tests: compile, validate, run on both back ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import wasmtime

from generator.compiler import compile_file
from generator.compiler.pipeline import check_file, optimise
from generator.compiler.verify import verify
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host
from generator.wasm.module import Module
from generator.wasm.python_guest import PythonGuest

BACKENDS: Final = ("cpython", "wasm")
LANGUAGE: Final = Path(__file__).parent / "language"
HEAD: Final = "from __future__ import annotations\n"


def write(folder: Path, source: str, name: str = "program") -> Path:
    """Write a guest module; every one begins with the same import."""
    path = folder / f"{name}.py"
    path.write_text(HEAD + source)
    return path


def build(path: Path, **options: Any) -> Module:
    """Compile a program; check its IR after each pass, and its bytes."""
    constants: Mapping[str, int] = options.get("constants", {})
    functions, exports = check_file(path, constants=constants)
    verify(functions)
    verify(optimise(functions, exports))
    module = compile_file(path, **options)
    wasmtime.Module.validate(wasmtime.Engine(), module.to_bytes())
    return module


def start(path: Path, backend: str, **options: Any) -> WasmGuest | PythonGuest:
    """Start a program on one back end."""
    if backend == "cpython":
        return PythonGuest(path, Host(), options.get("embedded", {}))
    return WasmGuest(build(path, **options).to_bytes(), Host())

"""One filter on both back ends."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from generator.compiler import compile_file
from generator.wasm.guest import Guest, WasmGuest
from generator.wasm.host import Host
from generator.wasm.python_guest import PythonGuest

BACKENDS: Final = ("cpython", "wasm")
NOTHING: Final[Mapping[str, bytes]] = MappingProxyType({})


@cache
def compiled(path: Path) -> bytes:
    return bytes(compile_file(path).to_bytes())


def load(
    path: Path, backend: str, host: Host, embedded: Mapping[str, bytes] = NOTHING
) -> Guest:
    """Start a filter; only without `embedded` is the compiled module kept."""
    if backend == "cpython":
        return PythonGuest(path, host, embedded)
    if not embedded:
        return WasmGuest(compiled(path), host)
    return WasmGuest(bytes(compile_file(path, embedded=embedded).to_bytes()), host)

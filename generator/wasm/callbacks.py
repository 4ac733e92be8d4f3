"""The functions that Envoy looks for in a module, with their Wasm signatures.

Source: envoy-wasm, sections 1 and 2.1. An export of one of these names with another
signature makes Envoy refuse the module. All numbers are i32, so a signature is the
number of parameters and of results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from generator.compiler import callbacks

ALLOCATORS: Final = (callbacks.MALLOC, "proxy_on_memory_allocate")
"""Looked up in this order."""

STARTERS: Final = ("_initialize", "_start")
"""The first that is there runs when the module is loaded."""

CALLBACKS: Final[Mapping[str, tuple[int, int]]] = {
    callbacks.MARKER: (0, 0),
    **dict.fromkeys(ALLOCATORS, (1, 1)),
    **dict.fromkeys(STARTERS, (0, 0)),
    "main": (2, 1),
    "__main_void": (0, 1),
    **{
        name: (len(callback.parameters), int(callback.answer != "none"))
        for name, callback in callbacks.CALLBACKS.items()
    },
}

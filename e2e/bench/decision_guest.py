"""Runs the bench's guest under wasmtime: times rings of questions, counts instructions.

wasmtime's *fuel* is one per Wasm instruction that is executed (blocks and the like are
free), so it is exact and the same on every machine.
"""

from __future__ import annotations

import time
from typing import Any, Final

from wasmtime import Config, Engine, Linker, Module, Store

_FUEL: Final = 2**60


class DecisionGuest:
    """One module with its table and questions, ready to be asked."""

    def __init__(self, module: bytes, *, counts_instructions: bool = False) -> None:
        config = Config()
        config.consume_fuel = counts_instructions
        engine = Engine(config)
        compiled = Module(engine, module)
        linker = Linker(engine)
        linker.define_unknown_imports_as_traps(compiled)
        self._store = Store(engine)
        if counts_instructions:
            self._store.set_fuel(_FUEL)
        self._exports = linker.instantiate(self._store, compiled).exports(self._store)
        if not self._call("is_ready"):
            raise ValueError("the filter does not admit the table")

    def _call(self, name: str, *arguments: int) -> int:
        function: Any = self._exports[name]
        return int(function(self._store, *arguments))

    def allowed(self, first: int, rows: int) -> int:
        """Judge a ring once; return how many of its questions are allowed."""
        return self._call("judge_ring", first, rows, rows)

    def nanoseconds(self, first: int, rows: int) -> float:
        """What one decision of a ring takes, in CPU time of this thread."""
        return self._differs(time.thread_time_ns, first, rows)

    def instructions(self, first: int, rows: int) -> float:
        """Wasm instructions that one decision of a ring takes."""
        return self._differs(lambda: _FUEL - self._store.get_fuel(), first, rows)

    def _differs(self, read: Any, first: int, rows: int) -> float:
        """What judging takes more than looking on, per question."""
        start = read()
        self._call("judge_ring", first, rows, rows)
        judged = read()
        self._call("look_on", first, rows, rows)
        return float(judged - start - (read() - judged)) / rows

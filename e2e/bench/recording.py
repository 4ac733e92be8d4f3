"""Record what a module and its host say to each other, to play the host's part again.

The emulated host costs a hundred times what the module does. A recording holds the
calls of the module's exports and, for each hostcall, what the host did: memory that
it asked for, bytes that it wrote, and its answer. The module is deterministic, so
replay.js (V8) can answer it from the recording, at next to no cost.
"""

from __future__ import annotations

from typing import Any, Final

from filters.running import Hostcall
from generator.wasm.engine import HostFunction
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host
from generator.wasm.memory import GuestMemory

Action = tuple[str, int, list[int]]
"""("malloc", size, []) or ("write", address, bytes)."""


class _WatchedMemory(GuestMemory):
    """Memory that notes what is written to it."""

    __slots__ = ("actions",)

    def __init__(self, memory: GuestMemory, actions: list[Action]) -> None:
        super().__init__(memory._memory, memory._store)
        self.actions = actions

    def write(self, address: int, data: bytes) -> None:
        super().write(address, data)
        self.actions.append(("write", address, list(data)))


class Recorder(WasmGuest):
    """A guest under wasmtime whose `steps` are JSON: export, arguments, hostcalls."""

    def __init__(self, module: bytes, host: Host) -> None:
        self.steps: list[dict[str, Any]] = []
        self._actions: Final[list[Action]] = []
        self._watched: _WatchedMemory | None = None
        super().__init__(module, host)

    @property
    def memory(self) -> GuestMemory:
        if self._watched is None:
            self._watched = _WatchedMemory(super().memory, self._actions)
        return self._watched

    def call(self, export: str, *arguments: int) -> Any:
        step = {"export": export, "arguments": list(arguments), "hostcalls": []}
        self.steps.append(step)
        return super().call(export, *arguments)

    def allocate(self, size: int) -> int:
        self._actions.append(("malloc", size, []))
        return super().allocate(size)

    def serve(self, call: Hostcall) -> HostFunction:
        served = super().serve(call)

        def record(*raw: int) -> Any:
            self._actions.clear()
            answer = served(*raw)
            hostcall = {"answer": answer, "actions": list(self._actions)}
            self.steps[-1]["hostcalls"].append(hostcall)
            return answer

        return record

    def take(self) -> list[dict[str, Any]]:
        """Return the steps since the last time."""
        taken, self.steps = self.steps, []
        return taken

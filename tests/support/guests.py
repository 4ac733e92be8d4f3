"""Probe guests: call the parts of a filter one by one, on both back ends.

A probe's input is the VM configuration, its output the property "out".
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from generator.compiler import compile_file
from generator.wasm.guest import Guest, WasmGuest
from generator.wasm.host import Host, property_path
from generator.wasm.python_guest import PythonGuest

BACKENDS = ("cpython", "wasm")


@cache
def compiled(path: str) -> bytes:
    return bytes(compile_file(Path(path)).to_bytes())


class Probe:
    """One guest of one back end, started when it is first asked."""

    def __init__(self, path: str, backend: str) -> None:
        self.path, self.backend = path, backend
        self.host = Host()
        self._guest: Guest | None = None

    @property
    def guest(self) -> Guest:
        if self._guest is None:
            if self.backend == "wasm":
                self._guest = WasmGuest(compiled(self.path), self.host)
            else:
                name = self.path.removesuffix(".py").replace("/", ".")
                self._guest = PythonGuest(name, self.host)
        return self._guest

    def ask(self, export: str, *arguments: int, given: bytes = b"") -> Any:
        """Call an export with an input; return what it returns."""
        self.host.vm_configuration = given
        return self.guest.call(export, *arguments)

    @property
    def out(self) -> bytes:
        """What the guest wrote last."""
        status, value = self.host.proxy_get_property(property_path("out"))
        assert status == 0
        return bytes(value)


def probes(path: str) -> list[Probe]:
    """One probe per back end, for `pytest.mark.parametrize`."""
    return [Probe(path, backend) for backend in BACKENDS]

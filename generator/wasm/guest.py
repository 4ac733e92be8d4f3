"""A module running under wasmtime, linked to an emulated host as Envoy links it.

The guest is loaded like Envoy loads it (envoy-wasm, section 1): imports must be known
with their exact types, the marker, `memory` and an allocator must be there, callbacks
must have their signatures, and during `_initialize` or `_start` only logging is
allowed. `PythonGuest` (python_guest.py) has the same three methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn, Protocol

from wasmtime import (
    Func,
    FuncType,
    ImportType,
    Instance,
    Linker,
    Memory,
    Module,
    Store,
    Trap,
    WasmtimeError,
)

from filters.running import Hostcall
from generator.compiler.callbacks import MARKER
from generator.wasm.adapter import adapt
from generator.wasm.callbacks import ALLOCATORS, CALLBACKS, STARTERS
from generator.wasm.engine import (
    CallStack,
    ExportedFunction,
    HostFunction,
    Signature,
    compile_module,
    engine,
    link_function,
)
from generator.wasm.errors import ModuleError, not_emulated
from generator.wasm.hostcalls import find_hostcall, lowered_signature
from generator.wasm.memory import GuestMemory
from generator.wasm.state import HostState

LOGGING: Final = frozenset(("proxy_log", "clock_time_get"))
"""Hostcalls allowed inside the allocator."""

START: Final = LOGGING | {"environ_get", "environ_sizes_get", "random_get"}
"""Hostcalls allowed before a context exists."""


class Guest(Protocol):
    """A running filter, whatever it runs on."""

    host: HostState

    def has(self, export: str) -> bool:
        """Tell whether the filter exports a function."""
        ...

    def call(self, export: str, *arguments: int) -> Any:
        """Call an export; results are unsigned bits: None, an int or a tuple."""
        ...


class WasmGuest:
    """One VM: a module's bytes, its memory and its host."""

    def __init__(self, module_bytes: bytes, host: HostState) -> None:
        self.host = host
        self._stack = CallStack()
        self._memory: GuestMemory | None = None
        module = _compile(module_bytes)
        linker = Linker(engine())
        self._links = [self._link(linker, wanted) for wanted in module.imports]
        self._store = Store(engine())
        self._functions = self._start(linker, module)

    @property
    def memory(self) -> GuestMemory:
        if self._memory is None:
            _refuse("RUN0003", "the module calls the host from its start section")
        return self._memory

    def has(self, export: str) -> bool:
        return export in self._functions

    def call(self, export: str, *arguments: int) -> Any:
        return self._functions[export](*arguments)

    def allocate(self, size: int) -> int:
        """Ask the guest's allocator for memory, as hostcalls with results do."""
        with self._allowing(LOGGING):
            return int(self._allocator(size))

    @contextmanager
    def _allowing(self, names: frozenset[str]) -> Iterator[None]:
        before, self.host.allowed = self.host.allowed, names
        try:
            yield
        finally:
            self.host.allowed = before

    def _link(self, linker: Linker, wanted: ImportType) -> object:
        place = (wanted.module, wanted.name or "")
        call = find_hostcall(*place)
        if call is None or not isinstance(wanted.type, FuncType):
            _refuse("RUN0002", f"unknown import {'.'.join(place)}")
        params, results = lowered_signature(call)
        if (params, results) != _types(wanted.type):
            _refuse("RUN0002", f"import {'.'.join(place)} has another signature")
        signature = Signature(params, results, self._stack)
        return link_function(linker, place, signature, self.serve(call))

    def serve(self, call: Hostcall) -> HostFunction:
        """Return what the module imports for a hostcall."""
        method = getattr(self.host, call.name, _not_served(call.name))
        return adapt(call, method, self)

    def _start(self, linker: Linker, module: Module) -> dict[str, ExportedFunction]:
        try:
            instance = linker.instantiate(self._store, module)
        except (WasmtimeError, Trap) as error:
            raised = self._stack.take()
            if raised is not None:
                raise raised from None
            reason = str(error).splitlines()[0]
            _refuse("RUN0001", f"the module cannot be instantiated: {reason}")
        functions = self._bind(instance)
        self._allocator = next(functions[n] for n in ALLOCATORS if n in functions)
        with self._allowing(START):
            for name in STARTERS:
                if name in functions:
                    functions[name]()
                    break
        return functions

    def _bind(self, instance: Instance) -> dict[str, ExportedFunction]:
        functions: dict[str, ExportedFunction] = {}
        for name, value in instance.exports(self._store).items():
            if isinstance(value, Func):
                _check_signature(name, value.type(self._store))
                functions[name] = ExportedFunction(value, self._store, self._stack)
            elif name == "memory" and isinstance(value, Memory):
                self._memory = GuestMemory(value, self._store)
        missing = {MARKER} - functions.keys()
        if self._memory is None:
            missing.add("memory")
        if not functions.keys() & set(ALLOCATORS):
            missing.add("malloc")
        if missing:
            _refuse("RUN0003", f"the module does not export {sorted(missing)[0]}")
        return functions


def _compile(module_bytes: bytes) -> Module:
    try:
        return compile_module(module_bytes)
    except WasmtimeError as error:
        _refuse("RUN0001", f"not a valid Wasm module: {str(error).splitlines()[0]}")


def _types(kind: FuncType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(map(str, kind.params)), tuple(map(str, kind.results))


def _check_signature(name: str, kind: FuncType) -> None:
    if name not in CALLBACKS:
        return
    params, results = CALLBACKS[name]
    if _types(kind) != (("i32",) * params, ("i32",) * results):
        _refuse("RUN0003", f"export {name} has another signature than Envoy's")


def _not_served(name: str) -> Any:
    def refuse(*arguments: object) -> NoReturn:
        raise not_emulated(f"the hostcall {name}")

    return refuse


def _refuse(code: str, message: str) -> NoReturn:
    raise ModuleError.of(code, message)

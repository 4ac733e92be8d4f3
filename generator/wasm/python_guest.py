"""A filter running under CPython, from its source, with the methods of `WasmGuest`.

Every guest has its own copies of the filter's modules, so that two VMs share no
global. Only filters.lang and filters.running, which are the language and not guest
code, are the process's own. Exports and the `@on_fault` function may be in any of the
filter's modules, as for the compiler.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

import filters
from filters.lang import View, Width
from filters.running import running
from generator.wasm.errors import GuestTrap
from generator.wasm.state import HostState

LANGUAGE: Final = frozenset(("filters.lang", "filters.running"))
FILTERS: Final = Path(filters.__file__).parent

FAULTS: Final[tuple[tuple[type[Exception], int], ...]] = (
    (IndexError, 2),
    (ZeroDivisionError, 3),
    (AssertionError, 4),
)
"""Fault numbers of the language; 1, out of steps, CPython never raises."""

FAULT_TYPES: Final = tuple(kind for kind, _ in FAULTS)


class PythonGuest:
    """One VM of CPython: fresh modules, their host, and what is linked in.

    `filter_name` is a module ("filters.pep") or a path of a source file.
    """

    def __init__(
        self,
        filter_name: str | Path,
        host: HostState,
        embedded: Mapping[str, bytes] | None = None,
    ) -> None:
        self.host = host
        self._embedded = dict(embedded or {})
        loader = GuestLoader()
        if isinstance(filter_name, Path):
            self.module = loader.load_file(filter_name.stem, filter_name)
        else:
            self.module = loader.load(filter_name)
        functions = loader.functions()
        marked = [f for f in functions if hasattr(f, "__guest_export__")]
        self._exports = {f.__name__: _Export(f) for f in marked}
        handlers = [f for f in functions if hasattr(f, "__guest_on_fault__")]
        self._on_fault = handlers[0] if handlers else None

    def has(self, export: str) -> bool:
        return export in self._exports

    def call(self, export: str, *arguments: int) -> Any:
        """Call an export; results are unsigned bits: None, an int or a tuple.

        A view is bytes here, where a module gives its pointer and size.
        """
        function = self._exports[export]
        with running(self.host, self._embedded):
            try:
                return function(arguments)
            except FAULT_TYPES as error:
                context_id = arguments[0] if arguments else 0
                return function.answer(self._handle(error, context_id & 0xFFFF_FFFF))

    def _handle(self, error: Exception, context_id: int) -> int:
        """Ask the fault handler; without one, or if it faults too, the VM is dead."""
        if self._on_fault is None:
            raise GuestTrap(f"fault without a handler: {error!r}") from error
        fault = next(number for kind, number in FAULTS if isinstance(error, kind))
        try:
            return int(self._on_fault(context_id, fault))
        except FAULT_TYPES as second:
            raise GuestTrap(f"fault within the fault handler: {second!r}") from second


class _Export:
    """An exported function with its arguments and results as a module has them."""

    def __init__(self, function: Callable[..., Any]) -> None:
        hints = inspect.get_annotations(function, eval_str=True)
        returned = hints.pop("return", None)
        self._function = function
        self._params = tuple(hints.values())
        self._results = tuple(getattr(returned, "__args__", (returned,)))

    def __call__(self, arguments: tuple[int, ...]) -> Any:
        if len(arguments) != len(self._params):
            raise TypeError(f"{len(arguments)} arguments for {len(self._params)}")
        pairs = zip(self._params, arguments, strict=True)
        return self._bits(self._function(*(kind(value) for kind, value in pairs)))

    def _bits(self, result: Any) -> Any:
        if isinstance(result, tuple):
            pairs = zip(self._results, result, strict=True)
            return tuple(_unsigned(kind, value) for kind, value in pairs)
        return None if result is None else _unsigned(self._results[0], result)

    def answer(self, value: int) -> Any:
        """Return the handler's answer as this function's result.

        Several results are zeros: the answer could mean anything there.
        """
        if self._results == (None,):
            return None
        if len(self._results) > 1 or View in self._results:
            return tuple(b"" if kind == View else 0 for kind in self._results)
        return int(value != 0) if self._results == (bool,) else value & 0xFFFF_FFFF


def _unsigned(kind: Any, value: Any) -> Any:
    if kind == View:
        return bytes(value)
    is_long = isinstance(kind, Width) and kind.bits == 64
    return int(value) & (0xFFFF_FFFF_FFFF_FFFF if is_long else 0xFFFF_FFFF)


class GuestLoader:
    """Loads guest modules into a world of their own, not into `sys.modules`."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}
        self._folders: list[Path] = []

    def functions(self) -> list[Callable[..., Any]]:
        """Return the functions that the loaded modules define."""
        return [
            value
            for name, module in self._modules.items()
            for value in vars(module).values()
            if inspect.isfunction(value) and value.__module__ == name
        ]

    def load(self, name: str) -> ModuleType:
        return self.load_file(name, FILTERS.parent / (name.replace(".", "/") + ".py"))

    def load_file(self, name: str, path: Path) -> ModuleType:
        if name in self._modules:
            return self._modules[name]
        module = ModuleType(name)
        module.__file__ = str(path)
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": self._import}
        self._modules[name] = module
        if path.parent not in self._folders:
            self._folders.append(path.parent)
        exec(_code(path, path.stat().st_mtime_ns), vars(module))
        return module

    def _import(
        self,
        name: str,
        scope: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        wanted: tuple[str, ...] = (),
        level: int = 0,
    ) -> ModuleType:
        if name.startswith("filters.") and name not in LANGUAGE:
            return self.load(name)
        for folder in self._folders:
            sibling = folder / f"{name}.py"
            if folder != FILTERS and "." not in name and sibling.exists():
                return self.load_file(name, sibling)
        return builtins.__import__(name, scope, local, wanted, level)


@lru_cache(maxsize=256)
def _code(path: Path, version: int) -> CodeType:
    source = path.read_text(encoding="utf-8")
    # optimize=0: asserts of the guest are faults, also under `python -O`
    return compile(source, str(path), "exec", dont_inherit=True, optimize=0)

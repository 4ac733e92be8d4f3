"""Fast calls into and out of modules: the one place that knows wasmtime's C API.

wasmtime's Python functions look up types and box every value on each call: some 40 us
in and 20 us out, where the calls without checks used here take about 2 us and 1 us
(measured with a three-argument function, wasmtime 50, CPython 3.11). `simulate` makes
millions of calls. Types are checked once, when a function is bound. The names used
here are private to the wasmtime package, so pyproject.toml bounds its version.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from wasmtime import (
    Engine,
    Func,
    FuncType,
    Linker,
    Module,
    Store,
    Trap,
    ValType,
    WasmtimeError,
)
from wasmtime import _ffi as ffi

from generator.wasm.errors import GuestTrap

RAW_WORDS: Final = ctypes.sizeof(ffi.wasmtime_val_raw_t) // 8
"""A raw value is 128 bits wide; integers are in its low end."""

MASKS: Final = {"i32": 0xFFFF_FFFF, "i64": 0xFFFF_FFFF_FFFF_FFFF}
VALUE_TYPES: Final = {"i32": ValType.i32, "i64": ValType.i64}

HostFunction = Callable[..., Any]

_CALLBACK: Final = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)
_NO_FINALIZER: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(0)


@cache
def engine() -> Engine:
    """Return the engine of this process.

    Made at first use, not at import: it installs signal handlers for traps, which
    must come after those of others (pytest's faulthandler would end the process).
    """
    return Engine()


@lru_cache(maxsize=8)
def compile_module(module_bytes: bytes) -> Module:
    """Compile a module, or return the one compiled from the same bytes."""
    return Module(engine(), module_bytes)


class CallStack:
    """Carries a Python exception through the module that stands between."""

    __slots__ = ("raised",)

    def __init__(self) -> None:
        self.raised: BaseException | None = None

    def take(self) -> BaseException | None:
        raised, self.raised = self.raised, None
        return raised


@dataclass(frozen=True, slots=True)
class Signature:
    """Wasm types of a host function, and where its exceptions go."""

    params: tuple[str, ...]
    results: tuple[str, ...]
    stack: CallStack


class ExportedFunction:
    """A function of a module, bound to its store. Arguments are taken modulo width.

    Results are the bits as an unsigned number: None, one int, or a tuple.
    """

    __slots__ = (
        "_context",
        "_func",
        "_func_ref",
        "_masks",
        "_raw",
        "_results",
        "_size",
        "_stack",
        "_words",
    )

    def __init__(self, func: Func, store: Store, stack: CallStack) -> None:
        kind = func.type(store)
        self._masks = tuple(MASKS[str(t)] for t in kind.params)
        self._results = tuple(MASKS[str(t)] for t in kind.results)
        self._size = max(len(self._masks), len(self._results))
        # shared by all calls: both ends copy their values at once
        self._words = (ctypes.c_uint64 * (self._size * RAW_WORDS))()
        self._raw = ctypes.cast(self._words, ctypes.POINTER(ffi.wasmtime_val_raw_t))
        self._context = store._context()
        self._func = func._func  # keeps the reference below alive
        self._func_ref = ctypes.byref(self._func)
        self._stack = stack

    def __call__(self, *arguments: int) -> Any:
        if len(arguments) != len(self._masks):
            raise TypeError(f"{len(arguments)} arguments for {len(self._masks)}")
        words = self._words
        for i, mask in enumerate(self._masks):
            words[i * RAW_WORDS] = arguments[i] & mask
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        error = ffi.wasmtime_func_call_unchecked(
            self._context,
            self._func_ref,
            self._raw,
            self._size,
            ctypes.byref(trap),
        )
        if error or trap:
            self._fail(error, trap)
        values = [words[i * RAW_WORDS] & m for i, m in enumerate(self._results)]
        return None if not values else values[0] if len(values) == 1 else tuple(values)

    def _fail(self, error: Any, trap: Any) -> None:
        raised = self._stack.take()
        message = "the call failed"
        if trap:
            message = str(Trap._from_ptr(trap))
        elif error:
            ffi.wasmtime_error_delete(error)
        if raised is not None:
            raise raised
        raise GuestTrap(message)


def link_function(
    linker: Linker, name: tuple[str, str], kind: Signature, function: HostFunction
) -> object:
    """Give the linker a function of the host; keep the result as long as the module.

    `function` gets its arguments as unsigned numbers; what it raises is raised again
    by the `ExportedFunction` that entered the module.
    """
    masks = tuple(MASKS[t] for t in kind.params)
    result_mask = MASKS[kind.results[0]] if kind.results else 0
    words_type = ctypes.c_uint64 * (max(len(masks), len(kind.results)) * RAW_WORDS)

    def call(env: int, caller: int, raw: int, count: int) -> int:
        try:
            words = words_type.from_address(raw)
            taken = [words[i * RAW_WORDS] & mask for i, mask in enumerate(masks)]
            result = function(*taken)
            if result_mask:
                words[0] = result & result_mask
        except BaseException as error:  # noqa: BLE001 (C cannot carry it)
            kind.stack.raised = error
            trap = Trap("the host raised")._consume()
            return ctypes.cast(trap, ctypes.c_void_p).value or 0
        return 0

    callback = _CALLBACK(call)
    _define(linker, name, kind, callback)
    return callback


def _define(
    linker: Linker, name: tuple[str, str], kind: Signature, callback: object
) -> None:
    module, field = (part.encode() for part in name)
    params = [VALUE_TYPES[t]() for t in kind.params]
    function_type = FuncType(params, [VALUE_TYPES[t]() for t in kind.results])
    error = ffi.wasmtime_linker_define_func_unchecked(
        linker.ptr(),
        ctypes.create_string_buffer(module),
        len(module),
        ctypes.create_string_buffer(field),
        len(field),
        function_type.ptr(),
        ctypes.cast(callback, ffi.wasmtime_func_unchecked_callback_t),  # type: ignore[arg-type]
        None,
        _NO_FINALIZER,
    )
    if error:
        raise WasmtimeError._from_ptr(error)

"""The table of hostcalls, read once from the declarations in filters/.

It is the one source for both back ends: CPython calls a host's method by the declared
name, and the adapter (adapter.py) derives the Wasm signature and the moving of bytes
from the same annotations.

    def f(key: View, cas: u32) -> tuple[u32, View, u64]
    (func $f (param $key_ptr i32) (param $key_size i32) (param $cas i32)
             (param $view_ptr_out i32) (param $view_size_out i32)
             (param $u64_out i32) (result i32))
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from filters import hostcalls, wasi
from filters.lang import Buffer, View, Width
from filters.running import Hostcall, describe_hostcall

WASI_MODULES: Final = ("wasi_snapshot_preview1", "wasi_unstable")


def _declared() -> dict[str, Hostcall]:
    functions = [*vars(hostcalls).values(), *vars(wasi).values()]
    calls = [
        describe_hostcall(f) for f in functions if hasattr(f, "__guest_hostcall__")
    ]
    return {call.name: call for call in calls}


HOSTCALLS: Final[Mapping[str, Hostcall]] = MappingProxyType(_declared())


def find_hostcall(module: str, name: str) -> Hostcall | None:
    """Return the declaration of an import, if there is one."""
    call = HOSTCALLS.get(name)
    if call is None or call.module == module:
        return call
    is_wasi = call.module in WASI_MODULES and module in WASI_MODULES
    return call if is_wasi else None


def lowered_signature(call: Hostcall) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the Wasm parameter and result types of a declaration."""
    params = [t for _, kind in call.parameters for t in _lowered(kind)]
    for kind in call.results[1:]:
        params += ["i32", "i32"] if kind == View else ["i32"]
    return tuple(params), tuple(t for k in call.results[:1] for t in _lowered(k))


def _lowered(kind: Any) -> tuple[str, ...]:
    if kind == View:
        return ("i32", "i32")
    if kind is Buffer:
        return ("i32",)
    if isinstance(kind, Width):
        return ("i64" if kind.bits == 64 else "i32",)
    raise TypeError(f"a hostcall cannot have {kind!r}")


def zero_results(call: Hostcall) -> tuple[bytes | int, ...]:
    """Return what the results after the status are when the status is not OK."""
    return tuple(b"" if kind == View else 0 for kind in call.results[1:])

"""The guest that is running under CPython: its host and what is linked into it.

Guest code gets `hostcall` and `embedded` through filters.lang; the runner of guests
(generator/wasm) uses `running` and reads the declarations by `describe_hostcall`.

Invariant: an exception of the host never looks like a fault of the guest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias, TypeVar, get_type_hints

F = TypeVar("F", bound=Callable[..., Any])

View: TypeAlias = bytes | memoryview


class HostFailure(RuntimeError):
    """The host broke while serving a hostcall: never a fault of the guest."""


@dataclass(frozen=True, slots=True)
class Hostcall:
    """One declared import: where it lives and its annotated Python signature."""

    module: str
    name: str
    parameters: tuple[tuple[str, Any], ...]
    results: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """What the guest that is running now was given."""

    host: object
    embedded: Mapping[str, bytes]


_RUNNING: ContextVar[Running] = ContextVar("running guest")


@contextmanager
def running(host: object, embedded: Mapping[str, bytes]) -> Iterator[None]:
    """Send hostcalls and `embedded` to this host while the body runs."""
    token = _RUNNING.set(Running(host, embedded))
    try:
        yield
    finally:
        _RUNNING.reset(token)


def embedded(name: bytes) -> View:
    """Return the bytes linked into the module under `name`; empty if absent."""
    return memoryview(_RUNNING.get().embedded.get(name.decode(), b""))


def describe_hostcall(function: Callable[..., Any]) -> Hostcall:
    """Return the declaration that `hostcall` stored on a function."""
    module, name = function.__guest_hostcall__  # type: ignore[attr-defined]
    hints = get_type_hints(function)
    returned = hints.pop("return")
    results = getattr(returned, "__args__", None) if returned != View else None
    none = type(None)
    return Hostcall(
        module,
        name,
        tuple(hints.items()),
        results or (() if returned is none else (returned,)),
    )


def hostcall(module: str, name: str) -> Callable[[F], F]:
    """Declare a function of the host. The annotations give the ABI.

    A `View` is pointer and size, an integer is an i32 or i64, a `Buffer` is a
    pointer. The first result is the call's own; further ones are result pointers.
    Under CPython the call goes to the method `name` of the running guest's host.
    """

    def declare(function: F) -> F:
        @wraps(function)
        def call(*arguments: Any) -> Any:
            method = getattr(_RUNNING.get().host, name)
            # the host must not keep an alias of guest memory
            owned = [bytes(a) if isinstance(a, memoryview) else a for a in arguments]
            try:
                return method(*owned)
            except (IndexError, ZeroDivisionError, AssertionError) as error:
                raise HostFailure(f"{name}: {error!r}") from error

        call.__guest_hostcall__ = (module, name)  # type: ignore[attr-defined]
        return call  # type: ignore[return-value]

    return declare

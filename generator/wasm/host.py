"""The emulated Envoy host: every hostcall in memory, for one VM.

Both back ends call it by the same Python methods: CPython guests directly, modules
through the adapter. It is faithful to Envoy 1.40: e2e/test_host_agrees.py runs the same
hostcalls in both and compares statuses and bytes. A hostcall that is unknown, or that
Envoy has and this host has not, raises: it never answers OK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from generator.wasm.context import Context, LocalResponse
from generator.wasm.errors import not_emulated
from generator.wasm.host_headers import HeaderCalls
from generator.wasm.host_properties import PropertyCalls
from generator.wasm.host_shared import SharedCalls
from generator.wasm.host_streams import StreamCalls
from generator.wasm.host_system import SystemCalls
from generator.wasm.state import SharedState, property_path

__all__ = ["Context", "Host", "LocalResponse", "SharedState", "property_path"]


class Host(HeaderCalls, PropertyCalls, StreamCalls, SharedCalls, SystemCalls):
    """The host of one VM. See `HostState` for what tests set and read."""

    if not TYPE_CHECKING:  # or mypy would take every misspelling for a hostcall

        def __getattr__(self, name: str) -> NoReturn:
            raise not_emulated(f"the hostcall {name}")

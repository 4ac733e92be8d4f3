"""Fixtures: a host, and hostcalls made on it from both back ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from generator.wasm.context import Context
from generator.wasm.host import Host
from tests.wasm.raw_guest import call_from_python, call_from_wasm

ROOT_ID = 1
STREAM_ID = 2

CALLERS = {"cpython": call_from_python, "wasm": call_from_wasm}


@pytest.fixture
def host() -> Host:
    """A host with a root context and a stream, whose callback is running."""
    host = Host()
    host.contexts[ROOT_ID] = Context(ROOT_ID)
    host.contexts[STREAM_ID] = Context(STREAM_ID, ROOT_ID)
    host.effective = STREAM_ID
    return host


@pytest.fixture(params=CALLERS)
def call(host: Host, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Make a hostcall: `call(name, *arguments)` -> status, or (status, results...)."""
    return partial(CALLERS[request.param], host)

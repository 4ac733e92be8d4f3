"""The compiler's tables agree with those that others wrote for themselves."""

from __future__ import annotations

import filters.lang
from generator.compiler.callbacks import CALLBACKS, MALLOC, RESERVED
from generator.compiler.host_table import ENV, WASI
from generator.compiler.intrinsics import LANG, LOADS, STORES
from generator.compiler.parse import PACKAGE
from generator.wasm import callbacks as host_callbacks
from tests.wasm.abi_table import TABLE


def test_names_of_the_language() -> None:
    assert set(filters.lang.__all__) == LANG
    assert all(hasattr(filters.lang.Buffer, name) for name in STORES)
    assert all(hasattr(filters.lang, name) for name in LOADS)


def test_callbacks_are_those_that_the_host_looks_for() -> None:
    ours = {
        name: (len(callback.parameters), int(callback.answer != "none"))
        for name, callback in CALLBACKS.items()
    }
    theirs = {
        name: signature
        for name, signature in host_callbacks.CALLBACKS.items()
        if name not in RESERVED and name != MALLOC
    }
    assert ours == theirs


def test_hostcalls_are_those_of_the_reference() -> None:
    ours = {**ENV, **WASI}
    for name, row in TABLE.items():
        assert ours[name] == row.signature, name
    assert {name for name, row in TABLE.items() if row.module == "env"} == set(ENV)


def test_every_declaration_is_compiled() -> None:
    """The compiler accepts each hostcall that filters/ declares."""
    declared = (PACKAGE / "hostcalls.py").read_text().count("@hostcall(")
    assert declared == len(ENV)

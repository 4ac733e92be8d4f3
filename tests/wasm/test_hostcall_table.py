"""The declarations in filters/ against the signatures of envoy-wasm.md."""

from __future__ import annotations

import pytest

from filters.lang import Buffer, View, Width
from generator.wasm.hostcalls import HOSTCALLS, find_hostcall, lowered_signature
from tests.wasm.abi_table import TABLE


def codes(types: tuple[str, ...]) -> str:
    return "".join({"i32": "i", "i64": "I"}[t] for t in types)


def meaning(kind: object) -> str:
    if kind == View:
        return "b"
    if kind is Buffer:
        return "p"
    assert isinstance(kind, Width)
    return "I" if kind.bits == 64 else "i"


def test_every_hostcall_is_declared_and_no_other() -> None:
    assert set(HOSTCALLS) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_signature(name: str) -> None:
    params, results = lowered_signature(HOSTCALLS[name])
    assert f"{codes(params)}->{codes(results)}" == TABLE[name].signature


@pytest.mark.parametrize("name", TABLE)
def test_meaning(name: str) -> None:
    call = HOSTCALLS[name]
    assert "".join(meaning(kind) for _, kind in call.parameters) == TABLE[name].takes
    assert "".join(meaning(kind) for kind in call.results[1:]) == TABLE[name].gives


@pytest.mark.parametrize("name", TABLE)
def test_import_module(name: str) -> None:
    assert HOSTCALLS[name].module == TABLE[name].module


def test_old_wasi_module_name_is_known() -> None:
    assert find_hostcall("wasi_unstable", "random_get") is HOSTCALLS["random_get"]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("env", "random_get"),
        ("wasi_unstable", "proxy_log"),
        ("env", "proxy_get_configuration"),  # ABI 0.1.0
        ("env", "proxy_continue_request"),  # ABI 0.1.0
        ("env", "proxy_clear_route_cache"),  # ABI 0.1.0
    ],
)
def test_unknown(module: str, name: str) -> None:
    assert find_hostcall(module, name) is None

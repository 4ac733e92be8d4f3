"""The filter's linear memory: its size is known before it starts, and stays."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

import pytest
from wasmtime import MemoryType

from filters.bundle import MAX_KEYS
from generator.build import ARENA_BYTES, FILTER, compile_filter
from generator.compiler import link_program, prepare_file
from generator.overlay.bundle import Bundle, BundleRow
from generator.overlay.configuration import Endpoint, Traffic, plugin_configuration
from generator.wasm.engine import compile_module
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host
from generator.wasm.module import PAGE_BYTES
from generator.wasm.plugin import Plugin
from tests.filters.pep_mesh import Headers, Pep, address, key_of, mesh, reason, workload

BUDGET_BYTES: Final = 256 * 1024
"""Memory beside the table; the last page is counted in full."""


def limits(module: bytes) -> tuple[int, int | None]:
    """Return the pages of a module's memory: at the start, and at most."""
    (memory,) = (
        export.type
        for export in compile_module(module).exports
        if isinstance(export.type, MemoryType)
    )
    return memory.limits.min, memory.limits.max


def fixed_bytes() -> int:
    """Return where the table begins: all that is not the table is before it."""
    linked = link_program(
        prepare_file(FILTER), embedded={"table": b"x"}, arena_bytes=ARENA_BYTES
    )
    return linked.data[-1].offset


@pytest.mark.parametrize("pages", [0, 1, 16])
@pytest.mark.parametrize("more", [0, 1])
def test_memory_is_the_table_and_little_more(pages: int, more: int) -> None:
    """Tables that fill their last page, and tables that need one byte more."""
    fixed = fixed_bytes()
    table = pages * PAGE_BYTES + -fixed % PAGE_BYTES + more
    wanted = -(-(fixed + table) // PAGE_BYTES)
    assert limits(compile_filter(bytes(table))) == (wanted, wanted)
    assert wanted * PAGE_BYTES <= table + BUDGET_BYTES


@pytest.mark.parametrize("keys", [MAX_KEYS, 3000])
def test_a_filter_has_room_for_the_keys_it_was_built_for(keys: int) -> None:
    """New ones come while the old ones are in use, two listeners with each."""
    plugin = Plugin(WasmGuest(compile_filter(mesh()[1], keys), Host()))
    for number in range(1, 4):
        text = configuration_with(keys, number)
        assert plugin.start(text) and plugin.start(text)
    assert not plugin.start(configuration_with(2 * keys + 1, 4))
    assert plugin.start(configuration_with(1, 5))


def configuration_with(keys: int, mark: int) -> bytes:
    """The cart's configuration, with so many keys, each of 32 equal bytes."""
    found = workload("cart")
    rows = tuple(BundleRow(n, 1, bytes([mark]) * 32) for n in range(1, keys + 1))
    bundle = Bundle(mesh()[0].id, found.id, rows, ())
    names = found.namespace, found.service_account, found.labels
    endpoint = Endpoint(*names, ip_address("10.0.0.2"))
    return plugin_configuration(bundle, endpoint=endpoint).encode()


@pytest.fixture
def cart() -> Pep:
    return Pep("wasm", "cart", Traffic.INBOUND)


def answer(cart: Pep, padding: Headers) -> str:
    """Return what is answered to a request that is let in if it can be read."""
    proof = (
        (b"x-overlay-src", address("web").wire_text.encode()),
        (b"x-overlay-key", key_of("web", "cart")),
    )
    return reason(cart.receive((*proof, *padding)))


def test_requests_leave_nothing_in_memory(cart: Pep) -> None:
    """They take the arena's size many times over, and more contexts than are kept."""
    assert isinstance(cart.plugin.guest, WasmGuest)
    memory = cart.plugin.guest.memory
    size = len(memory)
    padding = ((b"x-padding", b"x" * 4096),)
    for _ in range(1000):
        assert answer(cart, padding) == "allowed"
    memory.refresh()
    assert len(memory) == size


def test_headers_that_envoy_takes_by_default_fit(cart: Pep) -> None:
    """60 KiB in 100 headers; more than the arena holds is denied, and that is all."""
    padding = tuple((b"x-%d" % number, b"x" * 610) for number in range(94))
    assert answer(cart, padding) == "allowed"
    assert answer(cart, ((b"x", b"x" * ARENA_BYTES),)) == "request_unreadable"
    assert answer(cart, padding) == "allowed"

"""Whether memory stays as it is over a million requests.

Looked at twice: in a real Envoy under wrk, where it is the process's, and in wasmtime
with the emulated host, where it is the VM's alone and every answer is looked at.
"""

from __future__ import annotations

from typing import Final

from e2e.bench.open_checkout import Lost, OpenCheckout
from e2e.bench.results import Record
from generator.overlay.configuration import Traffic
from generator.wasm.guest import WasmGuest
from tests.filters.pep_mesh import Pep, address, key_of, reason

SAMPLES: Final = 10


def in_envoy(checkout: OpenCheckout, requests: int, seconds: int) -> list[Record]:
    """Return memory before, every so many seconds, and after so many requests.

    An Envoy without filter tells what of the growth is Envoy's own.
    """
    asked = 0
    samples = [_sample(checkout, asked)]
    while asked < requests:
        asked += checkout.ask(seconds)
        samples.append(_sample(checkout, asked))
    return samples


def _sample(checkout: OpenCheckout, requests: int) -> Record:
    return {
        "requests": requests,
        "resident_bytes": checkout.envoy.resident_bytes(),
        "vms": checkout.envoy.stat("wasm.envoy.wasm.runtime.v8.active"),
    }


def in_wasmtime(requests: int) -> list[Record]:
    """Return the linear memory of one VM likewise; every request has a new connection.

    Raises: Lost.
    """
    pep = Pep("wasm", "cart", Traffic.INBOUND)
    assert isinstance(pep.plugin.guest, WasmGuest)
    memory = pep.plugin.guest.memory
    proof = (
        (b"x-overlay-src", address("web").wire_text.encode()),
        (b"x-overlay-key", key_of("web", "cart")),
    )
    samples = [{"requests": 0, "memory_bytes": len(memory)}]
    for number in range(1, requests + 1):
        answer = reason(pep.receive(proof))
        if answer != "allowed":
            raise Lost(f"request {number}: {answer}")
        if number % (requests // SAMPLES) == 0:
            memory.refresh()
            samples.append({"requests": number, "memory_bytes": len(memory)})
    return samples

"""The listeners to compare: the shop's cart calls the checkout, in six ways.

One Envoy holds them all. Four listeners play the checkout's sidecar: same port, same
application, same request; only the filter differs. Two more play the cart's sidecar in
front of that, without and with pepmesh, so that a request goes through both sides. The
pepmesh listeners stand on their workloads' own addresses, since that is what they
judge; the others stand next to them. Every rule allows what is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from e2e.addresses import Addresses
from e2e.bench.load import request_bytes
from e2e.bench.measure import Variant
from e2e.enforcement import Enforcement
from e2e.mesh import Endpoint
from e2e.proxy import (
    Filter,
    Inbound,
    Outbound,
    Plugin,
    Proxy,
    Rbac,
    RbacRule,
    Route,
)
from generator.compiler import compile_file

_NOTHING_SOURCE = Path(__file__).parents[2] / "filters" / "examples" / "nothing.py"
HOST = "checkout.payments.svc.cluster.local"
PORT = 8443
_AUTHORITY = f"{HOST}:{PORT}"
_FIRST_NUMBER = 201

NO_FILTER = "one sidecar: no filter"
NOTHING = "a filter that does nothing"
PEPMESH = "pepmesh inbound"
BOTH_PLAIN = "both sidecars: no filter"
BOTH_PEPMESH = "pepmesh outbound and inbound"

IsAllowed = Callable[[Endpoint, Endpoint, int], bool]


@dataclass(frozen=True, slots=True)
class Bench:
    """What to run and what to measure."""

    proxy: Proxy
    origin: str
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class _Scene:
    """Who sends to whom."""

    product: Enforcement
    sender: Endpoint
    receiver: Endpoint
    addresses: Addresses

    def pod(self, number: int) -> str:
        return self.addresses.pod(_FIRST_NUMBER + number)

    def stamped_request(self) -> bytes:
        """Return a request as the cart's sidecar would send it."""
        return request_bytes(_AUTHORITY, self.product.headers(self.sender, HOST))


def make_bench(
    product: Enforcement,
    endpoints: Sequence[Endpoint],
    is_allowed: IsAllowed,
    addresses: Addresses,
    folder: Path,
) -> Bench:
    """Lay out all listeners in front of one application."""
    by_key = {e.key: e for e in endpoints}
    receiver = replace(
        by_key["payments/checkout"], origin=addresses.origin(_FIRST_NUMBER)
    )
    scene = _Scene(product, by_key["shop/cart"], receiver, addresses)
    rules = native_rules(endpoints, receiver, is_allowed)
    receiving = _receiving(scene, rules, nothing_module(folder))
    sending = _sending(scene)
    proxy = Proxy(
        receiver.node,
        tuple(listener for listener, _ in receiving),
        tuple(listener for listener, _ in sending),
    )
    variants = [variant for _, variant in (*receiving, *sending)]
    return Bench(proxy, receiver.origin, tuple(variants))


def _receiving(
    scene: _Scene, rules: Rbac, nothing: Path
) -> list[tuple[Inbound, Variant]]:
    """Play the checkout's sidecar four times."""
    receiver = scene.receiver
    pepmesh = scene.product.plugin(receiver, is_explicit=True)
    rows: list[tuple[str, str, Filter | None]] = [
        (NO_FILTER, scene.pod(0), None),
        (NOTHING, scene.pod(1), Plugin(nothing, name="nothing")),
        ("native RBAC, same rules", scene.pod(2), rules),
        (PEPMESH, receiver.address, pepmesh),
    ]
    made = []
    for name, address, chain in rows:
        filters = () if chain is None else (chain,)
        listener = Inbound(address, PORT, receiver.origin, filters)
        request = scene.stamped_request if chain is pepmesh else _plain_request
        base = "" if chain is None else NO_FILTER
        source = scene.sender.address
        made.append((listener, Variant(name, source, address, PORT, request, base)))
    return made


def _sending(scene: _Scene) -> list[tuple[Outbound, Variant]]:
    """Play the cart's sidecar twice; what it sends goes to the listeners above."""
    sender = scene.sender
    plain = Route(f"plain.{HOST}", PORT, scene.pod(0), PORT)
    stamped = Route(HOST, PORT, scene.receiver.address, PORT)
    pepmesh = scene.product.plugin(sender, is_explicit=True)
    listeners = (
        Outbound(scene.pod(3), (plain,)),
        Outbound(sender.address, (stamped,), (pepmesh,)),
    )

    def variant(name: str, listener: Outbound, base: str) -> Variant:
        request = request_bytes(listener.routes[0].authority, [])
        address, port = listener.address, listener.port
        return Variant(name, sender.address, address, port, lambda: request, base)

    return [
        (listeners[0], variant(BOTH_PLAIN, listeners[0], "")),
        (listeners[1], variant(BOTH_PEPMESH, listeners[1], BOTH_PLAIN)),
    ]


def native_rules(
    endpoints: Sequence[Endpoint], receiver: Endpoint, is_allowed: IsAllowed
) -> Rbac:
    """Say with Envoy's own rules what policy says about everybody in the mesh."""
    rules = [
        RbacRule(
            f"{receiver.key}:{port}",
            tuple(e.address for e in endpoints if is_allowed(e, receiver, port)),
            (port,),
        )
        for port in receiver.ports
    ]
    return Rbac(tuple(rule for rule in rules if rule.sources))


def nothing_module(folder: Path) -> Path:
    """Compile the filter that does nothing."""
    module = folder / "nothing.wasm"
    module.write_bytes(compile_file(_NOTHING_SOURCE).to_bytes())
    return module


def _plain_request() -> bytes:
    return request_bytes(_AUTHORITY, [])

"""The listeners to compare: one Envoy that plays the shop's checkout four times.

Same port, same application, same request; only the HTTP filter differs. The pepmesh
listener stands on the checkout's own address, since that is what it judges; the others
stand next to it. All requests come from the cart's address, which every rule allows.
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
from e2e.probe import Headers
from e2e.proxy import Filter, Inbound, Plugin, Proxy, Rbac, RbacRule
from generator.compiler import compile_file

NOTHING = Path(__file__).parents[2] / "filters" / "examples" / "nothing.py"
HOST = "checkout.payments.svc.cluster.local"
PORT = 8443
_FIRST_NUMBER = 201

IsAllowed = Callable[[Endpoint, Endpoint, int], bool]


@dataclass(frozen=True, slots=True)
class Bench:
    """What to run and what to measure."""

    proxy: Proxy
    origin: str
    variants: tuple[Variant, ...]


def make_bench(
    product: Enforcement,
    endpoints: Sequence[Endpoint],
    is_allowed: IsAllowed,
    addresses: Addresses,
    folder: Path,
) -> Bench:
    """Lay out the four listeners in front of one application."""
    by_key = {e.key: e for e in endpoints}
    sender, receiver = by_key["shop/cart"], by_key["payments/checkout"]
    receiver = replace(receiver, origin=addresses.origin(_FIRST_NUMBER))
    filters: dict[str, tuple[Filter, ...]] = {
        "no filter": (),
        "a filter that does nothing": (Plugin(nothing_module(folder), name="nothing"),),
        "native RBAC, same rules": (native_rules(endpoints, receiver, is_allowed),),
        "pepmesh inbound": (product.plugin(receiver),),
    }
    inbound: list[Inbound] = []
    variants: list[Variant] = []
    for number, (name, chain) in enumerate(filters.items(), start=_FIRST_NUMBER):
        is_ours = name == "pepmesh inbound"
        address = receiver.address if is_ours else addresses.pod(number)
        inbound.append(Inbound(address, PORT, receiver.origin, chain))
        headers = _headers(product, sender) if is_ours else _no_headers
        variants.append(Variant(name, sender.address, address, PORT, _request(headers)))
    return Bench(Proxy(receiver.node, tuple(inbound)), receiver.origin, tuple(variants))


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
    module.write_bytes(compile_file(NOTHING).to_bytes())
    return module


def _headers(product: Enforcement, sender: Endpoint) -> Callable[[], Headers]:
    return lambda: product.headers(sender, HOST)


def _no_headers() -> Headers:
    return []


def _request(headers: Callable[[], Headers]) -> Callable[[], bytes]:
    return lambda: request_bytes(f"{HOST}:{PORT}", headers())

"""Several plugin contexts in one VM: each enforces its own configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.addresses import Addresses
from e2e.envoy import Envoy, start_envoy
from e2e.mesh import Endpoint, place_endpoints, start_origins
from e2e.probe import send
from e2e.processes import Children
from e2e.proxy import Inbound, Proxy
from e2e.shop_run import Shop

CHECKOUT = "checkout.payments.svc.cluster.local"
FRAUD = "fraud.payments.svc.cluster.local"


@pytest.fixture
def ends(shop: Shop, addresses: Addresses) -> dict[str, Endpoint]:
    return {e.key: e for e in place_endpoints(shop.model, addresses)}


def active_vms(envoy: Envoy) -> int:
    return envoy.stat("wasm.envoy.wasm.runtime.v8.active")


def test_two_workloads_behind_one_proxy(
    shop: Shop, ends: dict[str, Endpoint], family: Children, tmp_path: Path
) -> None:
    """As a gateway has it: one Envoy, one VM, a root for each of two workloads."""
    checkout, fraud = ends["payments/checkout"], ends["payments/fraud"]
    start_origins(family, [checkout, fraud], tmp_path)
    inbound = tuple(
        Inbound(
            end.address, port, end.origin, (shop.product.plugin(end, is_explicit=True),)
        )
        for end, port in ((checkout, 8443), (fraud, 8080))
    )
    proxy = Proxy(checkout.node, inbound)
    envoy = start_envoy(family, proxy, tmp_path / "gateway").wait_ready()
    assert active_vms(envoy) == 3  # the base, the main thread's, the worker's

    def code(source: Endpoint, host: str, end: Endpoint, port: int) -> int:
        headers = shop.product.headers(source, host)
        return send(source.address, end.address, port, headers=headers).code

    cart = ends["shop/cart"]
    assert code(cart, CHECKOUT, checkout, 8443) == 200
    assert code(cart, FRAUD, fraud, 8080) == 403  # policy
    assert code(checkout, FRAUD, fraud, 8080) == 200
    assert code(checkout, CHECKOUT, fraud, 8080) == 403  # the other root's secret
    assert code(cart, CHECKOUT, checkout, 8443) == 200


def test_a_sidecar_with_many_ports(
    shop: Shop, ends: dict[str, Endpoint], family: Children, tmp_path: Path
) -> None:
    """Listeners with one configuration share one root."""
    checkout = ends["payments/checkout"]
    start_origins(family, [checkout], tmp_path)
    plugin = shop.product.plugin(checkout)
    inbound = tuple(
        Inbound(checkout.address, port, checkout.origin, (plugin,))
        for port in (8443, *range(12000, 12020))
    )
    proxy = Proxy(checkout.node, inbound)
    envoy = start_envoy(family, proxy, tmp_path / "checkout").wait_ready()
    assert active_vms(envoy) == 3
    cart = ends["shop/cart"]
    headers = shop.product.headers(cart, CHECKOUT)
    assert send(cart.address, checkout.address, 8443, headers=headers).code == 200
    assert send(cart.address, checkout.address, 12019, headers=headers).code == 403

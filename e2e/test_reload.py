"""Changes under way: filters from files, as a control plane would send them."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from e2e.addresses import Addresses
from e2e.bootstrap import write_filter
from e2e.enforcement import Enforcement, enforce_next
from e2e.envoy import Envoy, start_envoy
from e2e.mesh import Endpoint, place_endpoints, start_origins
from e2e.probe import send
from e2e.processes import Children, wait_until
from e2e.proxy import Inbound, Plugin, Proxy
from e2e.shop_run import Shop
from generator.overlay.master_keys import new_master_keys
from generator.policy.model import Model

HOST = "checkout.payments.svc.cluster.local"
PORT = 8443


@dataclass
class Checkout:
    """The shop's checkout behind a sidecar that reads its filter from a file."""

    shop: Shop
    cart: Endpoint
    endpoint: Endpoint
    envoy: Envoy
    version: int = 1

    def code(self, product: Enforcement) -> int:
        """Return what the cart is answered that has its keys from `product`."""
        headers = product.headers(self.cart, HOST)
        source, there = self.cart.address, self.endpoint.address
        return send(source, there, PORT, headers=headers).code

    def accepts(self, product: Enforcement) -> bool:
        return self.code(product) == 200

    def load(self, plugin: Plugin) -> None:
        self.version += 1
        write_filter(plugin, self.envoy.folder, str(self.version))

    @contextmanager
    def upload(self, product: Enforcement) -> Iterator[http.client.HTTPConnection]:
        """Hold a request whose headers were judged and whose body is not complete."""
        source = (self.cart.address, 0)
        connection = http.client.HTTPConnection(
            self.endpoint.address, PORT, timeout=10, source_address=source
        )
        connection.putrequest("POST", "/upload")
        for name, value in product.headers(self.cart, HOST):
            connection.putheader(name, value)
        connection.putheader("content-length", "8")
        connection.endheaders(b"half")
        try:
            yield connection
        finally:
            connection.close()


@pytest.fixture
def checkout(
    shop: Shop, family: Children, addresses: Addresses, tmp_path: Path
) -> Checkout:
    by_key = {e.key: e for e in place_endpoints(shop.model, addresses)}
    endpoint = by_key["payments/checkout"]
    start_origins(family, [endpoint], tmp_path)
    plugin = shop.product.plugin(endpoint)
    inbound = Inbound(endpoint.address, PORT, endpoint.origin, (plugin,))
    proxy = Proxy(endpoint.node, (inbound,), is_dynamic=True)
    envoy = start_envoy(family, proxy, tmp_path / "checkout").wait_ready()
    return Checkout(shop, by_key["shop/cart"], endpoint, envoy)


def without(model: Model, policy: str) -> Model:
    """Return a model without one policy."""
    kept = tuple(p for p in model.policies if f"{p.namespace}/{p.name}" != policy)
    return replace(model, policies=kept)


def next_module(checkout: Checkout, policy: str, folder: Path) -> Enforcement:
    """Build the shop without one policy."""
    model = without(checkout.shop.model, policy)
    return enforce_next(model, checkout.shop.product, folder / "next.wasm")


def test_new_rules_are_enforced(checkout: Checkout, tmp_path: Path) -> None:
    old = checkout.shop.product
    assert checkout.code(old) == 200
    new = next_module(checkout, "payments/checkout", tmp_path)
    checkout.load(new.plugin(checkout.endpoint))
    wait_until(lambda: checkout.code(old) == 403, "the new rules")
    checkout.load(old.plugin(checkout.endpoint))
    wait_until(lambda: checkout.code(old) == 200, "the old rules again")


def test_a_stream_under_way_ends_under_the_rules_it_began_with(
    checkout: Checkout, tmp_path: Path
) -> None:
    old = checkout.shop.product
    new = next_module(checkout, "payments/checkout", tmp_path)
    with checkout.upload(old) as upload:
        checkout.load(new.plugin(checkout.endpoint))
        wait_until(lambda: checkout.code(old) == 403, "the new rules")
        upload.send(b"half")
        response = upload.getresponse()
        assert (response.status, b'"body_bytes": 8' in response.read()) == (200, True)


def test_new_keys_share_the_vm_with_the_old(checkout: Checkout) -> None:
    """Only the configuration changes: one memory holds the old root and the new."""
    old = checkout.shop.product
    new = replace(old, master=new_master_keys("shop", old.built.overlay.id))
    vms = checkout.envoy.stat("wasm.envoy.wasm.runtime.v8.created")
    with checkout.upload(old) as upload:
        checkout.load(new.plugin(checkout.endpoint))
        wait_until(lambda: checkout.code(new) == 200, "the new keys")
        assert checkout.code(old) == 403
        upload.send(b"half")
        response = upload.getresponse()
        assert (response.status, b'"body_bytes": 8' in response.read()) == (200, True)
    made = checkout.envoy.stat("wasm.envoy.wasm.runtime.v8.created") - vms
    assert made <= 1  # the canary on which Envoy tries a configuration


def test_a_rejected_configuration_changes_nothing(
    checkout: Checkout, tmp_path: Path
) -> None:
    product = checkout.shop.product
    good = product.plugin(checkout.endpoint)
    damaged = tmp_path / "damaged.wasm"
    damaged.write_bytes(product.built.module[:-100])
    bad = [replace(good, configuration="{}"), replace(good, module=damaged)]
    for number, plugin in enumerate(bad, start=1):
        checkout.load(plugin)
        wait_until(partial(is_rejected, checkout.envoy, number), "the rejection")
        assert checkout.code(product) == 200
    checkout.load(good)
    assert checkout.code(product) == 200


def test_many_updates_leave_no_root_behind(checkout: Checkout) -> None:
    """More updates than roots fit into one memory, each with other keys."""
    old = checkout.shop.product
    for _ in range(12):
        new = replace(old, master=new_master_keys("shop", old.built.overlay.id))
        checkout.load(new.plugin(checkout.endpoint))
        wait_until(partial(checkout.accepts, new), "the new keys")
    assert rejections(checkout.envoy) == 0


def is_rejected(envoy: Envoy, count: int) -> bool:
    return rejections(envoy) >= count


def rejections(envoy: Envoy) -> int:
    """Return how many filter configurations an Envoy has refused."""
    stats = envoy.admin("/stats?filter=http_filter.*config_fail").splitlines()
    stats += envoy.admin("/stats?filter=http_filter.*update_rejected").splitlines()
    return sum(int(line.rpartition(": ")[2]) for line in stats)

"""Requests that are recognised: what Envoy is asked then, and where it does not help.

Envoy itself says what crosses its border with the VM: at the log level `trace` it
writes a line for each call, both ways.
"""

from __future__ import annotations

import http.client
import re
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from e2e.addresses import Addresses
from e2e.envoy import Envoy, start_envoy
from e2e.mesh import Endpoint, place_endpoints, start_origins
from e2e.probe import Headers, send
from e2e.processes import Children
from e2e.proxy import Inbound, MutualTls, Outbound, Proxy, Route
from e2e.shop_run import Shop
from e2e.test_certificates import Authority, client_context

HOST = "checkout.payments.svc.cluster.local"
PORT = 8443
OTHER_PORT = 12000
TRACE = ("--component-log-level", "wasm:trace")
CALL = re.compile(r"\[(host->vm|vm->host)\] (?:env\.)?(\w+)\(")


Ask = Callable[..., int]
"""Send a request with these headers; return the status of the answer."""


@dataclass
class Scene:
    """The checkout's sidecar with two ports, and who wants something from it."""

    shop: Shop
    envoy: Envoy
    cart: Endpoint
    checkout: Endpoint
    stranger: Endpoint

    @property
    def proof(self) -> Headers:
        return self.shop.product.headers(self.cart, HOST)

    @contextmanager
    def connection(
        self, source: Endpoint, port: int = PORT, tls: ssl.SSLContext | None = None
    ) -> Iterator[Ask]:
        """Keep one connection; yield what sends a request on it, for its status."""
        place, own = (self.checkout.address, port), (source.address, 0)
        kept = (
            http.client.HTTPConnection(*place, timeout=10, source_address=own)
            if tls is None
            else http.client.HTTPSConnection(
                *place, timeout=10, source_address=own, context=tls
            )
        )

        def ask(headers: Headers, host: str = "checkout") -> int:
            kept.putrequest("GET", "/", skip_host=True)
            kept.putheader("host", host)
            for name, value in headers:
                kept.putheader(name, value)
            kept.endheaders()
            response = kept.getresponse()
            response.read()
            return response.status

        with closing(kept):
            yield ask

    def calls(self) -> Counter[str]:
        """Count the calls so far, by name."""
        log = (self.envoy.folder / "envoy.log").read_text(errors="replace")
        return Counter(name for _, name in CALL.findall(log))


@pytest.fixture
def make_scene(
    shop: Shop, family: Children, addresses: Addresses, tmp_path: Path
) -> Callable[..., Scene]:
    ends = {e.key: e for e in place_endpoints(shop.model, addresses)}
    checkout = ends["payments/checkout"]
    start_origins(family, [checkout], tmp_path)

    def make(tls: MutualTls | None = None) -> Scene:
        plugin = shop.product.plugin(checkout)
        inbound = tuple(
            Inbound(checkout.address, port, checkout.origin, (plugin,), tls)
            for port in (PORT, OTHER_PORT)
        )
        proxy = Proxy(checkout.node, inbound)
        envoy = start_envoy(family, proxy, tmp_path / "checkout", TRACE).wait_ready()
        return Scene(shop, envoy, ends["shop/cart"], checkout, ends["payments/fraud"])

    return make


def hot(scene: Scene, ask: Ask, headers: Headers) -> dict[str, int]:
    """Return the calls of one request of many, each of which is let through."""
    assert [ask(headers) for _ in range(3)] == [200] * 3
    before = scene.calls()
    assert [ask(headers) for _ in range(10)] == [200] * 10
    calls = scene.calls() - before
    # A tick may come in between: it is not once per request.
    return {name: round(count / 10) for name, count in calls.items() if count > 5}


def test_what_a_request_costs_in_calls(make_scene: Callable[..., Scene]) -> None:
    """One result is copied into the VM: the headers."""
    scene = make_scene()
    with scene.connection(scene.cart) as ask:
        calls = hot(scene, ask, scene.proof)
    assert calls == {
        "proxy_on_context_create": 1,
        "proxy_on_request_headers": 1,
        "proxy_get_header_map_pairs": 1,
        "malloc": 1,
        "proxy_get_current_time_nanoseconds": 1,
        "proxy_get_property": 1,
        "proxy_remove_header_map_value": 2,
        "proxy_on_delete": 1,
    }


def test_what_a_request_costs_on_the_way_out(
    shop: Shop, family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    """Two results are copied into the VM: the headers, and where they go."""
    ends = {e.key: e for e in place_endpoints(shop.model, addresses)}
    cart, checkout = ends["shop/cart"], ends["payments/checkout"]
    start_origins(family, [checkout], tmp_path)
    route = Route(HOST, PORT, checkout.origin, PORT)
    outbound = Outbound(cart.address, (route,), (shop.product.plugin(cart),))
    proxy = Proxy(cart.node, outbound=(outbound,))
    envoy = start_envoy(family, proxy, tmp_path / "cart", TRACE).wait_ready()
    scene = Scene(shop, envoy, cart, cart, cart)
    with scene.connection(cart, outbound.port) as ask:
        calls = hot(scene, partial(ask, host=route.authority), [])
    assert calls == {
        "proxy_on_context_create": 1,
        "proxy_on_request_headers": 1,
        "proxy_get_header_map_pairs": 1,
        "proxy_get_property": 2,
        "malloc": 2,
        "proxy_get_current_time_nanoseconds": 1,
        "proxy_add_header_map_value": 2,
        "proxy_on_delete": 1,
    }


def test_a_stolen_proof_is_no_good_elsewhere(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    proof = scene.proof
    with scene.connection(scene.cart) as own, scene.connection(scene.stranger) as other:
        assert [own(proof) for _ in range(3)] == [200] * 3
        assert [other(proof) for _ in range(3)] == [403] * 3
        assert own(proof) == 200
        assert own([*proof, proof[0]]) == own([*proof, proof[1]]) == 403
        assert own(proof) == 200
    assert {entry.details for entry in scene.envoy.access_log()} <= {
        "via_upstream",
        "pepmesh_source_elsewhere",
        "pepmesh_source_repeated",
        "pepmesh_key_repeated",
    }


def test_ports_are_told_apart(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    proof = scene.proof
    with (
        scene.connection(scene.cart) as one,
        scene.connection(scene.cart, OTHER_PORT) as other,
    ):
        for _ in range(3):
            assert (one(proof), other(proof)) == (200, 403)


def test_the_certificate_is_part_of_the_connection(
    make_scene: Callable[..., Scene], tmp_path: Path
) -> None:
    """One address, two certificates: the proof goes with one of them."""
    authority = Authority(tmp_path)
    scene = make_scene(
        authority.issue("spiffe://cluster.local/ns/payments/sa/checkout")
    )
    right = client_context(authority.issue("spiffe://cluster.local/ns/shop/sa/cart"))
    wrong = client_context(authority.issue("spiffe://cluster.local/ns/shop/sa/web"))
    proof = scene.proof
    with (
        scene.connection(scene.cart, tls=right) as own,
        scene.connection(scene.cart, tls=wrong) as other,
    ):
        calls = hot(scene, own, proof)
        assert calls["malloc"] == calls["proxy_get_property"] == 1
        assert [other(proof) for _ in range(3)] == [403] * 3
        assert own(proof) == 200


def test_tunnels_are_denied(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene()
    where = (scene.cart.address, scene.checkout.address, PORT)
    assert send(*where, headers=scene.proof).code == 200
    answer = send(*where, method="CONNECT", path="db:1", headers=scene.proof)
    assert answer.code == 403

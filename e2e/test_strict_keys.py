"""Strict keys between two real sidecars: one request, once, and nothing else.

Keys are stolen on the wire: to the sender's sidecar, the receiver's other name leads to
a thief, who sees what the receiver would have seen, and sends it from the sender's own
address: all that a key without a request would ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import pytest

from e2e.addresses import Addresses
from e2e.bootstrap import write_filter
from e2e.enforcement import Enforcement
from e2e.envoy import Envoy, start_envoy
from e2e.mesh import Endpoint, Name, sidecar, start_applications
from e2e.probe import Answer, Headers, send
from e2e.processes import children, wait_until
from e2e.proxy import OUTBOUND_PORT, Proxy
from e2e.shop_run import Shop
from generator.overlay.configuration import KeyMode
from generator.overlay.keys import ADDRESS_HEADER, KEY_HEADER

HOST = "checkout.payments.svc.cluster.local"
STOLEN_HOST = "checkout.payments.workload.pepmesh"
PORT = 8443
_THIEF = 152

_numbers = count()


@dataclass
class Pair:
    """The cart's sidecar and the checkout's, both up."""

    product: Enforcement
    cart: Endpoint
    checkout: Endpoint
    sending: Envoy
    receiving: Envoy
    version: int = 1

    def ask(self, method: str = "GET", path: str = "/", host: str = HOST) -> Answer:
        """Ask as the cart's application does."""
        here, authority = self.cart.address, f"{host}:{PORT}"
        return send(
            here, here, OUTBOUND_PORT, authority=authority, method=method, path=path
        )

    def stolen(self, path: str) -> Headers:
        """Return what the thief saw of a GET."""
        answer = self.ask(path=path, host=STOLEN_HOST)
        assert answer.application["name"] == "thief"
        names = (ADDRESS_HEADER, KEY_HEADER)
        return [
            (name, value)
            for name in names
            for value in answer.application_headers(name)
        ]

    def replay(
        self,
        headers: Headers,
        path: str,
        *,
        method: str = "GET",
        authority: str = f"{STOLEN_HOST}:{PORT}",
        source: str = "",
    ) -> str:
        """Send headers to the checkout's sidecar; return "allowed" or why not."""
        known = len(self.denials())
        answer = send(
            source or self.cart.address,
            self.checkout.address,
            PORT,
            authority=authority,
            method=method,
            path=path,
            headers=headers,
        )
        if answer.is_from_application:
            assert answer.application["name"] == self.checkout.key
            return "allowed"
        assert answer.code == 403
        wait_until(lambda: len(self.denials()) > known, "the access log")
        return self.denials()[-1]

    def denials(self) -> list[str]:
        """Return why the receiver denied so far; what it allowed may be logged late."""
        details = (entry.details for entry in self.receiving.access_log())
        ours = "pepmesh_"
        return [each.removeprefix(ours) for each in details if each.startswith(ours)]

    def load(self, envoy: Envoy, endpoint: Endpoint, mode: KeyMode) -> None:
        """Give a sidecar another mode; requests pass all the while."""
        self.version += 1
        before = updates(envoy)
        plugin = self.product.plugin(endpoint, key_mode=mode)
        write_filter(plugin, envoy.folder, str(self.version))

        def is_loaded() -> bool:
            assert self.ask().code == 200
            return updates(envoy) > before

        wait_until(is_loaded, f"{mode} keys")


@pytest.fixture(scope="module", params=[False, True], ids=["http1", "http2"])
def pair(
    request: pytest.FixtureRequest,
    shop: Shop,
    addresses: Addresses,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("strict")
    by_key = {endpoint.key: endpoint for endpoint in shop.endpoints}
    cart, checkout = by_key["shop/cart"], by_key["payments/checkout"]
    thief = addresses.pod(_THIEF)
    names = [
        replace(name, is_http2=request.param)
        if name.host == HOST
        else replace(name, endpoint=replace(name.endpoint, address=thief))
        for name in shop.names
        if name.host in (HOST, STOLEN_HOST)
    ]
    with children() as family:
        places = {f"{checkout.origin}:{PORT}": checkout.key, f"{thief}:{PORT}": "thief"}
        start_applications(family, places, folder)
        sending, receiving = (
            start_envoy(
                family,
                strict_sidecar(shop.product, endpoint, names),
                folder / endpoint.member.name,
            )
            for endpoint in (cart, checkout)
        )
        sending.wait_ready()
        receiving.wait_ready()
        yield Pair(shop.product, cart, checkout, sending, receiving)


def strict_sidecar(
    product: Enforcement, endpoint: Endpoint, names: Sequence[Name]
) -> Proxy:
    """Return a sidecar that reads its filter from a file, and asks once more."""
    plugin = product.plugin(endpoint, key_mode=KeyMode.STRICT)
    proxy = sidecar(endpoint, names, (plugin,))
    outbound = tuple(
        replace(
            listener,
            routes=tuple(replace(route, retry_on="5xx") for route in listener.routes),
        )
        for listener in proxy.outbound
    )
    return replace(proxy, outbound=outbound, is_dynamic=True)


@pytest.fixture
def path() -> str:
    """A path that no other test asks for."""
    return f"/orders/{next(_numbers)}?full=yes"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/orders"),
        ("POST", "/orders?dry-run"),
        ("DELETE", "/orders//7/./items/../x"),
        ("GET", "/%7Ea/%e2%82%ac;v=1?q=%20&q"),
        ("GET", "/" + "a" * 5000),
    ],
)
def test_requests_pass_as_often_as_they_are_asked(
    pair: Pair, method: str, path: str
) -> None:
    for _ in range(3):
        answer = pair.ask(method, path)
        assert answer.code == 200
        if method != "HEAD":
            assert answer.application["name"] == pair.checkout.key
            assert not answer.application_headers(KEY_HEADER)


def test_a_stolen_key_is_good_once(pair: Pair, path: str) -> None:
    """The thief comes first here, which nobody can help who has seen it all."""
    headers = pair.stolen(path)
    assert dict(headers)[KEY_HEADER].startswith("v2.")
    assert pair.replay(headers, path) == "allowed"
    assert pair.replay(headers, path) == "key_replayed"


def test_a_stolen_key_is_for_one_request(pair: Pair, path: str) -> None:
    headers = pair.stolen(path)
    assert pair.replay(headers, path, method="DELETE") == "key_mismatch"
    assert pair.replay(headers, path + "1") == "key_mismatch"
    assert pair.replay(headers, path.partition("?")[0]) == "key_mismatch"
    assert pair.replay(headers, "/admin") == "key_mismatch"
    assert pair.replay(headers, path, authority="checkout") == "key_mismatch"
    assert pair.replay(headers, path) == "allowed"


def test_a_stolen_key_is_for_one_address(
    pair: Pair, path: str, addresses: Addresses
) -> None:
    headers = pair.stolen(path)
    thief = addresses.pod(_THIEF)
    assert pair.replay(headers, path, source=thief) == "source_elsewhere"
    assert pair.replay(headers, path) == "allowed"


def test_a_plain_key_is_not_taken(pair: Pair, path: str) -> None:
    headers = pair.product.headers(pair.cart, HOST)
    assert pair.replay(headers, path) == "key_not_strict"


def test_what_envoy_sends_again_is_a_replay(pair: Pair) -> None:
    """One worker judges both attempts: it cannot tell a retry from a thief."""
    path = f"/cut/{next(_numbers)}"
    assert pair.ask(path=path).code == 403

    def judged() -> list[str]:
        entries = (e for e in pair.receiving.access_log() if e.path == path)
        return [entry.details.partition("{")[0] for entry in entries]

    expected = ["upstream_reset_before_response_started", "pepmesh_key_replayed"]
    wait_until(lambda: judged() == expected, f"{expected} in the access log")


def test_modes_are_rolled_out_and_back_without_a_refusal(pair: Pair) -> None:
    """Either side first in each step: what is in between must hold too."""
    sender = (pair.sending, pair.cart)
    receiver = (pair.receiving, pair.checkout)
    steps = [
        (receiver, KeyMode.PERMISSIVE),
        (sender, KeyMode.PERMISSIVE),
        (sender, KeyMode.PLAIN),
        (receiver, KeyMode.PLAIN),
        (sender, KeyMode.PERMISSIVE),
        (receiver, KeyMode.PERMISSIVE),
        (receiver, KeyMode.STRICT),
        (sender, KeyMode.STRICT),
    ]
    sent = "v2."
    for (envoy, endpoint), mode in steps:
        pair.load(envoy, endpoint, mode)
        if envoy is pair.sending:
            sent = "v1." if mode is KeyMode.PLAIN else "v2."
        for _ in range(5):
            assert pair.ask().code == 200
        assert dict(pair.stolen("/"))[KEY_HEADER].startswith(sent)


def updates(envoy: Envoy) -> int:
    """Return how often an Envoy took a new configuration of an HTTP filter."""
    lines = envoy.admin("/stats?filter=http_filter.*config_reload$").splitlines()
    return sum(int(line.rpartition(": ")[2]) for line in lines)

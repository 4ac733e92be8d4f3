"""Rules that ask about the request, in the whole filter on both back ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from generator.overlay.configuration import Traffic
from tests.filters.pep_mesh import Headers, Pep, address, key_of, reason, rule
from tests.support.guests import BACKENDS

SOURCE = b"x-overlay-src"
KEY = b"x-overlay-key"
CART = b"outbound|80||cart.shop.svc.cluster.local"

each_backend = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture(scope="module")
def cart() -> Callable[[str], Pep]:
    known = {backend: Pep(backend, "cart", Traffic.INBOUND) for backend in BACKENDS}
    return known.__getitem__


@pytest.fixture(scope="module")
def prom() -> Callable[[str], Pep]:
    known = {b: Pep(b, "prom", Traffic.OUTBOUND, ("cart",)) for b in BACKENDS}
    return known.__getitem__


def proof(source: str = "prom") -> Headers:
    wire = address(source).wire_text.encode()
    return ((SOURCE, wire), (KEY, key_of(source, "cart")))


def request(method: str, path: str, host: str = "cart") -> Headers:
    return (
        (b":authority", host.encode()),
        (b":path", path.encode()),
        (b":method", method.encode()),
        (b":scheme", b"http"),
    )


BLUE = ((b"x-team", b"blue"),)
RED = ((b"x-team", b"red"),)

ALLOWED = [
    ("GET", "/carts", "cart", ()),
    ("HEAD", "/carts?page=2", "cart", ()),
    ("GET", "//carts/7/./items", "cart", ()),
    ("GET", "/c%61rts/%41/items", "cart", ()),
    ("POST", "/carts", "cart", BLUE),
    ("POST", "/carts/7/items", "cart", BLUE),
    ("POST", "/carts", "cart", BLUE + BLUE),
    ("GET", "/", "eu.status.example", ()),
    ("DELETE", "/x", "a.b.STATUS.example:8080", RED),
]

DENIED = [
    ("GET", "/", "cart", ()),
    ("GET", "/carts/", "cart", ()),
    ("GET", "/carts/7", "cart", ()),
    ("GET", "/carts//items", "cart", ()),
    ("get", "/carts", "cart", ()),
    ("PUT", "/carts", "cart", BLUE),
    ("POST", "/carts", "cart", ()),
    ("POST", "/carts", "cart", RED),
    ("POST", "/carts/../x", "cart", BLUE),
    ("GET", "/", "status.example", ()),
    ("GET", "/", "status.example.evil", ()),
]

AMBIGUOUS = [
    ("GET", "/carts%2F7/items", "cart", ()),
    ("GET", "/carts/..;/x", "cart", ()),
    ("GET", "/carts;x/7/items", "cart", ()),
    ("POST", "/carts", "cart", BLUE + RED),
]


def of(cases: list[tuple[str, str, str, Headers]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("method", "path", "host", "headers"), cases)


@each_backend
@of(ALLOWED)
def test_a_request_is_let_in(
    backend: str,
    cart: Callable[[str], Pep],
    method: str,
    path: str,
    host: str,
    headers: Headers,
) -> None:
    asked = request(method, path, host)
    outcome = cart(backend).receive(proof() + headers, request=asked)
    assert reason(outcome) == "allowed"


@each_backend
@of(DENIED)
def test_a_request_is_denied(
    backend: str,
    cart: Callable[[str], Pep],
    method: str,
    path: str,
    host: str,
    headers: Headers,
) -> None:
    asked = request(method, path, host)
    outcome = cart(backend).receive(proof() + headers, request=asked)
    assert reason(outcome) == "ingress_denied"
    assert rule(outcome) == "NetworkPolicy/shop/default-deny/ingress/default"


@each_backend
@of(AMBIGUOUS)
def test_what_is_read_in_two_ways_is_denied(
    backend: str,
    cart: Callable[[str], Pep],
    method: str,
    path: str,
    host: str,
    headers: Headers,
) -> None:
    asked = request(method, path, host)
    outcome = cart(backend).receive(proof() + headers, request=asked)
    assert reason(outcome) == "request_ambiguous"


@each_backend
@pytest.mark.parametrize("path", ["/internal", "/internal/x", "/x/../internal/"])
def test_an_admin_rule_denies_a_path_to_everybody(
    backend: str, cart: Callable[[str], Pep], path: str
) -> None:
    """Also to the workload that may send anything else."""
    pep = cart(backend)
    assert reason(pep.receive(proof("web"), request=request("GET", "/x"))) == "allowed"
    outcome = pep.receive(proof("web"), request=request("GET", path))
    assert reason(outcome) == "ingress_denied"
    assert rule(outcome) == "OverlayPolicy/pepmesh-system/internal/ingress/0"


@each_backend
@pytest.mark.parametrize("path", ["/%2finternal", "/a%00", "/\\internal", "/.."])
def test_an_admin_rule_with_paths_denies_what_has_no_normal_form(
    backend: str, cart: Callable[[str], Pep], path: str
) -> None:
    outcome = cart(backend).receive(proof("web"), request=request("GET", path))
    assert reason(outcome) == "request_ambiguous"
    assert rule(outcome) == "OverlayPolicy/pepmesh-system/internal/ingress/0"


@each_backend
def test_where_no_rule_asks_for_paths_any_path_is_fine(backend: str) -> None:
    free = Pep(backend, "cart", Traffic.INBOUND)
    outcome = free.receive(proof(), 9090, request=request("GET", "/a%2Fb"))
    assert reason(outcome) == "allowed"


@each_backend
def test_the_sender_is_told_first(backend: str, prom: Callable[[str], Pep]) -> None:
    """A key is there, since some requests are allowed; the others end here."""
    pep = prom(backend)
    outcome = pep.send(CART, request=request("GET", "/carts"))
    assert reason(outcome) == "allowed"
    assert KEY in {name for name, _ in outcome.headers_after}
    outcome = pep.send(CART, request=request("DELETE", "/carts"))
    assert reason(outcome) == "ingress_denied"
    outcome = pep.send(CART, request=request("GET", "/carts%2f"))
    assert reason(outcome) == "request_ambiguous"


@each_backend
def test_one_request_leaves_nothing_to_the_next(
    backend: str, cart: Callable[[str], Pep]
) -> None:
    pep = cart(backend)
    assert reason(pep.receive(proof(), request=request("GET", "/carts"))) == "allowed"
    odd = request("GET", "/carts%2f")
    assert reason(pep.receive(proof(), request=odd)) == "request_ambiguous"
    assert reason(pep.receive(proof(), request=request("GET", "/carts"))) == "allowed"
    nothing = ((b":method", b"GET"),)
    assert reason(pep.receive(proof(), request=nothing)) == "request_ambiguous"

"""Requests like one that was let in before: what is not asked again, and what is.

`host.calls` tells the two ways apart: a request that is recognised reads one property,
which is the question whether the connection is its sender's own.
"""

from __future__ import annotations

import pytest

from generator.overlay.configuration import KeyMode, Traffic
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host, property_path
from generator.wasm.plugin import Plugin
from tests.filters.pep_mesh import (
    EPOCH,
    NOW_NS,
    REQUEST,
    Connection,
    Headers,
    Pep,
    address,
    configuration,
    key_of,
    reason,
    start_guest,
)
from tests.support.guests import BACKENDS

SOURCE = b"x-overlay-src"
KEY = b"x-overlay-key"
CERTIFICATE = property_path("connection", "uri_san_peer_certificate")
DIRECTION = property_path("xds", "listener_direction")
BOUND = b"pepmesh_from"
PEER = b"10.0.0.1:1"
ANY = b',"sourceAddress":"any"}'

each_backend = pytest.mark.parametrize("backend", BACKENDS)


def proof(
    source: str = "web", target: str = "cart", instance: str = "10.0.0.1"
) -> Headers:
    wire = address(source, instance).wire_text.encode()
    return ((SOURCE, wire), (KEY, key_of(source, target, instance=instance)))


def request(path: str, host: str = "cart") -> Headers:
    named = ((b":path", path.encode()), (b":authority", host.encode()))
    return ((b":method", b"GET"), (b":scheme", b"http"), *named)


@pytest.fixture
def cart(backend: str) -> Pep:
    return Pep(backend, "cart", Traffic.INBOUND)


def is_recognised(
    pep: Pep,
    connection: Connection,
    headers: Headers,
    expected: str = "allowed",
    request: Headers = REQUEST,
) -> bool:
    """Send a request, check its verdict, and tell whether it was recognised."""
    pep.host.calls.clear()
    assert reason(pep.receive_on(connection, headers, request)) == expected
    return pep.host.calls["proxy_get_property"] == 1


def bound(connection: Connection) -> list[bytes]:
    return [name for name in connection if name.startswith(BOUND)]


# --- what is not asked again -----------------------------------------------------


@each_backend
def test_the_second_request_of_a_connection_is_recognised(cart: Pep) -> None:
    with cart.connection(8080, PEER) as connection:
        assert not is_recognised(cart, connection, proof())
        assert is_recognised(cart, connection, proof())
        (name,) = bound(connection)
        assert connection[name].value == b""  # so that the host copies nothing


@each_backend
def test_each_connection_is_looked_at_once(cart: Pep) -> None:
    with cart.connection(8080, PEER) as one, cart.connection(8080, PEER) as other:
        assert not is_recognised(cart, one, proof())
        assert not is_recognised(cart, other, proof())
        assert is_recognised(cart, one, proof())
        assert is_recognised(cart, other, proof())


@each_backend
def test_a_connection_outlives_the_epoch(cart: Pep) -> None:
    """The new key is verified once, for all connections that its sender has."""
    later = (proof()[0], (KEY, key_of("web", "cart", epoch=EPOCH + 1)))
    with cart.connection(8080, PEER) as one, cart.connection(8080, PEER) as other:
        for connection in (one, other):
            is_recognised(cart, connection, proof())
        assert not is_recognised(cart, one, later)
        assert is_recognised(cart, one, later)
        assert is_recognised(cart, other, later)
        assert len(bound(one)) == len(bound(other)) == 1


@each_backend
def test_the_direction_is_not_asked_again(backend: str) -> None:
    cart = Pep(backend, "cart", None)
    cart.host.properties[DIRECTION] = (1).to_bytes(8, "little")
    with cart.connection(8080, PEER) as connection:
        is_recognised(cart, connection, proof())
        assert is_recognised(cart, connection, proof())


@each_backend
def test_the_direction_of_a_connection_is_asked_once(backend: str) -> None:
    """On the way out too: then the property's being there is the answer."""
    web = Pep(backend, "web", None, ("cart",))
    web.host.properties[DIRECTION] = (2).to_bytes(8, "little")
    cluster = b"outbound|80||cart.shop.svc.cluster.local"
    web.host.properties[property_path("xds", "cluster_name")] = cluster
    connection: Connection = {}
    for is_first in (True, False, False):
        web.host.calls.clear()
        outcome = web.plugin.request(REQUEST, connection=connection)
        assert reason(outcome) == "allowed"
        assert web.host.calls["proxy_get_property"] == (3 if is_first else 2)
        assert web.host.calls["proxy_set_property"] == (1 if is_first else 0)
    web.host.properties[DIRECTION] = (1).to_bytes(8, "little")
    assert reason(web.plugin.request(REQUEST)) == "peer_unknown"


@each_backend
def test_a_proof_that_came_in_is_nothing_on_the_way_out(backend: str) -> None:
    """The application knows no proofs, and one that it knew would not let it out."""
    cart = Pep(backend, "cart", None)
    cart.host.properties[DIRECTION] = (1).to_bytes(8, "little")
    with cart.connection(8080, PEER) as connection:
        is_recognised(cart, connection, proof())
    cart.host.properties[DIRECTION] = (2).to_bytes(8, "little")
    assert reason(cart.send(b"outbound|80||nobody", proof())) == "egress_denied"


# --- what is asked of every request ----------------------------------------------


@each_backend
@pytest.mark.parametrize("peer", [b"10.0.0.2:1", b"[2001:db8::1]:1"])
def test_a_stolen_proof_is_recognised_nowhere_else(cart: Pep, peer: bytes) -> None:
    with cart.connection(8080, PEER) as own:
        is_recognised(cart, own, proof())
        with cart.connection(8080, peer) as other:
            for _ in range(2):
                outcome = cart.receive_on(other, proof())
                assert reason(outcome) == "source_elsewhere"
            assert bound(other) == []
        assert is_recognised(cart, own, proof())


@each_backend
def test_a_stolen_proof_needs_the_certificate(cart: Pep) -> None:
    cart.host.properties[CERTIFICATE] = b"spiffe://a/ns/shop/sa/web"
    with cart.connection(8080, PEER) as own:
        is_recognised(cart, own, proof())
        assert is_recognised(cart, own, proof())
        cart.host.properties[CERTIFICATE] = b"spiffe://a/ns/shop/sa/db"
        with cart.connection(8080, PEER) as other:
            for _ in range(2):
                outcome = cart.receive_on(other, proof())
                assert reason(outcome) == "source_mismatch"


@each_backend
def test_a_port_is_judged_for_itself(cart: Pep) -> None:
    """The same proof on two ports: what is allowed at one is not at the other."""
    with cart.connection(8080, PEER) as one:
        is_recognised(cart, one, proof())
        with cart.connection(9090, PEER) as other:
            for _ in range(3):
                outcome = cart.receive_on(other, proof())
                assert reason(outcome) == "egress_denied"
        for _ in range(2):
            assert reason(cart.receive_on(one, proof())) == "allowed"


@each_backend
def test_rules_about_requests_are_asked_each_time(cart: Pep) -> None:
    """Who sends is recognised; what is sent is judged. One rule asks for hosts only."""
    with cart.connection(8080, PEER) as connection:
        prom = proof("prom")
        is_recognised(cart, connection, prom, request=request("/carts"))
        for path, host, expected in (
            ("/carts", "cart", "allowed"),
            ("/other", "cart", "ingress_denied"),
            ("/other", "eu.status.example", "allowed"),
            ("/other", "status.example", "ingress_denied"),
            ("/carts/..;/x", "cart", "request_ambiguous"),
            ("/internal", "eu.status.example", "ingress_denied"),
            ("/carts", "cart", "allowed"),
        ):
            asked = request(path, host)
            assert is_recognised(cart, connection, prom, expected, asked)


@each_backend
def test_an_audited_policy_counts_each_request(backend: str) -> None:
    free = Pep(backend, "free", Traffic.INBOUND)
    with free.connection(8081, PEER) as connection:
        for count in range(1, 4):
            outcome = free.receive_on(connection, proof("prom", "free"))
            assert reason(outcome) == "allowed"
            assert free.host.metrics[b"pepmesh_inbound_audited"] == count


@each_backend
def test_the_clock_is_read_each_time(cart: Pep) -> None:
    with cart.connection(8080, PEER) as connection:
        is_recognised(cart, connection, proof())
        cart.host.clock_ns = NOW_NS + 90 * 10**9
        assert reason(cart.receive_on(connection, proof())) == "key_expired"
        cart.host.clock_ns = NOW_NS - 90 * 10**9
        assert reason(cart.receive_on(connection, proof())) == "key_expired"
        cart.host.failing["proxy_get_current_time_nanoseconds"] = 2
        assert reason(cart.receive_on(connection, proof())) == "clock_unreadable"


@each_backend
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ((proof()[0],), "source_repeated"),
        ((proof()[1],), "key_repeated"),
        (((SOURCE, b""),), "source_repeated"),
        (((KEY, b""),), "key_repeated"),
    ],
)
def test_repeated_headers_are_denied(cart: Pep, more: Headers, expected: str) -> None:
    with cart.connection(8080, PEER) as connection:
        is_recognised(cart, connection, proof())
        for headers in (proof() + more, more + proof()):
            assert reason(cart.receive_on(connection, headers)) == expected


@each_backend
@pytest.mark.parametrize("place", [0, 1])
def test_one_changed_byte_is_not_recognised(cart: Pep, place: int) -> None:
    """Wherever it is: each byte of both headers is compared."""
    with cart.connection(8080, PEER) as connection:
        is_recognised(cart, connection, proof())
        name, value = proof()[place]
        for at in range(len(value)):
            changed = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
            headers = list(proof())
            headers[place] = (name, changed)
            outcome = cart.receive_on(connection, tuple(headers))
            assert reason(outcome) != "allowed"
        for cut in (value[:-1], value[1:], value + b"A", b""):
            headers[place] = (name, cut)
            outcome = cart.receive_on(connection, tuple(headers))
            assert reason(outcome) != "allowed"
        assert is_recognised(cart, connection, proof())


@each_backend
def test_tunnels_are_denied(cart: Pep) -> None:
    connect = ((b":method", b"CONNECT"), (b":authority", b"cart:8080"))
    with cart.connection(8080, PEER) as connection:
        is_recognised(cart, connection, proof())
        outcome = cart.receive_on(connection, proof(), connect)
        assert reason(outcome) == "tunnel_unsupported"


@each_backend
def test_headers_that_stay_are_a_denial(cart: Pep) -> None:
    with cart.connection(8080, PEER) as connection:
        is_recognised(cart, connection, proof())
        cart.host.failing["proxy_remove_header_map_value"] = 2
        assert reason(cart.receive_on(connection, proof())) == "rewrite_failed"


# --- configurations --------------------------------------------------------------


@each_backend
def test_any_address_ends_with_its_configuration(cart: Pep) -> None:
    """What was not checked under the old configuration is checked under the new."""
    text = configuration("cart", Traffic.INBOUND)
    assert cart.plugin.start(text[:-1] + ANY)
    with cart.connection(8080, b"10.0.0.2:1") as connection:
        is_recognised(cart, connection, proof())
        assert is_recognised(cart, connection, proof())
        assert cart.plugin.start(text)
        for _ in range(2):
            outcome = cart.receive_on(connection, proof())
            assert reason(outcome) == "source_elsewhere"


@each_backend
def test_plain_keys_end_with_their_configuration(cart: Pep) -> None:
    strict = configuration("cart", Traffic.INBOUND, mode=KeyMode.STRICT)
    with cart.connection(8080, PEER) as connection:
        is_recognised(cart, connection, proof())
        assert cart.plugin.start(strict)
        assert reason(cart.receive_on(connection, proof())) == "key_not_strict"


@each_backend
def test_a_connection_outlives_a_configuration(cart: Pep) -> None:
    with cart.connection(8080, PEER) as connection:
        is_recognised(cart, connection, proof())
        assert cart.plugin.start(configuration("cart", Traffic.INBOUND))
        assert not is_recognised(cart, connection, proof())
        assert is_recognised(cart, connection, proof())
        assert len(bound(connection)) == 1


# --- where connections cannot be bound -------------------------------------------


def other_vm(backend: str) -> Plugin:
    """A plugin in a VM of its own, whose random numbers differ."""
    guest = start_guest(backend)
    assert isinstance(guest.host, Host)
    guest.host.random_seed = 7
    plugin = Plugin(guest)
    assert plugin.start(configuration("cart", Traffic.INBOUND))
    return plugin


@each_backend
def test_a_network_filter_in_another_vm(cart: Pep, backend: str) -> None:
    """Its context's number means something else in this VM: nothing is touched."""
    other = other_vm(backend)
    host = other.guest.host
    host.properties[property_path("destination", "port")] = (8080).to_bytes(8, "little")
    host.properties[property_path("source", "address")] = PEER
    connection: Connection = {}
    stream = other.open_connection(connection)
    assert stream.new_connection() == 0
    with cart.connection(8080, PEER) as unrelated:
        for _ in range(3):
            assert reason(cart.receive_on(connection, proof())) == "allowed"
        assert cart.host.calls["proxy_set_effective_context"] == 0
        assert bound(connection) == bound(unrelated) == []
    stream.finish()


@each_backend
@pytest.mark.parametrize("hostcall", ["random_get", "proxy_set_effective_context"])
def test_a_host_that_does_not_let_us(backend: str, hostcall: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    fresh = Plugin(start_guest(backend))
    assert isinstance(fresh.guest.host, Host)
    fresh.guest.host.failing[hostcall] = 28
    assert fresh.start(configuration("cart", Traffic.INBOUND))
    cart.plugin = fresh
    with cart.connection(8080, PEER) as connection:
        for _ in range(3):
            assert not is_recognised(cart, connection, proof())
        assert bound(connection) == []


@each_backend
def test_without_a_network_filter(cart: Pep) -> None:
    with cart.connection(8080, b"") as connection:
        for _ in range(3):
            assert not is_recognised(cart, connection, proof())
        assert bound(connection) == []


@each_backend
def test_a_gateway_binds_a_few_sources(cart: Pep) -> None:
    """Many senders behind one connection: Envoy's memory for it is bounded."""
    text = configuration("cart", Traffic.INBOUND)
    assert cart.plugin.start(text[:-1] + ANY)
    senders = [proof(instance=f"10.1.0.{number}") for number in range(1, 21)]
    with cart.connection(8080, b"10.0.0.9:1") as connection:
        for headers in senders:
            assert reason(cart.receive_on(connection, headers)) == "allowed"
        assert len(bound(connection)) == 16
        assert is_recognised(cart, connection, senders[0])
        assert not is_recognised(cart, connection, senders[-1])


@each_backend
def test_keys_of_many_senders_take_turns(cart: Pep, backend: str) -> None:
    """More proofs than slots: whichever was forgotten is verified again."""
    text = configuration("cart", Traffic.INBOUND)
    assert cart.plugin.start(text[:-1] + ANY)
    count = 300 if isinstance(cart.plugin.guest, WasmGuest) else 140
    senders = [
        proof(instance=f"10.1.{number // 200}.{number % 200 + 1}")
        for number in range(count)
    ]
    with cart.connection(8080, b"10.0.0.9:1") as connection:
        for headers in senders + senders[::-1]:
            assert reason(cart.receive_on(connection, headers)) == "allowed"

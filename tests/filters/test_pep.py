"""The whole filter on both back ends: who gets in, who does not, and why."""

from __future__ import annotations

import struct
from collections.abc import Callable
from ipaddress import IPv6Address

import pytest

from filters.layout import VERSION
from generator.overlay.configuration import Traffic
from generator.overlay.keys import target_secret
from generator.wasm.guest import Guest, WasmGuest
from generator.wasm.host import property_path
from generator.wasm.plugin import Plugin
from generator.wasm.python_guest import PythonGuest
from tests.filters.pep_mesh import (
    EPOCH,
    NOW_NS,
    REQUEST,
    Headers,
    Pep,
    address,
    configuration,
    key_of,
    mesh,
    only_key,
    own_target,
    reason,
    rule,
    start_guest,
    workload,
)
from tests.support.guests import BACKENDS

SOURCE = b"x-overlay-src"
KEY = b"x-overlay-key"

each_backend = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture(scope="module")
def pep() -> Callable[..., Pep]:
    known: dict[object, Pep] = {}

    def find(
        backend: str,
        name: str,
        direction: Traffic | None,
        reachable: tuple[str, ...] = (),
    ) -> Pep:
        """A plugin that has been started before; requests leave nothing behind."""
        key = (backend, name, direction, reachable)
        if key not in known:
            known[key] = Pep(*key)
        return known[key]

    return find


def proof(source: str = "web", target: str = "cart") -> Headers:
    wire = address(source).wire_text.encode()
    return ((SOURCE, wire), (KEY, key_of(source, target)))


# --- inbound: a member with a proof ------------------------------------------------


@each_backend
def test_a_proof_and_a_rule_let_in(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    outcome = cart.receive(proof())
    assert reason(outcome) == "allowed"
    assert not {SOURCE, KEY} & {name for name, _ in outcome.headers_after}
    assert b"pepmesh_inbound_allowed" not in cart.host.metrics
    cart.plugin.tick()
    assert cart.host.metrics[b"pepmesh_inbound_allowed"] == 1


@each_backend
def test_what_was_counted_outlives_a_root(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    cart.receive(proof())
    assert cart.plugin.start(configuration("cart", Traffic.INBOUND))
    assert cart.host.metrics[b"pepmesh_inbound_allowed"] == 1
    cart.receive(proof("free"))
    assert cart.host.metrics[b"pepmesh_inbound_ingress_denied"] == 1


@each_backend
@pytest.mark.parametrize(
    ("source", "port", "expected", "named"),
    [
        ("web", 8080, "allowed", ""),
        (
            "web",
            9090,
            "egress_denied",
            "default-deny/egress",
        ),
        ("prom", 9090, "allowed", ""),
        ("prom", 8080, "ingress_denied", "default-deny/ingress"),
        ("db", 8080, "egress_denied", "default-deny/egress"),
        ("free", 8080, "ingress_denied", "default-deny/ingress"),
        ("cart", 8080, "egress_denied", "default-deny/egress"),
    ],
)
def test_both_directions_are_judged(
    backend: str,
    pep: Callable[..., Pep],
    source: str,
    port: int,
    expected: str,
    named: str,
) -> None:
    outcome = pep(backend, "cart", Traffic.INBOUND).receive(proof(source), port)
    assert reason(outcome) == expected
    if named:
        assert rule(outcome) == f"NetworkPolicy/shop/{named}/default"


@each_backend
def test_the_rule_is_in_the_filter_state(backend: str, pep: Callable[..., Pep]) -> None:
    """An access log shows `%FILTER_STATE(wasm.pepmesh_rule:PLAIN)%`."""
    cart = pep(backend, "cart", Traffic.INBOUND)
    outcome = cart.receive(proof("free"))
    assert rule(outcome).startswith("NetworkPolicy/shop/")
    assert outcome.local_response is not None
    assert rule(outcome).encode() not in outcome.local_response.body
    assert outcome.local_response.body == b"pepmesh: denied: ingress_denied\n"


@each_backend
def test_a_verified_key_is_remembered(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    for _ in range(3):
        assert reason(cart.receive(proof())) == "allowed"
    # A remembered key is still a key of its time.
    cart.host.clock_ns = NOW_NS + 90 * 10**9
    assert reason(cart.receive(proof())) == "key_expired"


def test_a_verified_key_is_not_computed_again() -> None:
    """White box, so CPython only: the steady state has no HMAC."""
    cart = Pep("cpython", "cart", Traffic.INBOUND)
    guest = cart.plugin.guest
    assert isinstance(guest, PythonGuest)
    names = guest.module.judge_inbound.__globals__
    compute = names["compute_mac"]
    computed: list[object] = []

    def counting(*given: object) -> None:
        computed.append(given)
        compute(*given)

    names["compute_mac"] = counting
    for _ in range(3):
        assert reason(cart.receive(proof())) == "allowed"
    assert len(computed) == 1


@each_backend
def test_a_remembered_key_dies_with_its_bundle(backend: str) -> None:
    """Rotation ends at once: what old keys proved is not remembered."""
    cart = Pep(backend, "cart", Traffic.INBOUND)
    wire = address("web").wire_text.encode()
    headers = ((SOURCE, wire), (KEY, key_of("web", "cart", key_id=1)))
    assert reason(cart.receive(headers)) == "allowed"
    rotated = configuration("cart", Traffic.INBOUND, keys=only_key(2))
    assert cart.plugin.start(rotated)
    assert reason(cart.receive(headers)) == "key_target"


@each_backend
def test_old_secrets_do_not_linger(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    secret = target_secret(b"m" * 32, mesh()[0].id, 1, own_target("cart"))
    assert secret in memory_of(cart.plugin.guest)
    assert cart.plugin.start(configuration("cart", Traffic.INBOUND, keys=only_key(2)))
    assert secret not in memory_of(cart.plugin.guest)


def memory_of(guest: Guest) -> bytes:
    """All bytes of a module's memory, or what CPython has instead: the key rows."""
    if isinstance(guest, WasmGuest):
        return guest.memory.read(0, len(guest.memory))
    assert isinstance(guest, PythonGuest)
    keys = guest.module.admit.__globals__["KEYS"]
    return bytes(keys[0 : len(keys)])


@each_backend
@pytest.mark.parametrize("ages", [-1, 0, 1])
def test_neighbouring_epochs_are_accepted(
    backend: str, pep: Callable[..., Pep], ages: int
) -> None:
    key = key_of("web", "cart", epoch=EPOCH + ages)
    headers = ((SOURCE, address("web").wire_text.encode()), (KEY, key))
    assert reason(pep(backend, "cart", Traffic.INBOUND).receive(headers)) == "allowed"


@each_backend
def test_two_key_ids_are_valid_during_rotation(
    backend: str, pep: Callable[..., Pep]
) -> None:
    key = key_of("web", "cart", key_id=1)
    headers = ((SOURCE, address("web").wire_text.encode()), (KEY, key))
    assert reason(pep(backend, "cart", Traffic.INBOUND).receive(headers)) == "allowed"


# --- tiers and audit ---------------------------------------------------------------


@each_backend
def test_a_cluster_wide_policy_denies_first(
    backend: str, pep: Callable[..., Pep]
) -> None:
    free = pep(backend, "free", Traffic.INBOUND)
    outcome = free.receive(proof("db", "free"))
    # The sender's own policy already denies: it isolates db.
    assert rule(outcome) == "NetworkPolicy/shop/default-deny/egress/default"
    sender = pep(backend, "prom", Traffic.OUTBOUND, ("free",))
    assert reason(sender.send(b"outbound|80||free.ops.svc.cluster.local")) == "allowed"
    prom = pep(backend, "prom", Traffic.INBOUND)
    assert reason(prom.receive(proof("free", "prom"), 9090)) == "allowed"


@each_backend
def test_an_audited_policy_counts_and_lets_pass(backend: str) -> None:
    """The request passes; the would-be denial is counted, and logged with its rule."""
    free = Pep(backend, "free", Traffic.INBOUND)
    with free.connection(8080, b"10.0.0.1:1") as connection:
        outcome = free.receive_on(connection, proof("prom", "free"))
        assert reason(outcome) == "allowed"
    assert b"pepmesh_inbound_audited" not in free.host.metrics
    with free.connection(8081, b"10.0.0.1:1") as connection:
        outcome = free.receive_on(connection, proof("prom", "free"))
        assert reason(outcome) == "allowed"
    assert free.host.metrics[b"pepmesh_inbound_audited"] == 1
    assert reason(free.receive((), 8080, b"203.0.113.9:1")) == "allowed"
    assert free.host.metrics[b"pepmesh_inbound_audited"] == 2


@each_backend
def test_the_audited_rule_is_in_the_filter_state(backend: str) -> None:
    free = Pep(backend, "free", Traffic.INBOUND)
    with free.connection(8081, b"10.0.0.1:1") as connection:
        headers = [(b":method", b"GET"), *proof("prom", "free")]
        stream = free.plugin.open_stream(headers, connection=connection)
        assert stream.request_headers() == 0
        found = stream.context.filter_state[b"pepmesh_rule"].value
        assert found == b"audit:NetworkPolicy/ops/tomorrow/ingress/default"
        stream.finish()


@each_backend
def test_an_audited_policy_is_noted_by_the_sender_too(backend: str) -> None:
    prom = Pep(backend, "prom", Traffic.OUTBOUND, ("free",))
    cluster = b"outbound|8081||free.ops.workload.pepmesh"
    assert reason(prom.send(cluster)) == "target_unreachable"  # no key in this bundle
    assert prom.host.metrics[b"pepmesh_outbound_audited"] == 1


# --- inbound: bad headers ------------------------------------------------------------

WEB = address("web").wire_text.encode()
GOOD = key_of("web", "cart")
FIELDS = GOOD.split(b".")


def with_field(place: int, value: bytes) -> bytes:
    return b".".join([*FIELDS[:place], value, *FIELDS[place + 1 :]])


BAD: dict[str, tuple[Headers, str]] = {
    "no source": (((KEY, GOOD),), "source_missing"),
    "no key": (((SOURCE, WEB),), "key_missing"),
    "empty source": (((SOURCE, b""), (KEY, GOOD)), "source_malformed"),
    "empty key": (((SOURCE, WEB), (KEY, b"")), "key_version"),
    "repeated source": (((SOURCE, WEB), (SOURCE, WEB), (KEY, GOOD)), "source_repeated"),
    "repeated key": (((SOURCE, WEB), (KEY, GOOD), (KEY, GOOD)), "key_repeated"),
    "joined sources": (((SOURCE, WEB + b"," + WEB), (KEY, GOOD)), "source_malformed"),
    "oversized source": (((SOURCE, WEB * 200), (KEY, GOOD)), "source_malformed"),
    "oversized key": (((SOURCE, WEB), (KEY, GOOD + b"A" * 9000)), "key_malformed"),
    "IPv4 text": (((SOURCE, b"10.0.0.1"), (KEY, GOOD)), "source_malformed"),
    "upper case": (((SOURCE, WEB.upper()), (KEY, GOOD)), "source_malformed"),
    "wrong base64": (((SOURCE, WEB), (KEY, with_field(4, b"!" * 22))), "key_malformed"),
    "padded base64": (
        ((SOURCE, WEB), (KEY, with_field(4, FIELDS[4][:20] + b"=="))),
        "key_malformed",
    ),
    "wrong version": (((SOURCE, WEB), (KEY, with_field(0, b"v3"))), "key_version"),
    "strict version": (((SOURCE, WEB), (KEY, with_field(0, b"v2"))), "key_malformed"),
    "unknown key id": (((SOURCE, WEB), (KEY, with_field(1, b"3"))), "key_target"),
    "old epoch": (
        ((SOURCE, WEB), (KEY, key_of("web", "cart", epoch=EPOCH - 2))),
        "key_expired",
    ),
    "future epoch": (
        ((SOURCE, WEB), (KEY, key_of("web", "cart", epoch=EPOCH + 2))),
        "key_expired",
    ),
    "epoch of another key": (
        ((SOURCE, WEB), (KEY, with_field(2, b"%d" % (EPOCH - 1)))),
        "key_mismatch",
    ),
    "huge epoch": (((SOURCE, WEB), (KEY, with_field(2, b"9" * 18))), "key_expired"),
    "wrong target": (((SOURCE, WEB), (KEY, key_of("web", "db"))), "key_target"),
    "renamed target": (
        ((SOURCE, WEB), (KEY, with_field(3, b"%d" % own_target("db")))),
        "key_target",
    ),
    "another workload's key": (
        ((SOURCE, WEB), (KEY, key_of("prom", "cart"))),
        "key_mismatch",
    ),
    "another endpoint's key": (
        ((SOURCE, WEB), (KEY, key_of("web", "cart", instance="10.0.0.9"))),
        "key_mismatch",
    ),
    "another overlay": (
        ((SOURCE, b"fdff" + WEB[4:]), (KEY, GOOD)),
        "source_foreign",
    ),
    "another realm": (
        ((SOURCE, WEB[:15] + b"00ff" + WEB[19:]), (KEY, GOOD)),
        "source_unknown",
    ),
    "unknown workload": (
        ((SOURCE, WEB[:20] + b"0000:00ff" + WEB[29:]), (KEY, GOOD)),
        "source_unknown",
    ),
    "no instance": (
        ((SOURCE, WEB[:30] + b"0000:0000"), (KEY, GOOD)),
        "source_unknown",
    ),
    "any instance": (
        (
            (SOURCE, WEB[:30] + b"ffff:ffff"),
            (KEY, key_of("web", "cart", instance="255.255.255.255")),
        ),
        "source_unknown",
    ),
}


@each_backend
@pytest.mark.parametrize("case", sorted(BAD))
def test_bad_headers_are_denied(
    backend: str, pep: Callable[..., Pep], case: str
) -> None:
    headers, expected = BAD[case]
    assert reason(pep(backend, "cart", Traffic.INBOUND).receive(headers)) == expected


@each_backend
def test_a_replayed_key_of_a_flipped_bit(backend: str, pep: Callable[..., Pep]) -> None:
    """No byte of a verified key can be changed: it is remembered whole."""
    cart = pep(backend, "cart", Traffic.INBOUND)
    assert reason(cart.receive(proof())) == "allowed"
    for place in range(len(GOOD)):
        damaged = bytearray(GOOD)
        damaged[place] ^= 1
        headers = ((SOURCE, WEB), (KEY, bytes(damaged)))
        assert reason(cart.receive(headers)) != "allowed", place


# --- inbound: where it comes from ------------------------------------------------


@each_backend
@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (b"10.0.0.1:4711", "allowed"),
        (b"10.0.0.2:4711", "source_elsewhere"),
        (b"[2001:db8::1]:4711", "source_elsewhere"),
        (b"envoy://internal_client_address/", "allowed"),  # not known
        (b"", "allowed"),  # no network filter: not known
    ],
)
def test_a_proof_comes_from_where_it_says(
    backend: str, pep: Callable[..., Pep], peer: bytes, expected: str
) -> None:
    cart = pep(backend, "cart", Traffic.INBOUND)
    assert reason(cart.receive(proof(), peer=peer)) == expected


@each_backend
def test_ipv6_members_are_known_by_the_hash_of_their_address(backend: str) -> None:
    here = "2001:db8::7"
    source = mesh()[0].address_of(workload("web"), IPv6Address(here))
    key = key_of("web", "cart", instance=here)
    headers = ((SOURCE, source.wire_text.encode()), (KEY, key))
    cart = Pep(backend, "cart", Traffic.INBOUND)
    assert reason(cart.receive(headers, peer=b"[2001:db8::7]:1")) == "allowed"
    assert reason(cart.receive(headers, peer=b"[2001:db8::8]:1")) == "source_elsewhere"


@each_backend
def test_any_address_where_gateways_hide_it(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    text = configuration("cart", Traffic.INBOUND)[:-1] + b',"sourceAddress":"any"}'
    assert cart.plugin.start(text)
    assert reason(cart.receive(proof(), peer=b"10.0.0.2:4711")) == "allowed"


# --- inbound: certificates -------------------------------------------------------

CERTIFICATE = property_path("connection", "uri_san_peer_certificate")


@each_backend
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"spiffe://cluster.local/ns/shop/sa/web", "allowed"),
        (b"spiffe://cluster.local/ns/shop/sa/cart", "source_mismatch"),
        (b"spiffe://cluster.local/ns/ops/sa/web", "source_mismatch"),
        (b"spiffe://a/ns/x/sa/y/ns/shop/sa/web", "source_mismatch"),
        (b"spiffe:///ns/shop/sa/web", "source_mismatch"),
        (b"https://cluster.local/ns/shop/sa/web", "source_mismatch"),
        (b"x", "source_mismatch"),
        (b"", "allowed"),
    ],
)
def test_the_certificate_must_agree(backend: str, name: bytes, expected: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    cart.host.properties[CERTIFICATE] = name
    assert reason(cart.receive(proof())) == expected


@each_backend
def test_a_connection_keeps_its_certificate(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    cart.host.properties[CERTIFICATE] = b"spiffe://a/ns/shop/sa/web"
    with cart.connection(8080, b"10.0.0.1:1") as connection:
        assert reason(cart.receive_on(connection, proof())) == "allowed"
        del cart.host.properties[CERTIFICATE]
        # The same peer, another member's proof: replayed on this connection.
        outcome = cart.receive_on(connection, proof("prom"))
        assert reason(outcome) == "source_mismatch"


@each_backend
def test_the_hot_path_makes_five_hostcalls(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    with cart.connection(8080, b"10.0.0.1:1") as connection:
        assert reason(cart.receive_on(connection, proof())) == "allowed"
        cart.host.calls.clear()
        assert reason(cart.receive_on(connection, proof())) == "allowed"
    assert cart.host.calls == {
        "proxy_get_header_map_pairs": 1,
        "proxy_get_property": 1,
        "proxy_get_current_time_nanoseconds": 1,
        "proxy_remove_header_map_value": 2,
    }


# --- inbound: peers outside the overlay ----------------------------------------------


@each_backend
@pytest.mark.parametrize(
    ("peer", "port", "expected"),
    [
        (b"192.0.2.7:5000", 80, "allowed"),
        (b"192.0.2.7:5000", 81, "ingress_denied"),
        (b"192.0.2.200:5000", 80, "ingress_denied"),  # except
        (b"198.51.100.1:5000", 80, "ingress_denied"),
        (b"[2001:db8::1]:5000", 80, "ingress_denied"),
        (b"10.9.9.9:5000", 80, "source_missing"),  # members live there
        (b"envoy://internal_client_address/", 80, "peer_unknown"),
        (b"/run/socket", 80, "peer_unknown"),
        (b"192.0.2.7", 80, "peer_unknown"),
        (b"", 80, "peer_unknown"),  # no network filter in front
    ],
)
def test_outsiders_are_judged_by_their_real_address(
    backend: str, pep: Callable[..., Pep], peer: bytes, port: int, expected: str
) -> None:
    forged = ((b"x-forwarded-for", b"192.0.2.7"),)
    web = pep(backend, "web", Traffic.INBOUND)
    assert reason(web.receive(forged, port, peer)) == expected


@each_backend
def test_an_unselected_workload_is_open_to_outsiders(
    backend: str, pep: Callable[..., Pep]
) -> None:
    """Kubernetes: a pod that no policy selects is not isolated."""
    free = pep(backend, "free", Traffic.INBOUND)
    assert reason(free.receive((), 8080, b"203.0.113.9:1")) == "allowed"
    assert reason(free.receive((), 8080, b"[2001:db8::9]:1")) == "allowed"
    assert reason(free.receive((), 8080, b"10.0.0.1:1")) == "source_missing"


# --- outbound --------------------------------------------------------------------

CART = b"outbound|80||cart.shop.svc.cluster.local"


@each_backend
def test_two_endpoints_behind_one_proxy_stamp_keys_of_their_own(backend: str) -> None:
    """They share a bundle while both are there, but a key holds for one address."""
    web = Pep(backend, "web", Traffic.OUTBOUND, ("cart",))
    old = web.plugin.open_stream(list(REQUEST))
    for instance in ("10.0.0.2", "10.0.0.3"):
        text = configuration("web", Traffic.OUTBOUND, ("cart",), instance=instance)
        assert web.plugin.start(text)
        stamped = dict(web.send(CART).headers_after)
        assert stamped[KEY] == key_of("web", "cart", instance=instance)
    old.finish()


@each_backend
def test_outbound_stamps_what_inbound_verifies(
    backend: str, pep: Callable[..., Pep]
) -> None:
    web = pep(backend, "web", Traffic.OUTBOUND, ("cart",))
    forged = ((SOURCE, b"fd00"), (KEY, b"v1.x"), (SOURCE, b"fd01"))
    outcome = web.send(CART, forged)
    assert reason(outcome) == "allowed"
    stamped = tuple(h for h in outcome.headers_after if h[0] in (SOURCE, KEY))
    assert sorted(name for name, _ in stamped) == [KEY, SOURCE]
    assert dict(stamped)[SOURCE] == address("web", "10.0.0.2").wire_text.encode()
    assert dict(stamped)[KEY] == key_of("web", "cart", instance="10.0.0.2")
    cart = pep(backend, "cart", Traffic.INBOUND)
    assert reason(cart.receive(stamped, peer=b"10.0.0.2:4711")) == "allowed"
    again = web.send(CART)  # now from memory
    assert dict(again.headers_after)[KEY] == dict(stamped)[KEY]


@each_backend
def test_a_new_epoch_is_a_new_key(backend: str) -> None:
    web = Pep(backend, "web", Traffic.OUTBOUND, ("cart",))
    first = dict(web.send(CART).headers_after)[KEY]
    web.host.clock_ns += 30 * 10**9
    second = dict(web.send(CART).headers_after)[KEY]
    assert second != first
    assert second == key_of("web", "cart", epoch=EPOCH + 1, instance="10.0.0.2")


@each_backend
@pytest.mark.parametrize(
    ("name", "cluster", "expected"),
    [
        ("web", b"outbound|80||db.shop.svc.cluster.local", "egress_denied"),
        ("web", b"outbound|81||cart.shop.svc.cluster.local", "target_empty"),
        ("web", b"outbound|8080||cart.shop.workload.pepmesh", "target_unreachable"),
        ("web", b"outbound|9090||cart.shop.workload.pepmesh", "egress_denied"),
        ("web", b"outbound|443||example.com", "egress_denied"),
        ("web", b"outbound|x||cart.shop.svc.cluster.local", "destination_unknown"),
        ("web", b"", "destination_unknown"),
        ("free", b"outbound|80||cart.shop.svc.cluster.local", "ingress_denied"),
        ("free", b"outbound|443||example.com", "allowed"),
        ("free", b"outbound|80||free.ops.svc.cluster.local", "target_unreachable"),
    ],
)
def test_outbound_is_judged(
    backend: str, pep: Callable[..., Pep], name: str, cluster: bytes, expected: str
) -> None:
    sender = pep(backend, name, Traffic.OUTBOUND)
    outcome = sender.send(cluster, ((SOURCE, b"x"), (KEY, b"y")))
    assert reason(outcome) == expected
    if expected == "allowed":
        assert not {SOURCE, KEY} & {name for name, _ in outcome.headers_after}


@each_backend
@pytest.mark.parametrize(
    ("original", "expected"),
    [(b"203.0.113.5:443", "allowed"), (b"nowhere", "destination_unknown")],
)
def test_passthrough_is_judged_by_the_original_address(
    backend: str, original: bytes, expected: str
) -> None:
    free = Pep(backend, "free", Traffic.OUTBOUND)
    free.host.properties[property_path("destination", "address")] = original
    assert reason(free.send(b"PassthroughCluster")) == expected


# --- what fits nowhere ---------------------------------------------------------------


@each_backend
@pytest.mark.parametrize("direction", [Traffic.INBOUND, Traffic.OUTBOUND])
def test_tunnels_are_denied(
    backend: str, pep: Callable[..., Pep], direction: Traffic
) -> None:
    cart = pep(backend, "cart", direction)
    connect = ((b":method", b"CONNECT"), (b":authority", b"db:5432"))
    outcome = cart.plugin.request(connect)
    assert reason(outcome) == "tunnel_unsupported"


@each_backend
def test_grpc_requests_get_status_7(backend: str, pep: Callable[..., Pep]) -> None:
    cart = pep(backend, "cart", Traffic.INBOUND)
    outcome = cart.receive((*proof("free"), (b"content-type", b"application/grpc")))
    assert outcome.local_response is not None
    assert outcome.local_response.grpc_status == 7
    plain = cart.receive(proof("free"))
    assert plain.local_response is not None
    assert plain.local_response.grpc_status == -1


@each_backend
def test_direction_comes_from_the_listener(backend: str) -> None:
    cart = Pep(backend, "cart", None)
    assert reason(cart.receive(proof())) == "direction_unknown"
    where = property_path("xds", "listener_direction")
    cart.host.properties[where] = struct.pack("<Q", 1)
    assert reason(cart.receive(proof())) == "allowed"
    cart.host.properties[where] = struct.pack("<Q", 2)
    assert reason(cart.send(b"outbound|5432||nobody")) == "egress_denied"
    cart.host.properties[where] = struct.pack("<Q", 3)
    assert reason(cart.receive(proof())) == "direction_unknown"


@each_backend
@pytest.mark.parametrize(
    ("hostcall", "status", "expected"),
    [
        ("proxy_get_header_map_pairs", 6, "request_unreadable"),
        ("proxy_get_current_time_nanoseconds", 2, "clock_unreadable"),
        ("proxy_remove_header_map_value", 2, "rewrite_failed"),
        ("proxy_define_metric", 2, "allowed"),
        ("proxy_increment_metric", 1, "allowed"),
    ],
)
def test_every_status_is_handled(
    backend: str, hostcall: str, status: int, expected: str
) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    cart.host.failing[hostcall] = status
    assert reason(cart.receive(proof())) == expected


@each_backend
def test_a_denial_that_cannot_be_sent_closes_the_stream(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    cart.host.failing["proxy_send_local_response"] = 6
    outcome = cart.receive(proof("free"))
    assert outcome.is_closed
    assert not outcome.reaches_upstream
    cart.host.failing["proxy_close_stream"] = 2
    last = cart.receive(proof("free"))
    assert last.status == 503  # trapped: Envoy fails closed
    assert not last.reaches_upstream


@each_backend
def test_an_unknown_stream_is_denied(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    stream = cart.plugin.open_stream([(b":method", b"GET")])
    for _ in range(64):
        cart.plugin.open_stream([(b":method", b"GET")])
    assert stream.request_headers() == 1
    assert stream.context.local_response is not None
    assert stream.context.local_response.details == b"pepmesh_not_configured"


# --- configuration -------------------------------------------------------------------


@each_backend
@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b"null", b'{"bundle":"AAAA"}', b'{"bundle":""}'),
        configuration("cart").replace(b'"bundle"', b'"bundel"'),
        configuration("cart").replace(b'{"bundle":"UE1', b'{"bundle":"UE2'),
        configuration("cart")[:-40] + b'"}',
        configuration("cart").replace(b'"namespace":"shop"', b'"namespace":5'),
        configuration("web")
        .replace(b'"app":"web"', b'"app":"cart"')
        .replace(b'"serviceAccount":"web"', b'"serviceAccount":"cart"'),
        b'{"bundleEnv":"NOT_SET","direction":"inbound"}',
    ],
)
def test_bad_configurations_are_refused(backend: str, text: bytes) -> None:
    plugin = Plugin(start_guest(backend))
    assert not plugin.start(text)
    assert plugin.request([(b":method", b"GET")]).status == 503
    assert any("refused" in line for line in plugin.guest.host.log_text())


@each_backend
def test_a_key_of_the_wrong_length_is_refused(backend: str) -> None:
    text = configuration("cart").decode()
    bundle = text.partition('"bundle":"')[2].partition('"')[0]
    for cut in (4, 8, 40):
        plugin = Plugin(start_guest(backend))
        assert not plugin.start(text.replace(bundle, bundle[:-cut]).encode())


@each_backend
def test_a_refused_update_keeps_the_old(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    assert not cart.plugin.start(b'{"bundle":"AAAA"}')
    assert reason(cart.receive(proof())) == "allowed"


@each_backend
def test_old_and_new_roots_live_side_by_side(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    wire = address("web").wire_text.encode()
    old = cart.plugin.open_stream(
        [*REQUEST, (SOURCE, wire), (KEY, key_of("web", "cart"))]
    )
    assert cart.plugin.start(configuration("cart", Traffic.OUTBOUND))
    where = property_path("destination", "port")
    cart.host.properties[where] = struct.pack("<Q", 8080)
    # The stream that began before the update is still judged by the old root.
    assert old.request_headers() == 0
    assert reason(cart.send(b"outbound|80||nobody")) == "egress_denied"
    old.finish()
    for _ in range(20):  # roots and secrets are freed, or this would run out
        assert cart.plugin.start(configuration("cart", Traffic.INBOUND))
        assert cart.plugin.start(configuration("cart", Traffic.OUTBOUND))


@each_backend
def test_too_many_roots_are_refused(backend: str) -> None:
    cart = Pep(backend, "cart", Traffic.INBOUND)
    streams = []
    for _ in range(7):
        streams.append(cart.plugin.open_stream([(b":method", b"GET")]))
        assert cart.plugin.start(configuration("cart", Traffic.INBOUND))
    streams.append(cart.plugin.open_stream([(b":method", b"GET")]))
    assert not cart.plugin.start(configuration("cart", Traffic.INBOUND))
    for stream in streams:
        stream.finish()


@each_backend
@pytest.mark.parametrize("damage", ["absent", "truncated", "flipped", "newer"], ids=str)
def test_without_a_valid_table_nothing_starts(backend: str, damage: str) -> None:
    table = mesh()[1]
    damaged = {
        "absent": b"",
        "truncated": table[:-4],
        "flipped": table[:200] + bytes([table[200] ^ 1]) + table[201:],
        "newer": table[:4] + bytes([VERSION + 1]) + table[5:],
    }[damage]
    plugin = Plugin(start_guest(backend, damaged))
    assert not plugin.start(configuration("cart"))


# --- identity ------------------------------------------------------------------------


def as_node(name: str, labels: dict[str, str]) -> dict[bytes, bytes]:
    found = workload(name)
    facts = {
        property_path("xds", "node", "metadata", "NAMESPACE"): found.namespace,
        property_path("xds", "node", "metadata", "SERVICE_ACCOUNT"): name,
        property_path("xds", "node", "metadata", "INSTANCE_IPS"): "fe80::1,10.0.0.2",
    }
    for key, value in labels.items():
        facts[property_path("xds", "node", "metadata", "LABELS", key)] = value
    return {path: value.encode() for path, value in facts.items()}


@each_backend
def test_identity_from_node_metadata(backend: str) -> None:
    plugin = Plugin(start_guest(backend))
    plugin.guest.host.properties |= as_node("web", {"app": "web", "other": "x"})
    bundle = configuration("web", Traffic.OUTBOUND, ("cart",)).decode()
    text = bundle.partition(',"endpoint"')[0]
    direction = ',"direction":"outbound"}'
    if '"direction"' not in text:
        text += direction
    assert plugin.start((text.rstrip("}") + "}").encode())
    path = property_path("xds", "cluster_name")
    plugin.guest.host.properties[path] = CART
    outcome = plugin.request(list(REQUEST))
    stamped = dict(outcome.headers_after)
    assert stamped[SOURCE] == address("web", "10.0.0.2").wire_text.encode()


@each_backend
@pytest.mark.parametrize("labels", [{}, {"app": "nobody"}, {"app": ""}])
def test_unknown_labels_mean_no_identity(backend: str, labels: dict[str, str]) -> None:
    plugin = Plugin(start_guest(backend))
    plugin.guest.host.properties |= as_node("web", labels)
    text = configuration("web", Traffic.INBOUND).decode().partition(',"endpoint"')[0]
    assert plugin.start((text.rstrip("}") + "}").encode())
    assert reason(plugin.request([(b":method", b"GET")])) == "no_identity"
    warnings = [line for line in plugin.guest.host.log_text() if "identity" in line]
    assert len(warnings) == 1


@each_backend
def test_the_bundle_from_the_environment(backend: str) -> None:
    plugin = Plugin(start_guest(backend))
    text = configuration("web", Traffic.INBOUND).decode()
    bundle = text.partition('"bundle":"')[2].partition('"')[0]
    plugin.guest.host.environment["PEPMESH_BUNDLE"] = bundle
    named = text.replace(f'"bundle":"{bundle}"', '"bundleEnv":"PEPMESH_BUNDLE"')
    assert plugin.start(named.encode())

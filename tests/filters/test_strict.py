"""Strict keys in the whole filter, on both back ends: one request, and once."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.overlay.configuration import KeyMode, Traffic
from generator.overlay.keys import BoundRequest, strict_key_header
from generator.overlay.master_keys import MasterKey, MasterKeys
from generator.wasm.plugin import Outcome, Plugin
from generator.wasm.python_guest import PythonGuest
from tests.filters.pep_mesh import (
    MASTER,
    NOW_NS,
    Headers,
    Pep,
    address,
    configuration,
    key_of,
    mesh,
    only_key,
    own_target,
    pairwise,
    reason,
    start_guest,
)
from tests.support.guests import BACKENDS

SOURCE = b"x-overlay-src"
KEY = b"x-overlay-key"
CART = b"outbound|80||cart.shop.svc.cluster.local"
WEB = address("web").wire_text.encode()
WEB_PEER = b"10.0.0.1:4711"
NOW_MS = NOW_NS // 10**6
WINDOW_MS = 10_000

ASKED = BoundRequest(b"GET", b"cart", b"/", NOW_MS, bytes(8))

each_backend = pytest.mark.parametrize("backend", BACKENDS)


def strict_key(
    request: BoundRequest = ASKED,
    source: str = "web",
    target: str = "cart",
    *,
    key_id: int = 2,
    instance: str = "10.0.0.1",
) -> bytes:
    """The strict key header that `source` makes, with the reference code."""
    return strict_key_header(
        pairwise(source, target, key_id),
        request,
        key_id=key_id,
        source=address(source, instance),
        target_id=own_target(target),
    ).encode()


def proof(key: bytes) -> Headers:
    return ((SOURCE, WEB), (KEY, key))


def headers_of(asked: BoundRequest) -> Headers:
    """The request that a key is for."""
    texts = {b":method": asked.method, b":authority": asked.authority}
    return (*texts.items(), (b":path", asked.path), (b":scheme", b"http"))


def receiver(backend: str, mode: KeyMode = KeyMode.STRICT) -> Pep:
    return Pep(backend, "cart", Traffic.INBOUND, mode=mode)


def sender(backend: str, mode: KeyMode = KeyMode.STRICT) -> Pep:
    return Pep(backend, "web", Traffic.OUTBOUND, ("cart",), mode)


@pytest.fixture(scope="module")
def cart() -> Callable[[str], Pep]:
    """A receiver that every test may use whose keys are not those of others."""
    known = {backend: receiver(backend) for backend in BACKENDS}
    return known.__getitem__


@pytest.fixture(scope="module")
def web() -> Callable[[str], Pep]:
    known = {backend: sender(backend) for backend in BACKENDS}
    return known.__getitem__


def stamped_key(outcome: Outcome) -> bytes:
    found = [value for name, value in outcome.headers_after if name == KEY]
    assert len(found) == 1
    return found[0]


# --- what one side makes, the other takes, once --------------------------------------


@each_backend
def test_a_key_is_taken_once(backend: str) -> None:
    cart = receiver(backend)
    headers = proof(strict_key())
    assert reason(cart.receive(headers)) == "allowed"
    assert reason(cart.receive(headers)) == "key_replayed"
    assert cart.host.metrics[b"pepmesh_inbound_key_replayed"] == 1
    other = replace(ASKED, nonce=b"1" * 8)
    outcome = cart.receive(proof(strict_key(other)))
    assert reason(outcome) == "allowed"
    assert not {SOURCE, KEY} & {name for name, _ in outcome.headers_after}


@each_backend
def test_a_key_is_spent_for_all_listeners(backend: str) -> None:
    """Ports, and roots of later configurations, share the memory of a worker."""
    cart = receiver(backend)
    headers = proof(strict_key(source="prom"))
    headers = ((SOURCE, address("prom").wire_text.encode()), headers[1])
    assert reason(cart.receive(headers, 9090)) == "allowed"
    assert reason(cart.receive(headers, 8080)) == "key_replayed"
    assert cart.plugin.start(configuration("cart", Traffic.INBOUND))
    assert reason(cart.receive(headers, 9090)) == "key_replayed"


@each_backend
def test_another_worker_does_not_know_what_was_taken(backend: str) -> None:
    """What at most once is worth: per worker, and from the sender's own address."""
    one, other = receiver(backend), receiver(backend)
    headers = proof(strict_key())
    assert reason(one.receive(headers)) == "allowed"
    assert reason(other.receive(headers, peer=b"10.0.0.9:1")) == "source_elsewhere"
    assert reason(other.receive(headers)) == "allowed"
    assert reason(other.receive(headers)) == "key_replayed"


@each_backend
def test_a_stolen_key_is_not_spent_by_the_thief(backend: str) -> None:
    cart = receiver(backend)
    headers = proof(strict_key())
    assert reason(cart.receive(headers, peer=b"10.0.0.9:1")) == "source_elsewhere"
    assert reason(cart.receive(headers)) == "allowed"


TEXTS = st.binary(max_size=150).filter(lambda text: text != b"CONNECT")
# A rule of the mesh asks for the path, so that has to be a plain one.
PATHS = st.builds(b"/%s?%s".__mod__, st.tuples(st.from_regex(rb"\A[a-h]*\Z"), TEXTS))


@each_backend
@given(method=TEXTS, authority=TEXTS, path=PATHS)
@settings(max_examples=25)
def test_outbound_makes_what_the_reference_makes(
    backend: str,
    web: Callable[[str], Pep],
    cart: Callable[[str], Pep],
    method: bytes,
    authority: bytes,
    path: bytes,
) -> None:
    asked = replace(ASKED, method=method, authority=authority, path=path)
    outcome = web(backend).send(CART, request=headers_of(asked))
    assert reason(outcome) == "allowed"
    key = stamped_key(outcome)
    assert re.fullmatch(rb"v2\.2\.%d\.\d+\.[\w-]{32}" % NOW_MS, key)
    nonce = base64.urlsafe_b64decode(key.rpartition(b".")[2])[16:]
    assert key == strict_key(replace(asked, nonce=nonce), instance="10.0.0.2")
    headers = tuple(h for h in outcome.headers_after if h[0] in (SOURCE, KEY))
    for expected in ("allowed", "key_replayed"):
        got = cart(backend).receive(
            headers, peer=b"10.0.0.2:1", request=headers_of(asked)
        )
        assert reason(got) == expected


@each_backend
def test_no_two_requests_have_one_key(backend: str) -> None:
    """Workers of a sender share key, address and clock, but not their nonces."""
    workers = [sender(backend), sender(backend)]
    workers[1].host.random_seed = 7  # other numbers than the first one's
    text = configuration("web", Traffic.OUTBOUND, ("cart",), mode=KeyMode.STRICT)
    assert workers[1].plugin.start(text)
    keys = {stamped_key(each.send(CART)) for each in workers for _ in range(300)}
    assert len(keys) == 600


# --- what the key is bound to ----------------------------------------------------


FIELDS = strict_key().split(b".")
ELSE = base64.urlsafe_b64encode(base64.urlsafe_b64decode(FIELDS[4])[:16] + b"other---")

TAMPERED: dict[str, tuple[Headers, BoundRequest, str]] = {
    "another method": (
        proof(strict_key()),
        replace(ASKED, method=b"DELETE"),
        "key_mismatch",
    ),
    "another path": (
        proof(strict_key()),
        replace(ASKED, path=b"/admin"),
        "key_mismatch",
    ),
    "another query": (
        proof(strict_key()),
        replace(ASKED, path=b"/?all"),
        "key_mismatch",
    ),
    "another host": (
        proof(strict_key()),
        replace(ASKED, authority=b"cart:80"),
        "key_mismatch",
    ),
    "the same letters": (
        proof(strict_key()),
        replace(ASKED, method=b"GETc", authority=b"art"),
        "key_mismatch",
    ),
    "another time": (
        proof(b".".join([*FIELDS[:2], b"%d" % (NOW_MS + 1), *FIELDS[3:]])),
        ASKED,
        "key_mismatch",
    ),
    "another nonce": (proof(b".".join([*FIELDS[:4], ELSE])), ASKED, "key_mismatch"),
    "another key id": (
        proof(b".".join([FIELDS[0], b"1", *FIELDS[2:]])),
        ASKED,
        "key_mismatch",
    ),
    "another target": (
        proof(b".".join([*FIELDS[:3], b"%d" % own_target("db"), FIELDS[4]])),
        ASKED,
        "key_target",
    ),
    "another workload": (proof(strict_key(source="prom")), ASKED, "key_mismatch"),
    "another endpoint": (
        proof(strict_key(instance="10.0.0.9")),
        ASKED,
        "key_mismatch",
    ),
    "as a plain key": (
        proof(b".".join([b"v1", *FIELDS[1:4], FIELDS[4][:21] + b"Q"])),
        ASKED,
        "key_not_strict",
    ),
    "no nonce": (
        proof(b".".join([*FIELDS[:4], FIELDS[4][:22]])),
        ASKED,
        "key_malformed",
    ),
    "more than a nonce": (
        proof(strict_key() + b"AAAA"),
        ASKED,
        "key_malformed",
    ),
    "another version": (
        proof(b".".join([b"v3", *FIELDS[1:]])),
        ASKED,
        "key_version",
    ),
}


@each_backend
@pytest.mark.parametrize("case", sorted(TAMPERED))
def test_every_part_is_bound(
    backend: str, cart: Callable[[str], Pep], case: str
) -> None:
    headers, asked, expected = TAMPERED[case]
    got = cart(backend).receive(headers, request=headers_of(asked))
    assert reason(got) == expected


@each_backend
def test_no_character_of_a_key_can_be_changed(
    backend: str, cart: Callable[[str], Pep]
) -> None:
    key = strict_key(replace(ASKED, nonce=b"changing"))
    for place in range(len(key)):
        damaged = bytearray(key)
        damaged[place] ^= 1
        assert reason(cart(backend).receive(proof(bytes(damaged)))) != "allowed", place
    assert reason(cart(backend).receive(proof(key))) == "allowed"


@each_backend
@pytest.mark.parametrize(
    ("late_ms", "expected"),
    [
        (WINDOW_MS + 1, "key_expired"),
        (WINDOW_MS, "allowed"),
        (0, "allowed"),
        (-WINDOW_MS, "allowed"),
        (-WINDOW_MS - 1, "key_expired"),
        (NOW_MS, "key_expired"),
    ],
)
def test_a_key_is_of_now(backend: str, late_ms: int, expected: str) -> None:
    key = strict_key(replace(ASKED, time_ms=NOW_MS - late_ms))
    cart = receiver(backend)
    assert reason(cart.receive(proof(key))) == expected
    again = "key_replayed" if expected == "allowed" else expected
    assert reason(cart.receive(proof(key))) == again


@each_backend
def test_a_key_that_has_expired_stays_so(backend: str) -> None:
    """There is no moment at which a key is forgotten and still taken."""
    cart = receiver(backend)
    headers = proof(strict_key())
    assert reason(cart.receive(headers)) == "allowed"
    cart.host.clock_ns += WINDOW_MS * 10**6
    assert reason(cart.receive(headers)) == "key_replayed"
    cart.host.clock_ns += 10**6
    assert reason(cart.receive(headers)) == "key_expired"


# --- keys come and go ----------------------------------------------------------------


@each_backend
def test_two_key_ids_are_valid_during_rotation(backend: str) -> None:
    cart = receiver(backend)
    for key_id in (1, 2, 1):
        asked = replace(ASKED, nonce=b"%8d" % cart.host.clock_ns.bit_length())
        asked = replace(asked, time_ms=cart.host.clock_ns // 10**6)
        key = strict_key(asked, key_id=key_id)
        assert reason(cart.receive(proof(key))) == "allowed"
        cart.host.clock_ns += 10**6
    rotated = configuration(
        "cart", Traffic.INBOUND, keys=only_key(2), mode=KeyMode.STRICT
    )
    assert cart.plugin.start(rotated)
    asked = replace(ASKED, nonce=b"too-late")
    assert reason(cart.receive(proof(strict_key(asked, key_id=1)))) == "key_target"


@each_backend
def test_what_was_derived_dies_with_its_bundle(backend: str) -> None:
    """Other secrets in the same places: the old ones are not used, nor kept."""
    cart = receiver(backend)
    assert reason(cart.receive(proof(strict_key()))) == "allowed"
    for _ in range(2):  # a bundle's place in memory is taken again by the next but one
        secrets = tuple(MasterKey(i, bytes([i]) * 32) for i in (1, 2))
        fresh = MasterKeys(MASTER.name, mesh()[0].id, secrets)
        text = configuration("cart", Traffic.INBOUND, keys=fresh, mode=KeyMode.STRICT)
        assert cart.plugin.start(text)
        key = strict_key(replace(ASKED, nonce=b"old-keys"))
        assert reason(cart.receive(proof(key))) == "key_mismatch"
        assert cart.plugin.start(configuration("cart", Traffic.INBOUND))
        key = strict_key(replace(ASKED, nonce=b"again%3d" % cart.host.random_seed))
        assert reason(cart.receive(proof(key))) == "allowed"


def test_derived_keys_do_not_linger() -> None:
    """White box, so CPython only: a compiled guest's words look like any others."""
    web = sender("cpython")
    assert reason(web.send(CART)) == "allowed"
    pads = names_of(web)["write_strict_key"].__globals__["PADS"]
    assert any(pads[i] for i in range(len(pads)))
    assert web.plugin.start(configuration("web", Traffic.OUTBOUND, keys=only_key(1)))
    assert not any(pads[i] for i in range(len(pads)))


# --- roll-out ----------------------------------------------------------------------


@each_backend
@pytest.mark.parametrize(
    ("sending", "receiving", "expected"),
    [
        # Every sender before the first receiver asks: nothing is ever refused.
        (KeyMode.PLAIN, KeyMode.PLAIN, "allowed"),
        (KeyMode.PERMISSIVE, KeyMode.PLAIN, "allowed"),
        (KeyMode.PLAIN, KeyMode.PERMISSIVE, "allowed"),
        (KeyMode.PERMISSIVE, KeyMode.PERMISSIVE, "allowed"),
        (KeyMode.STRICT, KeyMode.PERMISSIVE, "allowed"),
        (KeyMode.PERMISSIVE, KeyMode.STRICT, "allowed"),
        (KeyMode.STRICT, KeyMode.STRICT, "allowed"),
        # Steps that were left out.
        (KeyMode.STRICT, KeyMode.PLAIN, "allowed"),
        (KeyMode.PLAIN, KeyMode.STRICT, "key_not_strict"),
    ],
)
def test_roll_out(
    backend: str, sending: KeyMode, receiving: KeyMode, expected: str
) -> None:
    outcome = sender(backend, sending).send(CART)
    headers = tuple(h for h in outcome.headers_after if h[0] in (SOURCE, KEY))
    version = b"v1." if sending is KeyMode.PLAIN else b"v2."
    assert dict(headers)[KEY].startswith(version)
    cart = receiver(backend, receiving)
    assert reason(cart.receive(headers, peer=b"10.0.0.2:1")) == expected


@each_backend
@pytest.mark.parametrize("mode", list(KeyMode))
def test_a_strict_key_is_strict_wherever_it_is_taken(
    backend: str, mode: KeyMode
) -> None:
    """A receiver that does not ask for strict keys is no way around them."""
    cart = receiver(backend, mode)
    headers = proof(strict_key())
    other = headers_of(replace(ASKED, method=b"DELETE"))
    assert reason(cart.receive(headers, request=other)) == "key_mismatch"
    assert reason(cart.receive(headers)) == "allowed"
    assert reason(cart.receive(headers)) == "key_replayed"


@each_backend
def test_plain_and_strict_keys_share_a_worker(backend: str) -> None:
    cart = receiver(backend, KeyMode.PERMISSIVE)
    plain = ((SOURCE, WEB), (KEY, key_of("web", "cart")))
    for number in range(3):
        assert reason(cart.receive(plain)) == "allowed"
        key = strict_key(replace(ASKED, nonce=b"%8d" % number))
        assert reason(cart.receive(proof(key))) == "allowed"


# --- what can go wrong, and what it costs ----------------------------------------


@each_backend
def test_without_a_clock_nothing_is_made_or_taken(backend: str) -> None:
    cart, web = receiver(backend), sender(backend)
    for pep in (cart, web):
        pep.host.failing["proxy_get_current_time_nanoseconds"] = 2
    assert reason(cart.receive(proof(strict_key()))) == "clock_unreadable"
    assert reason(web.send(CART)) == "clock_unreadable"


@each_backend
@pytest.mark.parametrize("mode", list(KeyMode))
def test_strict_senders_need_random_numbers(backend: str, mode: KeyMode) -> None:
    plugin = Plugin(start_guest(backend))
    plugin.guest.host.failing["random_get"] = 28
    text = configuration("web", Traffic.OUTBOUND, ("cart",), mode=mode)
    assert plugin.start(text) == (mode is KeyMode.PLAIN)


@each_backend
def test_the_hot_path_makes_five_hostcalls(backend: str) -> None:
    cart = receiver(backend)
    with cart.connection(8080, WEB_PEER) as connection:
        first = proof(strict_key())
        assert reason(cart.receive_on(connection, first)) == "allowed"
        cart.host.calls.clear()
        second = proof(strict_key(replace(ASKED, nonce=b"1" * 8)))
        assert reason(cart.receive_on(connection, second)) == "allowed"
    assert cart.host.calls == {
        "proxy_get_header_map_pairs": 1,
        "proxy_get_property": 1,
        "proxy_get_current_time_nanoseconds": 1,
        "proxy_remove_header_map_value": 2,
    }


@pytest.mark.parametrize(
    ("late_ms", "expected"),
    [(-WINDOW_MS, "key_replayed"), (-1, "key_replayed"), (0, "key_forgotten")],
)
def test_a_full_memory_forgets_by_the_senders_time(late_ms: int, expected: str) -> None:
    """White box, so CPython only: every mark is taken, by keys as good as this."""
    cart = receiver("cpython")
    spent = names_of(cart)["spend_strict_key"].__globals__["spend"].__globals__
    marks = spent["MARKS"]
    for i in range(len(marks)):
        marks[i].bits = (i + 1) << 33 | NOW_MS % 2**32
    headers = proof(strict_key(replace(ASKED, time_ms=NOW_MS - late_ms)))
    assert reason(cart.receive(headers)) == "allowed"
    assert reason(cart.receive(headers)) == expected


@pytest.mark.parametrize(
    ("path_bytes", "blocks"), [(1, 2), (16, 2), (17, 3), (80, 3), (81, 4)]
)
def test_a_pair_that_is_known_costs_its_message_and_one_block(
    path_bytes: int, blocks: int
) -> None:
    """White box, so CPython only: 32 bytes, three texts, padding; the outer hash."""
    cart, web = receiver("cpython"), sender("cpython")
    request = headers_of(replace(ASKED, path=b"/" * path_bytes))
    for number in range(2):
        asked = replace(ASKED, path=b"/" * path_bytes, nonce=b"%8d" % number)
        headers = proof(strict_key(asked))
        counted = count_blocks(cart)
        cart.receive(headers, request=request)
    assert len(counted) == blocks
    for _ in range(2):
        counted = count_blocks(web)
        web.send(CART, request=request)
    assert len(counted) == blocks


def names_of(pep: Pep) -> dict[str, Any]:
    """The globals of the outbound or inbound half of a filter under CPython."""
    guest = pep.plugin.guest
    assert isinstance(guest, PythonGuest)
    half = "judge_inbound" if pep.direction is Traffic.INBOUND else "judge_outbound"
    found: dict[str, Any] = getattr(guest.module, half).__globals__
    return found


def count_blocks(pep: Pep) -> Sequence[object]:
    """From now on, note every block that is hashed."""
    strict = "verify_strict_key"
    if pep.direction is Traffic.OUTBOUND:
        strict = "write_strict_key"
    names = names_of(pep)[strict].__globals__["update"].__globals__
    compress = names["compress"]
    counted: list[object] = []

    def counting(block: object) -> None:
        counted.append(block)
        compress(block)

    names["compress"] = counting
    return counted

"""The main job on real Envoys: the example shop is enforced as its policies say."""

from __future__ import annotations

import stat
from dataclasses import replace
from itertools import count

import pytest

from e2e.attacks import CATALOG, CHECKOUT, attempt_all, shop_attacks
from e2e.matrix import Observation, Seen, all_questions, find_denials, observe
from e2e.mesh import Mesh
from e2e.probe import Answer, Headers, send
from e2e.processes import wait_until
from e2e.proxy import OUTBOUND_PORT
from e2e.shop_run import Shop
from generator.overlay.keys import ADDRESS_HEADER, KEY_HEADER

_numbers = count()


@pytest.fixture(scope="module")
def matrix(shop: Shop, mesh: Mesh) -> list[Observation]:
    """Everybody asks everybody, by every name that leads there."""
    return observe(mesh, all_questions(mesh, shop.names), shop.answers)


def send_out(mesh: Mesh, source: str, authority: str, headers: Headers = ()) -> Answer:
    """Send a request through a workload's own sidecar."""
    address = mesh.endpoints[source].address
    return send(address, address, OUTBOUND_PORT, authority=authority, headers=headers)


def send_straight(
    mesh: Mesh, source: str, destination: str, port: int, headers: Headers = ()
) -> tuple[Answer, str]:
    """Send a request past the sender's sidecar; return why it was denied, too."""
    path = f"/straight/{next(_numbers)}"
    there = mesh.endpoints[destination].address
    answer = send(source, there, port, path=path, headers=headers)
    if answer.code != 403:
        return answer, ""
    denial = find_denials([mesh.envoys[destination]], [path])[path]
    return answer, denial.details.removeprefix("pepmesh_").partition(":")[0]


# --- policy ---------------------------------------------------------------------------


def test_every_flow_is_as_policy_says(matrix: list[Observation]) -> None:
    assert [o for o in matrix if not o.is_as_expected] == []
    assert {o.seen for o in matrix} == {Seen.ALLOWED, Seen.DENIED}


def test_every_denial_names_a_rule_of_a_policy(
    shop: Shop, matrix: list[Observation]
) -> None:
    policies = {f"NetworkPolicy/{p.namespace}/{p.name}" for p in shop.model.policies}
    denials = [o.denial for o in matrix if o.denial is not None]
    assert {d.rule.rsplit("/", 2)[0] for d in denials} <= policies
    for denial in denials:
        assert denial.rule.rsplit("/", 2)[1] in ("ingress", "egress")
        reason = denial.rule.rsplit("/", 2)[1] + "_denied"
        assert denial.details == f"pepmesh_{reason}:{denial.rule}"


def test_a_disagreement_is_seen(matrix: list[Observation]) -> None:
    """The comparison can fail: in both directions, and for a broken mesh."""
    for observation in matrix:
        expected = not observation.is_expected_allowed
        assert not replace(observation, is_expected_allowed=expected).is_as_expected
        broken = replace(observation, answer=Answer(503), denial=None)
        assert (broken.seen, broken.is_as_expected) == (Seen.OTHER, False)


def test_the_denying_rule_is_the_one_that_isolates(matrix: list[Observation]) -> None:
    rules = {
        (o.question.source.key, o.question.name.authority): o.denial.rule
        for o in matrix
        if o.denial is not None
    }
    # nothing lets the catalog speak but to DNS; the default deny isolates its egress
    assert rules["shop/catalog", f"{CHECKOUT}:8443"] == (
        "NetworkPolicy/shop/default-deny/egress/default"
    )
    # a UDP-only policy isolates TCP
    assert rules["ops/dns", "statsd.ops.svc.cluster.local:8126"] == (
        "NetworkPolicy/ops/statsd/ingress/default"
    )


def test_applications_never_see_overlay_headers(matrix: list[Observation]) -> None:
    for observation in matrix:
        if observation.seen is Seen.ALLOWED:
            names = {name for name, _ in observation.answer.application["headers"]}
            assert not names & {ADDRESS_HEADER, KEY_HEADER}


def test_a_denial_tells_strangers_the_reason_only(matrix: list[Observation]) -> None:
    bodies = {o.answer.body for o in matrix if o.seen is Seen.DENIED}
    assert bodies == {
        b"pepmesh: denied: egress_denied\n",
        b"pepmesh: denied: ingress_denied\n",
    }


# --- round the sidecars ---------------------------------------------------------------


def test_attacks_fail_and_honest_requests_pass(shop: Shop, mesh: Mesh) -> None:
    outcomes = attempt_all(mesh, shop_attacks(mesh, shop.product, shop.addresses))
    wrong = [(o.attack.title, o.answer.code, o.reason) for o in outcomes]
    assert wrong == [
        (o.attack.title, 403 if o.attack.reason else 200, o.attack.reason)
        for o in outcomes
    ]


def test_the_receiver_judges_ingress_again(shop: Shop, mesh: Mesh) -> None:
    """Egress of the checkout is open to the ledger; port 7009 is one too far."""
    ledger = "ledger.payments.svc.cluster.local"
    checkout = mesh.endpoints["payments/checkout"]
    headers = shop.product.headers(checkout, ledger)
    source = checkout.address
    answer, _ = send_straight(mesh, source, "payments/ledger", 7000, headers)
    assert answer.is_from_application
    _, reason = send_straight(mesh, source, "payments/ledger", 7009, headers)
    assert reason == "ingress_denied"


def test_what_nothing_selects_is_open_but_not_to_members_without_proof(
    shop: Shop, mesh: Mesh
) -> None:
    guest = shop.addresses.guest(1)
    answer, _ = send_straight(mesh, guest, "ops/status-page", 8080)
    assert answer.is_from_application
    member = mesh.endpoints["shop/cart"].address
    _, reason = send_straight(mesh, member, "ops/status-page", 8080)
    assert reason == "source_missing"


# --- headers --------------------------------------------------------------------------


def test_an_application_cannot_speak_for_another(shop: Shop, mesh: Mesh) -> None:
    """What the application sets is replaced, whether or not it may send."""
    forged = shop.product.headers(mesh.endpoints["payments/fraud"], CHECKOUT)
    answer = send_out(mesh, "shop/cart", f"{CHECKOUT}:8443", [*forged, *forged])
    assert answer.is_from_application
    assert answer.application_headers(ADDRESS_HEADER) == []
    assert answer.application_headers(KEY_HEADER) == []
    stolen = shop.product.headers(mesh.endpoints["shop/cart"], CHECKOUT)
    assert send_out(mesh, "shop/importer", f"{CHECKOUT}:8443", stolen).code == 403


_SRC, _KEY = ADDRESS_HEADER, KEY_HEADER


def _with_field(key: str, place: int, value: str) -> str:
    fields = key.split(".")
    fields[place] = value
    return ".".join(fields)


def bad_headers(shop: Shop, mesh: Mesh, case: str) -> tuple[Headers, str]:
    """Return what the cart sends to the checkout, and why it must not pass."""
    product, cart = shop.product, mesh.endpoints["shop/cart"]
    source = product.address_of(cart)
    key = product.key_for(cart, CHECKOUT)
    fraud = product.key_for(mesh.endpoints["payments/fraud"], CHECKOUT)
    old = product.key_for(cart, CHECKOUT, epochs_ago=2)
    other = product.key_for(cart, CATALOG)
    cases: dict[str, tuple[Headers, str]] = {
        "absent": ([], "source_missing"),
        "absent source": ([(_KEY, key)], "source_missing"),
        "absent key": ([(_SRC, source)], "key_missing"),
        "empty source": ([(_SRC, ""), (_KEY, key)], "source_malformed"),
        "empty key": ([(_SRC, source), (_KEY, "")], "key_version"),
        "duplicated source": (
            [(_SRC, source), (_SRC, source), (_KEY, key)],
            "source_repeated",
        ),
        "duplicated key": ([(_SRC, source), (_KEY, key), (_KEY, key)], "key_repeated"),
        "oversized source": ([(_SRC, source * 500), (_KEY, key)], "source_malformed"),
        "oversized key": ([(_SRC, source), (_KEY, key + "A" * 9999)], "key_malformed"),
        "wrong base64": (
            [(_SRC, source), (_KEY, _with_field(key, 4, "!" * 22))],
            "key_malformed",
        ),
        "wrong version": (
            [(_SRC, source), (_KEY, _with_field(key, 0, "v3"))],
            "key_version",
        ),
        "wrong epoch": ([(_SRC, source), (_KEY, old)], "key_expired"),
        "wrong target": ([(_SRC, source), (_KEY, other)], "key_target"),
        "another workload's key": ([(_SRC, source), (_KEY, fraud)], "key_mismatch"),
        "IPv4 text": ([(_SRC, cart.address), (_KEY, key)], "source_malformed"),
        "upper case": ([(_SRC, source.upper()), (_KEY, key)], "source_malformed"),
        "upper case names": (
            [(_SRC.upper(), source), (_SRC, source), (_KEY, key)],
            "source_repeated",
        ),
    }
    return cases[case]


@pytest.mark.parametrize(
    "case",
    [
        "absent",
        "absent source",
        "absent key",
        "empty source",
        "empty key",
        "duplicated source",
        "duplicated key",
        "oversized source",
        "oversized key",
        "wrong base64",
        "wrong version",
        "wrong epoch",
        "wrong target",
        "another workload's key",
        "IPv4 text",
        "upper case",
        "upper case names",
    ],
)
def test_bad_headers_are_denied(case: str, shop: Shop, mesh: Mesh) -> None:
    headers, expected = bad_headers(shop, mesh, case)
    cart = mesh.endpoints["shop/cart"].address
    answer, reason = send_straight(mesh, cart, "payments/checkout", 8443, headers)
    assert (answer.code, reason) == (403, expected)


# --- protocols ------------------------------------------------------------------------

_GRPC = [("content-type", "application/grpc"), ("te", "trailers")]


def test_grpc_over_http2_passes(mesh: Mesh) -> None:
    answer = send_out(mesh, "shop/frontend", f"{CATALOG}:9000", _GRPC)
    assert answer.is_from_application
    assert answer.header("grpc-status") is None


def test_a_grpc_denial_is_permission_denied(mesh: Mesh) -> None:
    by_sender = send_out(mesh, "shop/cart-db", f"{CATALOG}:9000", _GRPC)
    assert (by_sender.code, by_sender.header("grpc-status")) == (200, "7")
    cart = mesh.endpoints["shop/cart"]
    checkout = mesh.endpoints["payments/checkout"]
    by_receiver = send(cart.address, checkout.address, 8443, headers=_GRPC)
    assert (by_receiver.code, by_receiver.header("grpc-status")) == (200, "7")


def test_a_tunnel_is_denied(shop: Shop, mesh: Mesh) -> None:
    cart, checkout = mesh.endpoints["shop/cart"], mesh.endpoints["payments/checkout"]
    answer = send(
        cart.address,
        checkout.address,
        8443,
        method="CONNECT",
        path="10.0.0.1:80",
        authority="10.0.0.1:80",
        headers=shop.product.headers(cart, CHECKOUT),
    )
    assert answer.code == 403


def test_a_host_that_nobody_knows_is_denied(mesh: Mesh) -> None:
    assert send_out(mesh, "shop/cart", "example.com:8080").code == 403


# --- operation ------------------------------------------------------------------------


def test_decisions_are_counted(shop: Shop, mesh: Mesh) -> None:
    """Denials at once; allowed requests are collected and arrive within a second."""
    checkout = mesh.envoys["payments/checkout"]
    allowed = "wasmcustom.pepmesh_inbound_allowed"
    missing = "wasmcustom.pepmesh_inbound_source_missing"
    allowed_before, missing_before = checkout.stat(allowed), checkout.stat(missing)
    cart = mesh.endpoints["shop/cart"]
    headers = shop.product.headers(cart, CHECKOUT)
    for _ in range(3):
        send_straight(mesh, cart.address, "payments/checkout", 8443, headers)
        send_straight(mesh, cart.address, "payments/checkout", 8443)
    assert checkout.stat(missing) == missing_before + 3
    wait_until(
        lambda: checkout.stat(allowed) >= allowed_before + 3, "the allowed requests"
    )


def test_the_admin_interface_is_for_its_owner_only(mesh: Mesh) -> None:
    for envoy in mesh.envoys.values():
        mode = (envoy.folder / "admin").stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600

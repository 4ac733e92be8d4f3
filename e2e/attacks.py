"""What somebody tries who goes round the sidecars, and what must come of it.

Every row is a request sent straight to a pod. Two of them are honest, so that the
refusals mean something: the same request passes if address and key are right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from e2e.addresses import Addresses
from e2e.enforcement import Enforcement
from e2e.envoy import LogEntry
from e2e.matrix import find_denials
from e2e.mesh import Endpoint, Mesh
from e2e.probe import Answer, Headers, send
from e2e.proxy import OUTBOUND_PORT
from generator.overlay.keys import ADDRESS_HEADER, KEY_HEADER

CHECKOUT = "checkout.payments.svc.cluster.local"
CATALOG = "catalog.shop.svc.cluster.local"


@dataclass(frozen=True, slots=True)
class Attack:
    """One attempt. `reason` is the filter's reason code; empty: it is honest."""

    title: str
    reason: str
    source: str
    address: str
    port: int
    headers: Headers = ()
    authority: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt and what came of it."""

    attack: Attack
    answer: Answer
    denial: LogEntry | None

    @property
    def reason(self) -> str:
        if self.denial is None:
            return ""
        return self.denial.details.removeprefix("pepmesh_").partition(":")[0]

    @property
    def is_as_expected(self) -> bool:
        if self.attack.reason:
            return self.answer.code == 403 and self.reason == self.attack.reason
        return self.answer.is_from_application


def shop_attacks(
    mesh: Mesh, product: Enforcement, addresses: Addresses
) -> list[Attack]:
    """Return the attempts on the example shop."""
    ends = mesh.endpoints
    cart, fraud = ends["shop/cart"], ends["payments/fraud"]
    return [
        *_on_checkout(cart, fraud, ends["payments/checkout"], product),
        *_from_outside(ends["shop/frontend"], addresses),
        Attack(
            "its application sets stolen headers itself",
            "egress_denied",
            fraud.address,
            fraud.address,
            OUTBOUND_PORT,
            product.headers(cart, CHECKOUT),
            f"{CATALOG}:8000",
        ),
    ]


def _on_checkout(
    cart: Endpoint, fraud: Endpoint, checkout: Endpoint, product: Enforcement
) -> list[Attack]:
    """Go round the sender's sidecar to a pod that only some may reach."""
    cart_address = (ADDRESS_HEADER, product.address_of(cart))
    key = product.key_for(cart, CHECKOUT)
    forged = key[:-22] + "A" * 22

    def attempt(title: str, reason: str, headers: Headers, port: int = 8443) -> Attack:
        return Attack(title, reason, cart.address, checkout.address, port, headers)

    def with_key(value: str) -> Headers:
        return [cart_address, (KEY_HEADER, value)]

    return [
        attempt("the cart's own address and key", "", with_key(key)),
        Attack(
            "the same, stolen: from another pod",
            "source_elsewhere",
            fraud.address,
            checkout.address,
            8443,
            with_key(key),
        ),
        attempt("past the sidecar, no headers", "source_missing", []),
        attempt("the address alone", "key_missing", [cart_address]),
        attempt("a made-up key", "key_mismatch", with_key(forged)),
        attempt(
            "a key for the catalog, replayed",
            "key_target",
            with_key(product.key_for(cart, CATALOG)),
        ),
        attempt(
            "the key of another workload",
            "key_mismatch",
            with_key(product.key_for(fraud, CHECKOUT)),
        ),
        attempt(
            "a key of two minutes ago",
            "key_expired",
            with_key(product.key_for(cart, CHECKOUT, epochs_ago=4)),
        ),
        attempt("the right key, another port", "egress_denied", with_key(key), 9100),
    ]


def _from_outside(frontend: Endpoint, addresses: Addresses) -> list[Attack]:
    """Come from an address outside the overlay, where an ipBlock decides."""
    office, guest = addresses.office(1), addresses.guest(1)
    forged = [("x-forwarded-for", office)]

    def attempt(title: str, reason: str, source: str, headers: Headers = ()) -> Attack:
        return Attack(title, reason, source, frontend.address, 8080, headers)

    return [
        attempt("an office, allowed by ipBlock", "", office),
        attempt("the guest network, excepted", "ingress_denied", guest),
        attempt("the same, X-Forwarded-For: office", "ingress_denied", guest, forged),
    ]


def attempt_all(mesh: Mesh, attacks: Sequence[Attack]) -> list[Outcome]:
    """Send every attempt and find out who denied it and why."""
    answers = [_send(a, f"/attack/{number}") for number, a in enumerate(attacks)]
    denied = [f"/attack/{n}" for n, answer in enumerate(answers) if answer.code == 403]
    denials = find_denials(list(mesh.envoys.values()), denied)
    look_up: Callable[[str], LogEntry | None] = denials.get
    return [
        Outcome(attack, answer, look_up(f"/attack/{number}"))
        for number, (attack, answer) in enumerate(zip(attacks, answers, strict=True))
    ]


def _send(attack: Attack, path: str) -> Answer:
    return send(
        attack.source,
        attack.address,
        attack.port,
        authority=attack.authority,
        path=path,
        headers=attack.headers,
    )

"""The scene of a roll-out: the shop's checkout, and callers on both of its sides.

One policy comes and goes. For some callers that changes the answer, others are let in,
or kept out, all the time; who is which is the oracle's to say. What the checkout itself
asks leaves through the same sidecar, and goes to the other application directly: only
the checkout's own filter answers.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from e2e.callers import ALLOWED, DENIED, Callers, Question
from e2e.enforcement import Enforcement, enforce_next
from e2e.envoy import start_envoy
from e2e.mesh import Endpoint, start_origins
from e2e.processes import Children
from e2e.proxy import OUTBOUND_PORT, Filter, Inbound, Outbound, Proxy, Route
from e2e.rollout import Rollout, Version
from e2e.shop_run import Shop
from generator.overlay.keys import SECRET_BYTES
from generator.overlay.master_keys import MasterKey

CHECKOUT: Final = "payments/checkout"
HOST: Final = "checkout.payments.svc.cluster.local"
POLICY: Final = "payments/checkout"
CALLERS: Final = (
    ("shop/cart", 8443),
    ("shop/catalog", 8443),
    ("ops/prometheus", 9100),
)
CALLED: Final = (
    ("payments/fraud", 8080),
    ("payments/ledger", 7009),
    ("ops/dns", 5353),
)


@dataclass(frozen=True, slots=True)
class Flow:
    """A question, and what the oracle is asked about it."""

    question: Question
    source: Endpoint
    destination: Endpoint
    port: int

    @property
    def is_outbound(self) -> bool:
        return self.source.key == CHECKOUT

    def verdict(self, shop: Shop) -> str:
        allowed = shop.is_allowed(self.source, self.destination, self.port)
        return ALLOWED if allowed else DENIED


@dataclass(frozen=True)
class Scene:
    """Who asks whom what, and the sidecar in the middle."""

    proxy: Proxy
    flows: tuple[Flow, ...]
    endpoints: tuple[Endpoint, ...]
    versions: tuple[Version, Version]

    @property
    def questions(self) -> list[Question]:
        return [flow.question for flow in self.flows]


def changing_rules(shop: Shop, folder: Path) -> Scene:
    """The policy comes and goes: two modules, one set of keys."""
    flows = (*_callers(shop, shop.product), *outgoing(shop))
    other = _without_policy(shop, folder / "without.wasm")
    versions = _version(shop, flows), _version(other, flows)
    return _scene(shop, flows, versions)


def changing_keys(shop: Shop) -> Scene:
    """The keys are rotated, and back: one module, two plugin configurations.

    Two keys of three are active at a time. Who has the middle one is let in all the
    time; who has the first is told that the checkout does not serve it any more.
    """
    keys = [MasterKey(n, secrets.token_bytes(SECRET_BYTES)) for n in (1, 2, 3)]
    first, middle, before, after = (
        _with_keys(shop, *active)
        for active in (keys[:1], keys[1:2], keys[:2], keys[1:])
    )
    steady = (*_callers(shop, middle.product), *outgoing(shop))
    leaving = _flow_in(shop, first.product, *CALLERS[0])
    name = f"{leaving.question.name}, first key"
    leaving = replace(leaving, question=replace(leaving.question, name=name))
    flows = (*steady, leaving)
    old, new = _version(before, flows), _version(after, flows)
    new = replace(new, verdicts={**new.verdicts, name: "key_target"})
    return _scene(shop, flows, (old, new))


def checkout_proxy(shop: Shop, *filters: Filter) -> Proxy:
    """Return the checkout's sidecar, with all its listeners."""
    checkout = endpoint_of(shop, CHECKOUT)
    inbound = tuple(
        Inbound(checkout.address, port, checkout.origin, filters)
        for port in checkout.ports
    )
    outbound = Outbound(checkout.address, _routes(shop), filters)
    return Proxy(checkout.node, inbound, (outbound,))


def outgoing(shop: Shop) -> list[Flow]:
    """Return what the checkout asks others through its sidecar."""
    checkout = endpoint_of(shop, CHECKOUT)
    return [
        Flow(
            Question(
                f"asks {key}:{port}",
                *(checkout.address, checkout.address, OUTBOUND_PORT),
                authority=route.authority,
            ),
            checkout,
            endpoint_of(shop, key),
            port,
        )
        for (key, port), route in zip(CALLED, _routes(shop), strict=True)
    ]


def endpoint_of(shop: Shop, key: str) -> Endpoint:
    return next(e for e in shop.endpoints if e.key == key)


@contextmanager
def rolling_out(
    family: Children, scene: Scene, folder: Path, workers: int = 1
) -> Iterator[Rollout]:
    """Run the scene under its first version, with everybody asking."""
    start_origins(family, scene.endpoints, folder)
    envoy = start_envoy(family, scene.proxy, folder / "checkout", workers=workers)
    envoy.wait_ready()
    with Callers(scene.questions) as callers:
        callers.wait_for(scene.versions[0].verdicts)
        yield Rollout(envoy, callers, scene.versions[0])


def _scene(
    shop: Shop, flows: tuple[Flow, ...], versions: tuple[Version, Version]
) -> Scene:
    proxy = replace(checkout_proxy(shop, versions[0].plugin), is_dynamic=True)
    return Scene(proxy, flows, shop.endpoints, versions)


def _version(shop: Shop, flows: tuple[Flow, ...]) -> Version:
    plugin = shop.product.plugin(endpoint_of(shop, CHECKOUT))
    return Version(plugin, {f.question.name: f.verdict(shop) for f in flows})


def _without_policy(shop: Shop, module: Path) -> Shop:
    model = shop.model
    kept = tuple(p for p in model.policies if f"{p.namespace}/{p.name}" != POLICY)
    model = replace(model, policies=kept)
    return replace(shop, model=model, product=enforce_next(model, shop.product, module))


def _with_keys(shop: Shop, *keys: MasterKey) -> Shop:
    master = replace(shop.product.master, active=keys)
    return replace(shop, product=replace(shop.product, master=master))


def _callers(shop: Shop, product: Enforcement) -> list[Flow]:
    return [_flow_in(shop, product, key, port) for key, port in CALLERS]


def _flow_in(shop: Shop, product: Enforcement, key: str, port: int) -> Flow:
    caller, checkout = endpoint_of(shop, key), endpoint_of(shop, CHECKOUT)
    question = Question(
        f"{key} asks {port}",
        *(caller.address, checkout.address, port),
        headers=partial(product.headers, caller, HOST),
    )
    return Flow(question, caller, checkout, port)


def _routes(shop: Shop) -> tuple[Route, ...]:
    """Return a way to each application that the checkout calls, past its sidecar."""
    by_place = {(n.endpoint.key, n.endpoint_port): n for n in shop.preferred_names}
    names = [by_place[place] for place in CALLED]
    return tuple(replace(n.route, endpoint=n.endpoint.origin) for n in names)

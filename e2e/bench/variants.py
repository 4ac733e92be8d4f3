"""What is compared: ways to guard a server, each behind a listener of its own.

    received   client -> listener with the guard -> application
    sent       client -> listener with the guard -> application
    both       client -> sending listener -> receiving listener -> application

What is received are the very same bytes for every guard, overlay headers included; only
`plain` goes without, so that the price of carrying them shows. What is sent, alone or
through both, is what an application sends: without. Each guard is compared to its base,
the same way without a guard, and all stand in one Envoy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from e2e.addresses import Addresses
from e2e.bench import alternatives
from e2e.bench.load import request_bytes
from e2e.bench.product import Product
from e2e.bench.rules import AUTHORITY, HOST, PORT
from e2e.bench.sidecar import Json, Listener, Place, cluster, inbound, outbound, wasm
from e2e.bench.upstream import AUTHORIZER_GRPC, AUTHORIZER_HTTP, Upstream
from e2e.probe import Headers
from e2e.proxy import Plugin

SENDER: Final = "127.0.0.1"  # where wrk connects from: it has no option for that


class Way(Enum):
    """Which sidecars a request goes through."""

    RECEIVED = "received"
    SENT = "sent"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to guard; `base` names what it is compared to, "" for nobody.

    `also` names a second one: what a Wasm filter costs above one that does nothing.
    Kinds with rules are measured with every number of rules, and so are those that
    others are compared to (`is_yardstick`); the rest with the first number only.
    """

    name: str
    title: str
    base: str = ""
    way: Way = Way.RECEIVED
    has_rules: bool = False
    is_yardstick: bool = False
    also: str = ""


KINDS: Final = (
    Kind("plain", "no filter, no overlay headers", "none"),
    Kind("none", "no filter", is_yardstick=True),
    Kind("nothing", "Wasm filter that does nothing", "none", is_yardstick=True),
    Kind("inbound", "pepmesh inbound", "none", has_rules=True, also="nothing"),
    Kind("inbound-http", "pepmesh inbound, HTTP rules", "none", has_rules=True),
    Kind("rbac", "RBAC, policies", "none", has_rules=True),
    Kind("rbac-http", "RBAC, policies, HTTP rules", "none", has_rules=True),
    Kind("matcher", "RBAC, matching tree", "none", has_rules=True),
    Kind("matcher-http", "RBAC, matching tree, HTTP rules", "none", has_rules=True),
    Kind("lua", "Lua, header checks without HMAC", "none"),
    Kind("authz-http", "ext_authz, HTTP", "none"),
    Kind("authz-grpc", "ext_authz, gRPC", "none"),
    Kind("sent", "sending, no filter", way=Way.SENT, is_yardstick=True),
    Kind("outbound", "pepmesh outbound", "sent", Way.SENT, has_rules=True),
    Kind("through", "both sidecars, no filter", way=Way.BOTH, is_yardstick=True),
    Kind("both", "pepmesh, both sidecars", "through", Way.BOTH, has_rules=True),
    Kind(
        "strict",
        "pepmesh, both sidecars, strict keys",
        "through",
        Way.BOTH,
        has_rules=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A kind made ready: what must stand in an Envoy, and what to send where."""

    kind: Kind
    place: Place
    request: Callable[[], bytes]
    listeners: tuple[Listener, ...]
    clusters: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What guards are made of, with one number of rules."""

    product: Product
    nothing: Path
    upstream: Upstream
    addresses: Addresses


def kinds_for(*, is_first: bool) -> list[Kind]:
    """Return the kinds to measure with one number of rules; see `Kind`."""
    return [k for k in KINDS if is_first or k.has_rules or k.is_yardstick]


def make_variants(kinds: Sequence[Kind], scene: Scene) -> list[Variant]:
    """Give every kind listeners at addresses of its own."""
    stamp = scene.product.stamp()
    return [_variant(kind, scene, 2 * n + 1, stamp) for n, kind in enumerate(kinds)]


def _variant(
    kind: Kind, scene: Scene, number: int, stamp: Callable[[], Headers]
) -> Variant:
    received = Place(scene.addresses.pod(number), PORT)
    sent = Place(scene.addresses.pod(number + 1), PORT)
    listeners: list[Listener] = []
    clusters: list[Json] = []
    if kind.way is not Way.RECEIVED:
        target = scene.upstream.application if kind.way is Way.SENT else received
        # Istio's name with a subset, which the filter does not read.
        name = f"outbound|{PORT}|{kind.name}|{HOST}"
        clusters.append(cluster(name, target, SENDER))
        listeners.append(outbound(sent, name, _sending_guard(kind, scene)))
    if kind.way is not Way.SENT:
        guard, network_guard = _receiving_guard(kind, scene, received.address)
        listeners.append(inbound(received, guard, network_guard))
    is_stamped = kind.way is Way.RECEIVED and kind.name != "plain"

    def request() -> bytes:
        return request_bytes(AUTHORITY, stamp() if is_stamped else [])

    place = received if kind.way is Way.RECEIVED else sent
    return Variant(kind, place, request, tuple(listeners), tuple(clusters))


_Filters = tuple[Json, ...]


def _sending_guard(kind: Kind, scene: Scene) -> _Filters:
    match kind.name:
        case "outbound" | "both":
            return (wasm(scene.product.client(f"{kind.name}-sent")),)
        case "strict":
            return (wasm(scene.product.client(f"{kind.name}-sent", is_strict=True)),)
        case _:
            return ()


def _receiving_guard(
    kind: Kind, scene: Scene, address: str
) -> tuple[_Filters, _Filters]:
    """Return HTTP filters and network filters."""
    product = scene.product
    match kind.name:
        case "plain" | "none" | "through":
            return (), ()
        case "nothing":
            return (wasm(Plugin(scene.nothing, name="nothing")),), ()
        case "inbound" | "both":
            return _pepmesh(product.server(address, kind.name))
        case "strict":
            return _pepmesh(product.server(address, kind.name, is_strict=True))
        case "inbound-http":
            return _pepmesh(product.server(address, kind.name, has_requests=True))
        case "rbac":
            return (alternatives.rbac_policies(product.flow_rules, SENDER),), ()
        case "rbac-http":
            return (alternatives.rbac_policies(product.request_rules, SENDER),), ()
        case "matcher":
            return (alternatives.rbac_matcher(product.flow_rules, SENDER),), ()
        case "matcher-http":
            return (alternatives.rbac_matcher(product.request_rules, SENDER),), ()
        case "lua":
            return (alternatives.lua(),), ()
        case "authz-http":
            return (alternatives.ext_authz_http(AUTHORIZER_HTTP),), ()
        case "authz-grpc":
            return (alternatives.ext_authz_grpc(AUTHORIZER_GRPC),), ()
    raise ValueError(f"no guard is called {kind.name}")


def _pepmesh(plugin: Plugin) -> tuple[_Filters, _Filters]:
    """Return the product as both filters: the network filter knows who connected."""
    return (wasm(plugin),), (wasm(plugin, "network"),)

"""The harness itself: what the other tests rely on holds without any filter of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.addresses import Addresses
from e2e.bootstrap import write_listeners
from e2e.envoy import Envoy, RefusedToStart, start_envoy
from e2e.mesh import start_applications
from e2e.probe import send
from e2e.processes import Children, wait_until
from e2e.proxy import (
    OUTBOUND_PORT,
    Filter,
    Inbound,
    Node,
    Outbound,
    Plugin,
    Proxy,
    Rbac,
    RbacRule,
    Route,
)

PORT = 8080
HOST = "cart.shop.svc.cluster.local"


def node(address: str, name: str = "cart") -> Node:
    return Node(name, "shop", {"app": name}, name, (address,))


def receiver(addresses: Addresses, *filters: Filter) -> Proxy:
    inbound = Inbound(addresses.pod(2), PORT, addresses.origin(2), filters)
    return Proxy(node(addresses.pod(2)), (inbound,))


def sender(addresses: Addresses) -> Proxy:
    routes = (
        Route(HOST, 8000, addresses.pod(2), PORT),
        Route(HOST, 9000, addresses.pod(2), PORT, is_http2=True),
    )
    outbound = Outbound(addresses.pod(1), routes)
    return Proxy(node(addresses.pod(1), "frontend"), (), (outbound,))


@pytest.fixture
def cart(family: Children, addresses: Addresses, tmp_path: Path) -> str:
    """Run the application "cart"; return its place."""
    place = f"{addresses.origin(2)}:{PORT}"
    start_applications(family, {place: "cart"}, tmp_path)
    return place


@pytest.mark.parametrize("port", [8000, 9000], ids=["http1", "http2"])
def test_a_request_leaves_with_its_pods_own_address(
    port: int, cart: str, family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    there = start_envoy(family, receiver(addresses), tmp_path / "cart").wait_ready()
    start_envoy(family, sender(addresses), tmp_path / "frontend").wait_ready()
    answer = send(
        addresses.pod(1),
        addresses.pod(1),
        OUTBOUND_PORT,
        authority=f"{HOST}:{port}",
        path="/x",
        headers=[("x-twice", "1"), ("x-twice", "2")],
    )
    assert answer.application["name"] == "cart"
    assert answer.application_headers("x-twice") == ["1", "2"]
    wait_until(lambda: len(there.access_log()) == 1, "the access log")
    entry = there.access_log()[0]
    assert (entry.direction, entry.peer, entry.path) == (
        "inbound",
        addresses.pod(1),
        "/x",
    )


def test_native_rules_judge_the_real_peer(
    cart: str, family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    rbac = Rbac((RbacRule("one", (addresses.pod(1),), (PORT,)),))
    start_envoy(family, receiver(addresses, rbac), tmp_path / "cart").wait_ready()
    pod = addresses.pod
    forged = [("x-forwarded-for", pod(1))]
    assert send(pod(1), pod(2), PORT).is_from_application
    assert send(pod(3), pod(2), PORT).code == 403
    assert send(pod(3), pod(2), PORT, headers=forged).code == 403


def test_a_module_that_is_none_stops_the_start(
    family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    module = tmp_path / "bad.wasm"
    module.write_bytes(b"this is no module")
    proxy = receiver(addresses, Plugin(module))
    with pytest.raises(RefusedToStart, match="Unable to create Wasm"):
        start_envoy(family, proxy, tmp_path / "cart").wait_ready()


def test_listeners_are_read_again(
    cart: str, family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    def proxy(*filters: Filter) -> Proxy:
        plain = receiver(addresses, *filters)
        return Proxy(plain.node, plain.inbound, is_dynamic=True)

    folder = tmp_path / "cart"
    envoy: Envoy = start_envoy(family, proxy(), folder).wait_ready()
    pod = addresses.pod
    assert send(pod(3), pod(2), PORT).is_from_application
    rbac = Rbac((RbacRule("one", (pod(1),), (PORT,)),))
    write_listeners(proxy(rbac), folder, version="2")
    wait_until(lambda: send(pod(3), pod(2), PORT).code == 403, "the new listener")
    assert envoy.stat("listener_manager.lds.update_rejected") == 0

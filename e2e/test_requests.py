"""Rules that ask about the request, on real Envoys: what the catalog is asked.

Half of the requests leave through the sender's sidecar; odd paths go straight to the
receiving sidecar, with a genuine proof, since clients and proxies on the way repair
them. Envoy with Istio's path normalisation in front of the filter, and without.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest

from e2e.enforcement import Enforcement
from e2e.envoy import Envoy, start_envoy
from e2e.mesh import Endpoint, sidecar, start_origins
from e2e.probe import Headers, send
from e2e.processes import children, wait_until
from e2e.proxy import OUTBOUND_PORT
from e2e.shop_run import prepared_shop

POLICIES = Path(__file__).with_name("requests")
CATALOG = "catalog.shop.svc.cluster.local"
READ = "OverlayPolicy/shop/catalog-api/ingress"
ADMIN = "OverlayPolicy/pepmesh-system/no-admin/ingress/0"

_numbers = count()


@dataclass(frozen=True)
class Running:
    """The reader's sidecar and the catalog's, both up."""

    product: Enforcement
    reader: Endpoint
    catalog: Endpoint
    sending: Envoy
    receiving: Envoy

    def ask(self, method: str, path: str, headers: Headers = ()) -> str:
        """Ask through the reader's sidecar; return "allowed" or who denied why."""
        mark = f"?{next(_numbers)}"
        there = self.reader.address
        answer = send(
            there,
            there,
            OUTBOUND_PORT,
            authority=f"{CATALOG}:8000",
            method=method,
            path=path + mark,
            headers=headers,
        )
        if answer.code == 200:
            return "allowed"
        assert answer.code == 403
        return self._denial(self.sending, mark)

    def ask_straight(self, target: bytes) -> str:
        """Send any bytes as a request target to the catalog's sidecar."""
        mark = f"?{next(_numbers)}"
        proof = self.product.headers(self.reader, CATALOG)
        lines = [b"GET " + target + mark.encode() + b" HTTP/1.1", b"host: catalog"]
        lines += [f"{name}: {value}".encode() for name, value in proof]
        lines += [b"connection: close", b"", b""]
        place = (self.catalog.address, 8080)
        with socket.create_connection(
            place, 10, source_address=(self.reader.address, 0)
        ) as connection:
            connection.sendall(b"\r\n".join(lines))
            status = connection.makefile("rb").readline().split()[1]
        if status == b"200":
            return "allowed"
        return (
            status.decode() if status != b"403" else self._denial(self.receiving, mark)
        )

    def _denial(self, envoy: Envoy, mark: str) -> str:
        found: list[str] = []

        def is_logged() -> bool:
            found[:] = [e.details for e in envoy.access_log() if e.path.endswith(mark)]
            return bool(found)

        wait_until(is_logged, "the access log")
        return found[0].removeprefix("pepmesh_")


@pytest.fixture(scope="module", params=[True, False], ids=["istio", "raw"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("requests")
    policies = Path(os.path.relpath(POLICIES))
    with prepared_shop(folder, policies) as shop, children() as family:
        by_key = {endpoint.key: endpoint for endpoint in shop.endpoints}
        reader, catalog = by_key["ops/status-page"], by_key["shop/catalog"]
        start_origins(family, [catalog], folder)
        envoys = []
        for endpoint in (reader, catalog):
            proxy = sidecar(endpoint, shop.names, (shop.product.plugin(endpoint),))
            inbound = tuple(
                replace(listener, normalizes_paths=request.param)
                for listener in proxy.inbound
            )
            proxy = replace(proxy, inbound=inbound)
            place = folder / endpoint.member.name
            envoys.append(start_envoy(family, proxy, place))
        for envoy in envoys:
            envoy.wait_ready()
        sending, receiving = envoys
        yield Running(shop.product, reader, catalog, sending, receiving)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/items", ()),
        ("HEAD", "/items", ()),
        ("GET", "/items/7/stock", ()),
        ("GET", "/items//7/./stock", ()),
        ("GET", "/public", ()),
        ("GET", "/public/a/b/", ()),
        ("POST", "/items", (("x-dry-run", "yes"),)),
    ],
)
def test_the_reader_may_read(
    running: Running, method: str, path: str, headers: Headers
) -> None:
    assert running.ask(method, path, headers) == "allowed"


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [
        ("GET", "/", (), "ingress_denied:NetworkPolicy/shop/default-deny"),
        ("GET", "/items/7", (), "ingress_denied:NetworkPolicy/shop/default-deny"),
        ("DELETE", "/items", (), "ingress_denied:NetworkPolicy/shop/default-deny"),
        ("POST", "/items", (), "ingress_denied:NetworkPolicy/shop/default-deny"),
        ("GET", "/admin", (), f"ingress_denied:{ADMIN}"),
        ("GET", "/public/../admin/", (), f"ingress_denied:{ADMIN}"),
        ("GET", "/public/%2e%2e/admin", (), f"ingress_denied:{ADMIN}"),
        ("GET", "/public%2fa", (), f"request_ambiguous:{ADMIN}"),
    ],
)
def test_everything_else_ends_at_the_first_sidecar(
    running: Running, method: str, path: str, headers: Headers, expected: str
) -> None:
    assert running.ask(method, path, headers).startswith(expected)


@pytest.mark.parametrize(
    "target",
    [
        b"/public/%2Fadmin",
        b"/public/..%2fadmin",
        b"/public/%00",
        b"/public/%5c..%5cadmin",
        b"/public/%zz",
        b"/public/%c0%af",
        b"/admin;x",
        b"/public;/x",
        b"/public/" + b"a" * 4096,
    ],
)
def test_what_is_read_in_two_ways_ends_at_the_second(
    running: Running, target: bytes
) -> None:
    """Envoy passes these on; where it refuses one itself, that is a 400."""
    answer = running.ask_straight(target)
    assert answer in (f"request_ambiguous:{ADMIN}", "400"), answer


@pytest.mark.parametrize(
    "target",
    [
        b"/public\\..\\admin",
        b"/public/..;/admin",
        b"/public/%2e%2e;/admin",
        b"/../admin",
        b"/a#b",
    ],
)
def test_what_envoy_repairs_or_refuses_is_not_let_in(
    running: Running, target: bytes
) -> None:
    answer = running.ask_straight(target)
    wanted = (f"request_ambiguous:{ADMIN}", f"ingress_denied:{ADMIN}", "400")
    assert answer in wanted or answer.startswith("ingress_denied:NetworkPolicy")


@pytest.mark.parametrize(
    "target", [b"/admin", b"//admin", b"/./admin", b"/%61dmin", b"/x/../admin/a"]
)
def test_one_path_has_one_meaning(running: Running, target: bytes) -> None:
    assert running.ask_straight(target) == f"ingress_denied:{ADMIN}"

"""The shop's checkout as wrk can ask it: in both directions, from any address.

wrk has no address of its own, so the filter takes proofs from anywhere. Everything that
it asks is allowed, so every request goes through the whole filter.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from e2e.bench.subjects import nothing_module
from e2e.bench.wrk import run_wrk
from e2e.bootstrap import ACCESS_LOG_FILE
from e2e.callers import ALLOWED
from e2e.changing_shop import (
    CHECKOUT,
    HOST,
    checkout_proxy,
    endpoint_of,
    outgoing,
)
from e2e.envoy import Envoy, start_envoy
from e2e.mesh import start_origins
from e2e.processes import children
from e2e.proxy import Plugin
from e2e.shop_run import Shop

CALLER: Final = "shop/cart"
PORT: Final = 8443


class Lost(Exception):
    """A request was not answered as it should: the figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A filter to compare, or none; the shop has the keys and the table of it."""

    name: str
    shop: Shop
    filters: tuple[Plugin, ...] = ()
    table_bytes: int = 0

    @property
    def module_bytes(self) -> int:
        return sum(plugin.module.stat().st_size for plugin in self.filters)


def subjects(shop: Shop, large: Shop, folder: Path) -> list[Subject]:
    """Return what is compared; the first is the base."""
    nothing = Plugin(nothing_module(folder), name="nothing", is_network_too=True)
    return [
        Subject("no filter", shop),
        Subject("a filter that does nothing", shop, (nothing,)),
        *(
            Subject("pepmesh", s, (_plugin(s),), len(s.product.built.table_bytes))
            for s in (shop, large)
        ),
    ]


@dataclass(frozen=True)
class OpenCheckout:
    """A running sidecar with one of the filters."""

    shop: Shop
    envoy: Envoy

    def ask(self, seconds: int, connections: int = 16) -> int:
        """Ask in both directions, so long each; return how many were answered.

        Raises: Lost.
        """
        checkout, caller = (endpoint_of(self.shop, key) for key in (CHECKOUT, CALLER))
        flows = outgoing(self.shop)
        out = next(f.question for f in flows if f.verdict(self.shop) == ALLOWED)
        asked = (
            (checkout.address, PORT, self.shop.product.headers(caller, HOST)),
            (out.address, out.port, [("Host", out.authority)]),
        )
        count = 0
        for place, port, headers in asked:
            url = f"http://{place}:{port}/"
            served = run_wrk(url, headers, connections=connections, seconds=seconds)
            if served.lost or not served.requests:
                raise Lost(f"{served} at {url}: {self.envoy.log_tail()}")
            count += served.requests
        os.truncate(self.envoy.folder / ACCESS_LOG_FILE, 0)
        return count


@contextmanager
def open_checkout(
    subject: Subject, folder: Path, workers: int = 1
) -> Iterator[OpenCheckout]:
    """Run the checkout's sidecar with a filter; `folder` must not exist."""
    folder.mkdir()
    with children() as family:
        start_origins(family, subject.shop.endpoints, folder)
        proxy = checkout_proxy(subject.shop, *subject.filters)
        envoy = start_envoy(family, proxy, folder / "envoy", workers=workers)
        yield OpenCheckout(subject.shop, envoy.wait_ready())


def _plugin(shop: Shop) -> Plugin:
    """Return the checkout's filter, taking proofs from anywhere."""
    plugin = shop.product.plugin(endpoint_of(shop, CHECKOUT))
    fields = json.loads(plugin.configuration) | {"sourceAddress": "any"}
    return replace(plugin, configuration=json.dumps(fields))

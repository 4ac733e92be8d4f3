"""The example shop, running: manifests in, enforcing Envoys out.

The demo and the tests start from here. What should happen is asked of the slow oracle
(`generator.policy.oracle`), which shares no code with what Envoy runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from e2e.addresses import Addresses, claim_addresses
from e2e.enforcement import Enforcement, enforce
from e2e.matrix import Question
from e2e.mesh import (
    Endpoint,
    Mesh,
    Name,
    place_endpoints,
    preferred_names,
    running_mesh,
    service_names,
    workload_names,
)
from generator.policy.load import load_model
from generator.policy.model import Model, Protocol
from generator.policy.oracle import Endpoint as OracleEndpoint
from generator.policy.oracle import decide

MANIFESTS = Path(__file__).with_name("shop")


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop before it runs: who is there, and what is to be enforced."""

    model: Model
    addresses: Addresses
    endpoints: tuple[Endpoint, ...]
    names: tuple[Name, ...]
    product: Enforcement

    @property
    def preferred_names(self) -> list[Name]:
        """Return one name per port: a Service's where there is one."""
        return preferred_names(self.names)

    def is_allowed(self, source: Endpoint, destination: Endpoint, port: int) -> bool:
        """Ask the oracle about one TCP flow."""
        return decide(
            self.model, _end(source), _end(destination), Protocol.TCP, port
        ).allowed

    def answers(self, question: Question) -> bool:
        """Ask the oracle about one question of the matrix."""
        name = question.name
        return self.is_allowed(question.source, name.endpoint, name.endpoint_port)


@contextmanager
def prepared_shop(folder: Path, *more: Path) -> Iterator[Shop]:
    """Load the manifests and more, claim addresses, build the module and the keys."""
    # relative, since file names go into the table: same bytes in every checkout
    paths = [os.path.relpath(path) for path in (MANIFESTS, *more)]
    model = load_model(paths).model
    with claim_addresses() as addresses:
        endpoints = place_endpoints(model, addresses)
        names = (*service_names(model, endpoints), *workload_names(endpoints))
        product = enforce(model, folder)
        yield Shop(model, addresses, endpoints, names, product)


@contextmanager
def running_shop(shop: Shop, folder: Path) -> Iterator[Mesh]:
    """Run every workload's application and sidecar."""
    filters = {e.key: (shop.product.plugin(e),) for e in shop.endpoints}
    with running_mesh(shop.endpoints, shop.names, filters, folder) as mesh:
        yield mesh


def _end(endpoint: Endpoint) -> OracleEndpoint:
    return OracleEndpoint(endpoint.member, IPv4Address(endpoint.address))

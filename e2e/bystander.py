"""One listener with one filter in front of one application, for tests of a filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.addresses import Addresses
from e2e.envoy import Envoy, start_envoy
from e2e.mesh import start_applications
from e2e.probe import Answer, Headers, send
from e2e.processes import Children
from e2e.proxy import Filter, Inbound, Node, Proxy

PORT = 8080
NUMBER = 150
_CLIENT = 151


@dataclass(frozen=True, slots=True)
class Bystander:
    """A running Envoy of no particular workload."""

    envoy: Envoy
    addresses: Addresses

    def get(self, path: str = "/", headers: Headers = ()) -> Answer:
        """Send a request to it from nobody's address."""
        return send(
            self.addresses.pod(_CLIENT),
            self.addresses.pod(NUMBER),
            PORT,
            path=path,
            headers=headers,
        )


def start_bystander(
    family: Children,
    addresses: Addresses,
    folder: Path,
    *filters: Filter,
    is_dynamic: bool = False,
    labels: Mapping[str, str] | None = None,
) -> Bystander:
    """Run an application and an Envoy with the given filters in front of it."""
    address, origin = addresses.pod(NUMBER), addresses.origin(NUMBER)
    node = Node("bystander", "test", labels or {}, "bystander", (address,))
    inbound = Inbound(address, PORT, origin, filters)
    start_applications(family, {f"{origin}:{PORT}": "bystander"}, folder)
    proxy = Proxy(node, (inbound,), is_dynamic=is_dynamic)
    envoy = start_envoy(family, proxy, folder / "envoy")
    return Bystander(envoy.wait_ready(), addresses)

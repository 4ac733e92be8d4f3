"""What stands behind the measured Envoy: the application, and two authorizers.

All answer at once and live in processes of their own, so that what they cost is in
nobody's figures. The application and the HTTP authorizer are Envoys with a constant
answer; the gRPC authorizer is `authorizer.py`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from e2e.addresses import Addresses
from e2e.bench.rules import PORT
from e2e.bench.server import start
from e2e.bench.sidecar import Json, Listener, Place, answering, cluster, inbound_cluster
from e2e.envoy import RefusedToStart
from e2e.processes import Children, wait_until

AUTHORIZER_HTTP: Final = "authorizer-http"
AUTHORIZER_GRPC: Final = "authorizer-grpc"

_ORDER: Final = '{"order": 4711, "state": "shipped", "items": [{"id": 1, "count": 2}]}'
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where they listen."""

    application: Place
    authorizer_http: Place
    authorizer_grpc: Place

    def clusters(self) -> list[Json]:
        """Return the clusters by which the measured Envoy reaches them."""
        return [
            cluster(inbound_cluster(PORT), self.application),
            cluster(AUTHORIZER_HTTP, self.authorizer_http),
            cluster(AUTHORIZER_GRPC, self.authorizer_grpc, is_http2=True),
        ]

    def start(self, family: Children, folder: Path) -> None:
        """Start all three and wait until they serve."""
        order = Listener(self.application, "INBOUND", answering(_ORDER, _JSON))
        start(family, "application", folder / "application", [order])
        yes = Listener(self.authorizer_http, "INBOUND", answering("yes", "text/plain"))
        start(family, "authorizer", folder / "authorizer", [yes])
        _start_grpc(family, self.authorizer_grpc, folder / "authorizer.log")


def place_upstream(addresses: Addresses) -> Upstream:
    return Upstream(*(Place(addresses.origin(n), PORT) for n in (1, 2, 3)))


def _start_grpc(family: Children, place: Place, log: Path) -> None:
    script = Path(__file__).with_name("authorizer.py")
    command = [sys.executable, str(script), place.address, str(place.port)]
    process = family.start(command, log)

    def is_ready() -> bool:
        if process.poll() is not None:
            raise RefusedToStart(f"the gRPC authorizer: {log.read_text()}")
        return log.read_text().startswith("ready")

    wait_until(is_ready, "the gRPC authorizer")

"""What one Envoy is made of: listeners, routes, filters and node metadata, as data.

`bootstrap.py` renders it, `envoy.py` runs it. Names follow Istio's, because the filter
reads them: clusters are `outbound|PORT||HOST`, metadata keys are those of a sidecar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

OUTBOUND_PORT = 15001


@dataclass(frozen=True, slots=True)
class Plugin:
    """A Wasm filter. `is_network_too` puts it in front of the HTTP filters as well.

    The network filter is the only one that sees who really connected: with Istio's
    settings an HTTP filter is told what X-Forwarded-For says.
    """

    module: Path
    configuration: str = ""
    name: str = "pepmesh"
    root_id: str = ""
    vm_id: str = ""
    failure_policy: str = "FAIL_RELOAD"
    environment: Mapping[str, str] = field(default_factory=dict)
    is_network_too: bool = False
    kind: Literal["wasm"] = "wasm"


@dataclass(frozen=True, slots=True)
class RbacRule:
    """One native rule: these connection addresses may reach these ports."""

    name: str
    sources: tuple[str, ...]
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rbac:
    """Envoy's own role based access control, for comparison."""

    rules: tuple[RbacRule, ...]
    name: str = "rbac"
    kind: Literal["rbac"] = "rbac"


Filter = Plugin | Rbac


@dataclass(frozen=True, slots=True)
class MutualTls:
    """Files of a certificate, its key, and the authority that clients must be from."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class Inbound:
    """A listener in front of one container port.

    `normalizes_paths`: Envoy itself does so before the filter sees a path.
    """

    address: str
    port: int
    origin: str
    filters: tuple[Filter, ...] = ()
    tls: MutualTls | None = None
    normalizes_paths: bool = True  # as Istio has it

    @property
    def name(self) -> str:
        return f"inbound_{self.address}_{self.port}"

    @property
    def cluster(self) -> str:
        return f"inbound|{self.port}||"

    @property
    def network_filters(self) -> tuple[Plugin, ...]:
        """Return the Wasm filters that also stand in the network chain."""
        return tuple(
            f for f in self.filters if isinstance(f, Plugin) and f.is_network_too
        )


@dataclass(frozen=True, slots=True)
class Route:
    """A host and port that applications name, and the endpoint behind it.

    `retry_on`: what makes Envoy ask once more, in its own words; empty for nothing.
    """

    host: str
    port: int
    endpoint: str
    endpoint_port: int
    is_http2: bool = False
    retry_on: str = ""

    @property
    def cluster(self) -> str:
        return f"outbound|{self.port}||{self.host}"

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Outbound:
    """The listener that an application's own requests go through."""

    address: str
    routes: tuple[Route, ...]
    filters: tuple[Filter, ...] = ()
    port: int = OUTBOUND_PORT

    @property
    def name(self) -> str:
        return f"outbound_{self.address}_{self.port}"


@dataclass(frozen=True, slots=True)
class Node:
    """The proxy's own facts, as Istio's agent writes them into the bootstrap."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    service_account: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proxy:
    """One Envoy. `is_dynamic`: listeners by LDS, filters by ECDS, both from files."""

    node: Node
    inbound: tuple[Inbound, ...] = ()
    outbound: tuple[Outbound, ...] = ()
    is_dynamic: bool = False

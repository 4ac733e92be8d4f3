"""A whole mesh on loopback: one Envoy per workload, made from a policy model.

Where it stands: the model says who is there; this gives everybody an address, an
application, and a sidecar that knows every name of the mesh, as Istio's would. What
the sidecars enforce is decided by the plugins that the caller hands in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.addresses import Addresses
from e2e.envoy import Envoy, RefusedToStart, start_envoy
from e2e.processes import Children, children, wait_until
from e2e.proxy import Filter, Inbound, Node, Outbound, Proxy, Route
from generator.policy.model import Member, Model, Protocol, Service, ServicePort


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One pod of a workload: `address` is its own, `origin` its application's."""

    member: Member
    address: str
    origin: str

    @property
    def key(self) -> str:
        return f"{self.member.namespace}/{self.member.name}"

    @property
    def ports(self) -> tuple[int, ...]:
        """Return the TCP ports: those that a proxy can stand in front of."""
        declared = self.member.ports
        return tuple(p.number for p in declared if p.protocol is Protocol.TCP)

    @property
    def node(self) -> Node:
        return Node(
            name=self.member.name,
            namespace=self.member.namespace,
            labels=self.member.labels,
            service_account=self.member.service_account,
            addresses=(self.address,),
        )


@dataclass(frozen=True, slots=True)
class Name:
    """A host and port that a client can name, and the port that it leads to."""

    host: str
    port: int
    endpoint: Endpoint
    endpoint_port: int
    is_http2: bool = False

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def route(self) -> Route:
        return Route(
            self.host,
            self.port,
            self.endpoint.address,
            self.endpoint_port,
            self.is_http2,
        )


def place_endpoints(model: Model, addresses: Addresses) -> tuple[Endpoint, ...]:
    """Give every workload one pod, in the order of their names."""
    members = sorted(model.members, key=lambda m: (m.namespace, m.name))
    return tuple(
        Endpoint(member, addresses.pod(number), addresses.origin(number))
        for number, member in enumerate(members, start=1)
    )


def service_names(model: Model, endpoints: Sequence[Endpoint]) -> list[Name]:
    """Return every Service port together with the endpoint behind it."""
    return [
        Name(
            f"{service.name}.{service.namespace}.svc.cluster.local",
            port.number,
            endpoint,
            number,
            is_http2=port.name.startswith("grpc"),
        )
        for service in model.services
        for port in service.ports
        if port.protocol is Protocol.TCP
        for endpoint in endpoints
        if _selects(service, endpoint.member)
        for number in _resolve(port, endpoint.member)
    ]


def workload_names(endpoints: Sequence[Endpoint]) -> list[Name]:
    """Return every workload under its own name, with its container ports."""
    return [
        Name(
            f"{endpoint.member.name}.{endpoint.member.namespace}.workload.pepmesh",
            port,
            endpoint,
            port,
        )
        for endpoint in endpoints
        for port in endpoint.ports
    ]


def preferred_names(names: Sequence[Name]) -> list[Name]:
    """Return one name per endpoint and port: the first that leads there."""
    first: dict[tuple[str, int], Name] = {}
    for name in names:
        first.setdefault((name.endpoint.key, name.endpoint_port), name)
    return [first[key] for key in sorted(first)]


def sidecar(
    endpoint: Endpoint, names: Sequence[Name], filters: tuple[Filter, ...]
) -> Proxy:
    """Return an endpoint's sidecar: a listener per port, and one for the way out."""
    inbound = tuple(
        Inbound(endpoint.address, port, endpoint.origin, filters)
        for port in endpoint.ports
    )
    routes = tuple(name.route for name in names)
    outbound = Outbound(endpoint.address, routes, filters)
    return Proxy(endpoint.node, inbound, (outbound,))


@dataclass(frozen=True, slots=True)
class Mesh:
    """A running mesh. Endpoints and Envoys are found by `namespace/name`."""

    endpoints: Mapping[str, Endpoint]
    names: tuple[Name, ...]
    envoys: Mapping[str, Envoy]


@contextmanager
def running_mesh(
    endpoints: Sequence[Endpoint],
    names: Sequence[Name],
    filters: Mapping[str, tuple[Filter, ...]],
    folder: Path,
) -> Iterator[Mesh]:
    """Run all applications and sidecars; every one is ready when the block starts."""
    with children() as family:
        start_origins(family, endpoints, folder)
        envoys = {
            endpoint.key: start_envoy(
                family,
                sidecar(endpoint, names, filters[endpoint.key]),
                folder / endpoint.key.replace("/", "."),
            )
            for endpoint in endpoints
        }
        for envoy in envoys.values():
            envoy.wait_ready()
        yield Mesh({e.key: e for e in endpoints}, tuple(names), envoys)


def start_origins(
    family: Children, endpoints: Sequence[Endpoint], folder: Path
) -> subprocess.Popen[bytes]:
    """Start the process that plays every application."""
    places = {f"{e.origin}:{port}": e.key for e in endpoints for port in e.ports}
    return start_applications(family, places, folder)


def start_applications(
    family: Children, places: Mapping[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    """Start applications at the given places and wait until they answer."""
    log = folder / "origin.log"
    script = Path(__file__).with_name("origin.py")
    process = family.start([sys.executable, str(script)], log)
    assert process.stdin is not None
    process.stdin.write(json.dumps(places).encode() + b"\n")
    process.stdin.flush()

    def is_ready() -> bool:
        if process.poll() is not None:
            raise RefusedToStart(f"the applications: {log.read_text()}")
        return log.read_text().startswith("ready")

    wait_until(is_ready, "the applications")
    return process


def _selects(service: Service, member: Member) -> bool:
    if service.selector is None or service.namespace != member.namespace:
        return False
    return service.selector.items() <= member.labels.items()


def _resolve(port: ServicePort, member: Member) -> list[int]:
    """Return the container port that a Service port leads to, if the pod has it."""
    return [
        declared.number
        for declared in member.ports
        if declared.protocol is port.protocol
        and port.target in (declared.number, declared.name)
    ]

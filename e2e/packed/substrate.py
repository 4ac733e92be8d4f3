"""Many sidecars in one Envoy process, each with listeners at an address of its own.

Where in the pipeline: `placings -> prepared -> one proxy`. A sidecar is a workload's
inbound and outbound listeners with the workload's own plugin. The node's metadata are
those of the process, so who a sidecar speaks for is in its plugin's configuration.

Clusters carry Istio's names; the subset, which the filter does not read, tells the
clusters of different senders apart: each binds its connections to its own address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from e2e.enforcement import Enforcement
from e2e.mesh import Endpoint
from e2e.packed.placing import Placing
from e2e.packed.scenario import Probe
from e2e.proxy import Inbound, Node, Outbound, Plugin, Proxy, Route
from generator.build import build_mesh
from generator.overlay.master_keys import new_master_keys

OVERLAY: Final = "packed"
PLUGINS_PER_VM: Final = 4
"""What the filter has room for while roots are renewed: half of `MAX_ROOTS`."""

NOBODY: Final = Node("packed", "packed", {}, "default", ("127.0.0.1",))


@dataclass(frozen=True, slots=True)
class PackedRoute(Route):
    """A route of one sender among many."""

    sender: str = ""

    @property
    def cluster(self) -> str:
        return f"outbound|{self.port}|{self.sender}|{self.host}"


@dataclass(frozen=True, slots=True)
class PackedInbound(Inbound):
    """An inbound listener among many that may have the same port."""

    @property
    def cluster(self) -> str:
        return f"inbound|{self.port}|{self.address}|"


@dataclass(frozen=True)
class Prepared:
    """A scenario with its module built: who is where, and what each sidecar loads."""

    placing: Placing
    product: Enforcement
    endpoints: dict[str, Endpoint]
    plugins: dict[str, Plugin]

    @property
    def probes(self) -> tuple[Probe, ...]:
        return self.placing.scenario.probes


def prepare(placing: Placing, folder: Path) -> Prepared:
    """Build a scenario's module, its keys and its plugins."""
    scenario = placing.scenario
    built = build_mesh(scenario.model, name=OVERLAY, member_cidrs=[placing.members])
    module = folder / f"{scenario.source}-{scenario.name}.wasm"
    module.write_bytes(built.module)
    master = new_master_keys(OVERLAY, built.overlay.id)
    product = Enforcement(built, master, module)
    endpoints = {
        name: Endpoint(member, placing.addresses[name], placing.applications[name])
        for name, member in scenario.members.items()
    }
    plugins = {
        name: replace(
            product.plugin(endpoint, is_explicit=True),
            vm_id=f"{module.stem}-{number // PLUGINS_PER_VM}",
        )
        for number, (name, endpoint) in enumerate(endpoints.items())
    }
    # The engine is left behind: what goes to another process is data only.
    return Prepared(placing, Enforcement(built, master, module), endpoints, plugins)


def pack(prepared: Sequence[Prepared]) -> Proxy:
    """Make one proxy of all sidecars."""
    inbound: list[Inbound] = []
    outbound: list[Outbound] = []
    for each in prepared:
        for name, endpoint in each.endpoints.items():
            filters = (each.plugins[name],)
            inbound += [
                PackedInbound(
                    endpoint.address,
                    port,
                    endpoint.origin,
                    filters,
                    normalizes_paths=False,
                )
                for port in _ports(each.probes, name)
            ]
            routes = tuple(_routes(each, name))
            if routes:
                outbound.append(Outbound(endpoint.address, routes, filters))
    return Proxy(NOBODY, tuple(inbound), tuple(outbound))


def _ports(probes: Iterable[Probe], destination: str) -> list[int]:
    return sorted({p.port for p in probes if p.destination == destination})


def _routes(prepared: Prepared, source: str) -> Iterator[Route]:
    sender = prepared.endpoints[source].address
    routes = {
        PackedRoute(
            *asked_for(prepared, probe),
            prepared.endpoints[probe.destination].address,
            probe.port,
            sender=sender,
        )
        for probe in prepared.probes
        if probe.source == source
    }
    yield from sorted(routes, key=lambda r: (r.host, r.port))


def asked_for(prepared: Prepared, probe: Probe) -> tuple[str, int]:
    """Return the host and port that a sender names: a Service's, or the workload's."""
    if probe.service is not None:
        namespace, _, name = probe.service[0].partition("/")
        return f"{name}.{namespace}.svc.cluster.local", probe.service[1]
    member = prepared.endpoints[probe.destination].member
    return f"{member.name}.{member.namespace}.workload.pepmesh", probe.port

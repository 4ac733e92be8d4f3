"""Read workload manifests: what pods they make and who owns them.

Where in the pipeline: `Manifest -> Declaration -> (members) -> model.Member`. One
declaration per manifest: a pod, a controller with its pod template, or a
WorkloadEntry. Fields that policy does not look at are not looked at here either:
manifests from a cluster carry status, managedFields and much else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from generator.policy.documents import Manifest
from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.labels import (
    read_labels_of,
    read_object_name,
    read_port_name,
    read_port_number,
    read_protocol,
)
from generator.policy.model import (
    ContainerPort,
    IPAddress,
    Labels,
    PodFacts,
    Protocol,
)
from generator.policy.pod_facts import read_pod_facts
from generator.source import Span

DEFAULT_SERVICE_ACCOUNT: Final = "default"
POD: Final = "Pod"

TEMPLATES: Final[dict[str, tuple[str, ...]]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where a controller keeps its pod template. A pod is its own."""

_FINISHED: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller of an object; `kind` is empty if the reference has none."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """One manifest's endpoints."""

    kind: str
    namespace: str
    name: str
    owner: Owner | None
    labels: Labels
    service_account: str
    ports: tuple[ContainerPort, ...]
    host_network: bool = False
    addresses: tuple[IPAddress, ...] = ()
    has_pods: bool = True
    span: Span | None = field(default=None, compare=False)
    facts: PodFacts = field(default=PodFacts(), compare=False)


def read_declaration(
    manifest: Manifest, namespace: str, findings: Findings
) -> Declaration | None:
    """Read a pod or a controller; None for a pod that has finished.

    A finished pod keeps its address in its status while another pod may have got it.
    """
    body = manifest.body
    status = body.get("status")
    is_pod = manifest.kind == POD
    if is_pod and status is not None and status.text_of("phase") in _FINISHED:
        return None
    template = body
    for name in TEMPLATES.get(manifest.kind, ()):
        template = template.require(name)
    metadata, spec = template.get("metadata"), template.require("spec")
    host_network = spec.get("hostNetwork")
    return Declaration(
        manifest.kind,
        namespace,
        manifest.name(),
        _read_owner(manifest.metadata),
        read_labels_of(metadata, "labels") if metadata else {},
        _read_service_account(spec),
        _read_ports(spec, findings),
        host_network is not None and host_network.boolean(),
        _read_addresses(status) if is_pod and status else (),
        _has_pods(body),
        manifest.span,
        read_pod_facts(metadata, spec),
    )


def read_workload_entry(manifest: Manifest, namespace: str) -> Declaration:
    """Read networking.istio.io WorkloadEntry: one endpoint that is no pod."""
    spec = manifest.body.require("spec")
    ports = spec.get("ports")
    return Declaration(
        manifest.kind,
        namespace,
        manifest.name(),
        None,
        read_labels_of(spec, "labels"),
        spec.text_of("serviceAccount", DEFAULT_SERVICE_ACCOUNT),
        tuple(
            ContainerPort(read_port_name(name), read_port_number(port), Protocol.TCP)
            for name, port in (ports.pairs() if ports else ())
        ),
        addresses=tuple(_literal_addresses(spec.text_of("address"))),
        span=manifest.span,
    )


def _literal_addresses(text: str) -> Iterator[IPAddress]:
    """Yield the address of a WorkloadEntry, unless it is a DNS name or a socket."""
    try:
        yield ip_address(text)
    except ValueError:
        return


def _read_owner(metadata: Value) -> Owner | None:
    """Return the managing controller, as the API's GetControllerOf does.

    The kubelet owns static pods by their Node; to us those have no owner.
    """
    for reference in metadata.items_of("ownerReferences"):
        controller = reference.get("controller")
        if controller is None or not controller.boolean():
            continue
        kind = reference.text_of("kind")
        if kind != "Node":
            return Owner(kind, read_object_name(reference.require("name")))
    return None


def _read_service_account(spec: Value) -> str:
    """Return the account; `serviceAccount` is the deprecated alias."""
    alias = spec.text_of("serviceAccount", DEFAULT_SERVICE_ACCOUNT)
    return spec.text_of("serviceAccountName", alias)


def _read_ports(spec: Value, findings: Findings) -> tuple[ContainerPort, ...]:
    """Return the ports of all containers that run along: sidecars included."""
    containers = spec.items_of("containers")
    for container in spec.items_of("initContainers"):
        if container.text_of("restartPolicy") == "Always":
            containers.append(container)
    ports: dict[ContainerPort, None] = {}
    for container in containers:
        given = container.get("ports")
        found = () if given is None else given.recall(_read_container_ports)
        ports |= dict.fromkeys(port for port in found if port is not None)
        if given is not None and None in found:
            _warn_of_no_ports(given, findings)
    return tuple(ports)


def _read_container_ports(value: Value) -> tuple[ContainerPort | None, ...]:
    """Read the ports of a container; None for a port without a number."""
    return tuple(
        None if port.get("containerPort") is None else _read_container_port(port)
        for port in value.items()
    )


def _warn_of_no_ports(value: Value, findings: Findings) -> None:
    for port in value.items():
        if port.get("containerPort") is None:
            message = f"{port.path}: a port without containerPort is no port"
            findings.add("POL0022", message, port.first_line)


def _read_container_port(port: Value) -> ContainerPort:
    name = port.get("name")
    return ContainerPort(
        read_port_name(name) if name is not None and name.text() else "",
        read_port_number(port.require("containerPort")),
        read_protocol(port.get("protocol")),
    )


def _read_addresses(status: Value) -> tuple[IPAddress, ...]:
    """Return `podIPs`, or `podIP` from clusters older than dual stack."""
    found: dict[IPAddress, None] = {}
    single = status.get("podIP")
    values = [entry.get("ip") for entry in status.items_of("podIPs")]
    for value in [single, *values]:
        if value is None or not value.text():
            continue
        try:
            found[ip_address(value.text())] = None
        except ValueError:
            raise value.error("POL0021", "not an IP address") from None
    return tuple(found)


def _has_pods(body: Value) -> bool:
    """Tell false only for a controller that is scaled to nothing."""
    spec = body.get("spec")
    replicas = spec.get("replicas") if spec else None
    return replicas is None or replicas.integer() > 0

"""Read Services.

Where in the pipeline: `Manifest -> model.Service`. A selector of None means that
somebody else keeps the endpoints, or that there are none to keep.
"""

from __future__ import annotations

from generator.policy.documents import Manifest
from generator.policy.fields import Value
from generator.policy.labels import (
    read_labels_of,
    read_port_name,
    read_port_number,
    read_protocol,
)
from generator.policy.model import Labels, Service, ServicePort


def read_service(manifest: Manifest, namespace: str) -> Service:
    """Read one Service."""
    spec = manifest.body.require("spec")
    ports = spec.get("ports")
    return Service(
        namespace,
        manifest.name(),
        _read_selector(spec),
        () if ports is None else ports.recall(_read_ports),
        manifest.span,
    )


def _read_selector(spec: Value) -> Labels | None:
    """Read the selector.

    "If empty or not present, the service is assumed to have an external process
    managing its endpoints [...] Ignored if type is ExternalName."
    """
    if spec.text_of("type") == "ExternalName":
        return None
    return read_labels_of(spec, "selector") or None


def _read_ports(value: Value) -> tuple[ServicePort, ...]:
    return tuple(_read_port(port) for port in value.items())


def _read_port(port: Value) -> ServicePort:
    number = read_port_number(port.require("port"))
    return ServicePort(
        port.text_of("name"),
        number,
        _read_target(port.get("targetPort"), number),
        read_protocol(port.get("protocol")),
        port.text_of("appProtocol"),
    )


def _read_target(value: Value | None, default: int) -> int | str:
    """Read targetPort: "If this is not specified, the value of the 'port' field is
    used (an identity map)"."""
    if value is None:
        return default
    return read_port_number(value) if value.is_number else read_port_name(value)

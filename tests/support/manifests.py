"""Models back to manifests: the inverse of loading, for round trips and for the CLI.

Every form that a manifest may take is used somewhere: defaults are left out where
they apply, controllers with known addresses come with live pods and the ReplicaSet or
Job in between. Spans cannot come back; `without_spans` makes models comparable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from generator.policy.dialects import DIALECTS
from generator.policy.model import (
    NAME_LABEL,
    ContainerPort,
    IPAddress,
    Labels,
    Member,
    Model,
    Namespace,
    Policy,
    Protocol,
    Service,
    ServicePort,
    Tier,
)
from generator.source import Position, Span
from tests.support.cluster_manifests import cluster_policy_spec
from tests.support.overlay_manifests import overlay_policy_spec
from tests.support.policy_manifests import Manifest, network_policy_spec

NOWHERE: Final = Span("", Position(0, 0), Position(0, 0))
HASH: Final = "5d8f"

_BETWEEN: Final = {"Deployment": "ReplicaSet", "CronJob": "Job"}
_GROUPS: Final = {
    "Pod": "v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "WorkloadEntry": "networking.istio.io/v1",
}


def to_text(model: Model) -> str:
    """Return a model as one JSON list, which is YAML too."""
    items = to_manifests(model)
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)


def to_manifests(model: Model) -> list[Manifest]:
    """Return manifests that load as this model, spans aside."""
    found = [_namespace(n) for n in model.namespaces.values() if n.is_declared]
    for member in model.members:
        found += _member(member)
    found += [_service(service) for service in model.services]
    found += [_policy(policy) for policy in model.policies]
    return found


def without_spans(model: Model) -> Model:
    """Return a model that knows no places."""
    return Model(
        {name: replace(n, span=None) for name, n in model.namespaces.items()},
        tuple(replace(member, span=None) for member in model.members),
        tuple(replace(service, span=None) for service in model.services),
        tuple(
            replace(
                policy,
                span=NOWHERE,
                rules=tuple(replace(rule, span=NOWHERE) for rule in policy.rules),
            )
            for policy in model.policies
        ),
    )


def _object(kind: str, namespace: str, name: str, **rest: Any) -> Manifest:
    metadata = {"name": name, "namespace": namespace}
    return {
        "apiVersion": _GROUPS.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": metadata,
        **rest,
    }


def _namespace(namespace: Namespace) -> Manifest:
    labels = {k: v for k, v in namespace.labels.items() if k != NAME_LABEL}
    metadata = {"name": namespace.name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


# --- members --------------------------------------------------------------------------


def _member(member: Member) -> Iterator[Manifest]:
    match member.kind:
        case "Pod":
            yield _pod(member, member.name, member.labels, member.addresses, None)
        case "WorkloadEntry":
            yield _workload_entry(member)
        case _:
            yield _controller(member)
            yield from _live_pods(member)


def _workload_entry(member: Member) -> Manifest:
    spec: Manifest = {
        "labels": dict(member.labels),
        "serviceAccount": member.service_account,
        "ports": {port.name: port.number for port in member.ports},
    }
    spec["address"] = "vm.example.org"
    for address in member.addresses:
        spec["address"] = str(address)
    return _object(member.kind, member.namespace, member.name, spec=spec)


def _controller(member: Member) -> Manifest:
    template = {"metadata": {"labels": dict(member.labels)}, "spec": _pod_spec(member)}
    spec: Manifest = {"template": template}
    if member.kind == "CronJob":
        spec = {"jobTemplate": {"spec": spec}}
    return _object(member.kind, member.namespace, member.name, spec=spec)


def _live_pods(member: Member) -> Iterator[Manifest]:
    """Yield a pod for each address, owned through what Kubernetes puts in between."""
    if not member.addresses:
        return
    owner = member.kind, member.name
    labels = dict(member.labels)
    if member.kind in _BETWEEN:
        middle = replace(
            member, kind=_BETWEEN[member.kind], name=f"{member.name}-{HASH}"
        )
        labels["pod-template-hash"] = HASH
        manifest = _controller(replace(middle, labels=labels))
        yield _with_owner(manifest, owner)
        owner = middle.kind, middle.name
    for number, address in enumerate(member.addresses):
        name = f"{owner[1]}-{number}"
        live = {**labels, "statefulset.kubernetes.io/pod-name": name}
        yield _pod(member, name, live, (address,), owner)


def _pod(
    member: Member,
    name: str,
    labels: Labels,
    addresses: tuple[IPAddress, ...],
    owner: tuple[str, str] | None,
) -> Manifest:
    status: Manifest = {"phase": "Running"}
    if addresses:
        status["podIP"] = str(addresses[0])
        status["podIPs"] = [{"ip": str(address)} for address in addresses]
    spec = _pod_spec(member)
    manifest = _object("Pod", member.namespace, name, spec=spec, status=status)
    manifest["metadata"]["labels"] = dict(labels)
    return _with_owner(manifest, owner) if owner else manifest


def _with_owner(manifest: Manifest, owner: tuple[str, str]) -> Manifest:
    kind, name = owner
    reference = {"kind": kind, "name": name, "controller": True}
    manifest["metadata"]["ownerReferences"] = [reference]
    return manifest


def _pod_spec(member: Member) -> Manifest:
    """Return a spec with one container per port: names repeat only across those."""
    spec: Manifest = {
        "containers": [{"ports": [_container_port(port)]} for port in member.ports]
    }
    if member.service_account != "default":
        spec["serviceAccountName"] = member.service_account
    if member.host_network:
        spec["hostNetwork"] = True
    return spec


def _container_port(port: ContainerPort) -> Manifest:
    found: Manifest = {"containerPort": port.number, **_protocol(port.protocol)}
    if port.name:
        found["name"] = port.name
    return found


def _protocol(protocol: Protocol) -> Manifest:
    return {} if protocol is Protocol.TCP else {"protocol": protocol.value}


# --- services -------------------------------------------------------------------------


def _service(service: Service) -> Manifest:
    spec: Manifest = {"ports": [_service_port(port) for port in service.ports]}
    if service.selector is not None:
        spec["selector"] = dict(service.selector)
    manifest = _object("Service", service.namespace, service.name, spec=spec)
    return {**manifest, "apiVersion": "v1"}


def _service_port(port: ServicePort) -> Manifest:
    found: Manifest = {"port": port.number, **_protocol(port.protocol)}
    if port.target != port.number:
        found["targetPort"] = port.target
    if port.name:
        found["name"] = port.name
    return found


# --- policies -------------------------------------------------------------------------


def _policy(policy: Policy) -> Manifest:
    metadata: Manifest = {"name": policy.name}
    if policy.is_audited:
        metadata["annotations"] = {"pepmesh.dev/mode": "audit"}
    if policy.kind == "OverlayPolicy":
        metadata = {"name": policy.name, "namespace": policy.namespace}
        api_version, spec = "pepmesh.dev/v1", overlay_policy_spec(policy)
    elif policy.tier is Tier.NORMAL:
        metadata["namespace"] = policy.namespace
        api_version, spec = "networking.k8s.io/v1", network_policy_spec(policy)
    else:
        api_version = DIALECTS[policy.kind].api_version
        spec = cluster_policy_spec(policy)
    return {
        "apiVersion": api_version,
        "kind": policy.kind,
        "metadata": metadata,
        "spec": spec,
    }

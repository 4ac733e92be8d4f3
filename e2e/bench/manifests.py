"""Kubernetes objects as plain data, spelt shortly."""

from __future__ import annotations

from typing import Any

Manifest = dict[str, Any]


def manifest(
    version: str,
    kind: str,
    name: str,
    namespace: str = "",
    spec: Manifest | None = None,
    labels: dict[str, str] | None = None,
) -> Manifest:
    metadata: Manifest = {"name": name}
    metadata |= {"namespace": namespace} if namespace else {}
    metadata |= {"labels": labels} if labels else {}
    found = {"apiVersion": version, "kind": kind, "metadata": metadata}
    return found | ({"spec": spec} if spec is not None else {})


def network_policy(
    name: str, namespace: str, selected: Manifest, **spec: Any
) -> Manifest:
    """Return a NetworkPolicy that isolates in the directions that it has rules for."""
    if "policyTypes" not in spec:
        spec["policyTypes"] = [
            direction.capitalize()
            for direction in ("ingress", "egress")
            if direction in spec
        ]
    spec = {"podSelector": selected, **spec}
    version = "networking.k8s.io/v1"
    return manifest(version, "NetworkPolicy", name, namespace, spec)


def matching(**labels: str) -> Manifest:
    """Return a selector of labels; none select everything."""
    return {"matchLabels": labels} if labels else {}

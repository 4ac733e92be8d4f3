"""A large mesh from a seed: namespaces, workloads, Services, and who may call whom.

Made to look like clusters that people run: teams with applications, each application in
a namespace per stage with the same services and policies; readiness probes, limits and
other fields that policy does not look at; one file per namespace, and one for what the
platform team says about everybody. `big_policies` has the policies.

Same seed, same text.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from e2e.bench.big_policies import mesh_wide_policies, namespace_policies
from e2e.bench.manifests import Manifest, manifest
from e2e.bench.scenery import PORTS, Place, Service
from e2e.bench.vocabulary import (
    AREAS,
    PARTS,
    PLATFORM_SERVICES,
    ROLES,
    STAGES,
    THINGS,
)
from generator.source import SourceFile

SERVICES_PER_NAMESPACE: Final = 10
MESH_WIDE_FILE: Final = "mesh-wide.yaml"


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything: ten workloads and ten policies in each namespace."""

    namespaces: int
    seed: int = 1

    @property
    def workloads(self) -> int:
        return self.namespaces * SERVICES_PER_NAMESPACE


def big_mesh(size: Size) -> tuple[SourceFile, ...]:
    """Return the manifests: a file per namespace, and the mesh-wide policies."""
    places = list(_places(size))
    files = [SourceFile(f"{p.namespace}.yaml", _text(_objects(p))) for p in places]
    mesh_wide = _text(mesh_wide_policies(places))
    return (SourceFile(MESH_WIDE_FILE, mesh_wide), *files)


def _text(objects: Iterable[Manifest]) -> str:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump_all(objects, Dumper=dumper, sort_keys=False)


def _places(size: Size) -> Iterator[Place]:
    """Yield the platform's namespace, then those of applications, stage by stage."""
    services = tuple(Service(name, role) for name, role in PLATFORM_SERVICES.items())
    yield Place("platform", "platform", "prod", services, _random(size, "platform"))
    for number in range(size.namespaces - 1):
        application, stage = divmod(number, len(STAGES))
        row, column = divmod(application, len(AREAS))
        area = AREAS[column]
        part = PARTS[row] if row < len(PARTS) else f"{PARTS[-1]}-{row}"
        # The same draws for every stage: an application is the same in all of them.
        draws = _random(size, f"{area}-{part}")
        services = tuple(
            Service(f"{thing}-{role}", role)
            for thing in draws.sample(THINGS, SERVICES_PER_NAMESPACE // len(ROLES))
            for role in ROLES
        )
        name = f"{area}-{part}-{STAGES[stage]}"
        yield Place(name, area, STAGES[stage], services, draws)


def _random(size: Size, name: str) -> random.Random:
    return random.Random(f"{size.seed} {name}")


def _objects(place: Place) -> Iterator[Manifest]:
    labels = {"team": place.team, "stage": place.stage}
    yield manifest("v1", "Namespace", place.namespace, labels=labels)
    for service in place.services:
        yield _deployment(place, service)
        yield _service(place, service)
    yield from namespace_policies(place)


def _deployment(place: Place, service: Service) -> Manifest:
    port = PORTS[service.role]
    container = {
        "name": "main",
        "image": f"registry.example.com/{place.team}/{service.name}:1.4.2",
        "ports": [
            {"name": port.name, "containerPort": port.number},
            {"name": "metrics", "containerPort": 9090},
        ],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "metrics"}},
        "resources": {"limits": {"memory": "256Mi"}, "requests": {"cpu": "100m"}},
    }
    pod = {"serviceAccountName": service.name, "containers": [container]}
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": {"app": service.name}},
        "template": {"metadata": {"labels": service.labels}, "spec": pod},
    }
    return manifest("apps/v1", "Deployment", service.name, place.namespace, spec)


def _service(place: Place, service: Service) -> Manifest:
    port = PORTS[service.role]
    entry = {"name": port.name, "port": port.public, "targetPort": port.name}
    spec = {"selector": {"app": service.name}, "ports": [entry]}
    return manifest("v1", "Service", service.name, place.namespace, spec)

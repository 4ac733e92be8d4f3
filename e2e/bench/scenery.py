"""What the big mesh's manifests and policies are told about: places and services."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Port:
    """A container port, and the number that a Service has for it."""

    name: str
    number: int
    public: int


_HTTP: Final = Port("http", 8080, 80)
PORTS: Final = {
    "web": _HTTP,
    "api": _HTTP,
    "worker": Port("jobs", 8081, 8081),
    "cache": Port("redis", 6379, 6379),
    "db": Port("postgres", 5432, 5432),
}
"""The port of each role; besides, everybody has `metrics`."""


@dataclass(frozen=True, slots=True)
class Service:
    """A workload, and the Service of the same name in front of it."""

    name: str
    role: str

    @property
    def labels(self) -> dict[str, str]:
        return {"app": self.name, "role": self.role}


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace: one stage of one application; `draws` decides what is left open."""

    namespace: str
    team: str
    stage: str
    services: tuple[Service, ...]
    draws: random.Random

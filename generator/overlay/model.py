"""What an overlay consists of, numbered: realms, workloads, targets.

Where in the pipeline: `model -> workloads -> overlay -> rules`. Made by `build`, read
by the rule table, key bundles, `explain` and `simulate`. Every sequence is sorted by
id or by name; label pairs are sorted by key, bytewise. Rows that the lock file has
retired are not here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from generator.errors import InternalError
from generator.overlay.address import OverlayAddress, instance_of
from generator.policy.model import ContainerPort, Member, Protocol

DEFAULT_CLUSTER: Final = "default"

LabelPairs = tuple[tuple[str, str], ...]


class TargetKind(StrEnum):
    SERVICE = "service"
    WORKLOAD = "workload"


class Identity(NamedTuple):
    """What makes endpoints one workload: nothing else can policy tell apart."""

    cluster: str
    namespace: str
    service_account: str
    labels: LabelPairs


class TargetName(NamedTuple):
    """What names a target for ever: its kind and the object it stands for."""

    kind: TargetKind
    namespace: str
    name: str

    @property
    def host(self) -> str:
        """The authority that a sender names, without a port."""
        if self.kind is TargetKind.SERVICE:
            return f"{self.name}.{self.namespace}.svc.cluster.local"
        return f"{self.name}.{self.namespace}.workload.pepmesh"


@dataclass(frozen=True, slots=True)
class Realm:
    """A namespace of a cluster."""

    id: int
    cluster: str
    namespace: str


@dataclass(frozen=True)
class Workload:
    """Endpoints that policy cannot tell apart, and their number."""

    id: int
    realm: int
    cluster: str
    namespace: str
    service_account: str
    labels: LabelPairs
    members: tuple[Member, ...]
    revoked: bool

    @cached_property
    def digest(self) -> bytes:
        """The 16 bytes by which an endpoint finds its own workload id."""
        return identity_digest(self.namespace, self.service_account, self.labels)

    @cached_property
    def declared_ports(self) -> frozenset[tuple[ContainerPort, ...]]:
        """The container ports of its members; most workloads have one answer."""
        return frozenset(member.ports for member in self.members)

    def port_numbers(self, name: str, protocol: Protocol) -> tuple[int, ...]:
        """Return the numbers of a named port, ascending; empty if there is none.

        Members that differ were refused (OVL0001) where a policy could see it.
        """
        answers = {port_numbers(member, name, protocol) for member in self.members}
        if len(answers) > 1:
            place = f"workload {self.id} of {self.namespace}"
            raise InternalError(f'{place}: port "{name}" differs; please report')
        return answers.pop()


class Backend(NamedTuple):
    """Where a target's port ends: a port of the endpoints of a workload."""

    workload_id: int
    port: int


@dataclass(frozen=True, slots=True)
class TargetPort:
    """A port that a sender may name at a target."""

    number: int
    protocol: Protocol
    backends: tuple[Backend, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """What a sender can name. No `ports`: every port passes through unchanged.

    `workload_ids` are the workloads that serve it and hold its receiving secret.
    """

    id: int
    kind: TargetKind
    namespace: str
    name: str
    host: str
    ports: tuple[TargetPort, ...]
    workload_ids: tuple[int, ...]


@dataclass(frozen=True)
class Overlay:
    """One overlay. `id` has 40 bits; `left_out` are host-network members."""

    name: str
    id: int
    label_keys: tuple[str, ...]
    realms: tuple[Realm, ...]
    workloads: tuple[Workload, ...]
    targets: tuple[Target, ...]
    left_out: tuple[Member, ...] = ()

    @cached_property
    def workloads_by_id(self) -> Mapping[int, Workload]:
        return {workload.id: workload for workload in self.workloads}

    @cached_property
    def targets_by_id(self) -> Mapping[int, Target]:
        return {target.id: target for target in self.targets}

    @cached_property
    def targets_by_workload(self) -> Mapping[int, tuple[Target, ...]]:
        """The targets that each workload serves, by workload id."""
        served: dict[int, list[Target]] = {w.id: [] for w in self.workloads}
        for target in self.targets:
            for workload_id in target.workload_ids:
                served[workload_id].append(target)
        return {number: tuple(targets) for number, targets in served.items()}

    @cached_property
    def workloads_by_name(self) -> Mapping[tuple[str, str], tuple[Workload, ...]]:
        """Workloads by (namespace, owner's name); one owner may have several."""
        named: dict[tuple[str, str], dict[int, Workload]] = {}
        for workload in self.workloads:
            for member in workload.members:
                found = named.setdefault((member.namespace, member.name), {})
                found[workload.id] = workload
        return {name: tuple(found.values()) for name, found in named.items()}

    def address_of(
        self, workload: Workload, underlay: IPv4Address | IPv6Address
    ) -> OverlayAddress:
        """Return the overlay address of an endpoint of `workload`."""
        instance = instance_of(underlay)
        return OverlayAddress(self.id, workload.realm, workload.id, instance)


def identity_bytes(namespace: str, service_account: str, labels: LabelPairs) -> bytes:
    """Spell an identity the one way that filter and generator share.

    Shape: namespace NUL service-account NUL, then KEY=VALUE NUL for each relevant
    label that is present, keys in bytewise order. Nothing is written for an absent one.
    """
    parts = [namespace, service_account, *(f"{key}={value}" for key, value in labels)]
    return "".join(f"{part}\0" for part in parts).encode()


def identity_digest(namespace: str, service_account: str, labels: LabelPairs) -> bytes:
    """Return the first 16 bytes of the SHA-256 of an identity."""
    spelled = identity_bytes(namespace, service_account, labels)
    return hashlib.sha256(spelled).digest()[:16]


def port_numbers(member: Member, name: str, protocol: Protocol) -> tuple[int, ...]:
    """Return the container ports of a name and protocol, ascending, each once."""
    return numbers_of(member.ports, name, protocol)


def numbers_of(
    ports: Iterable[ContainerPort], name: str, protocol: Protocol
) -> tuple[int, ...]:
    """Return the numbers of ports of a name and protocol, ascending, each once."""
    found = {p.number for p in ports if p.name == name and p.protocol is protocol}
    return tuple(sorted(found))

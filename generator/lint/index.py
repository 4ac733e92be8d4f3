"""Members as bits of a number, and selectors as arithmetic on such numbers.

Bit i stands for member i of the model. A selector is an intersection of what its
requirements hold for, so thousands of selectors over thousands of members cost little.
Members on the host network have bits too, but no selector selects them: ask
`on_host_network`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from typing import TypeVar

from generator.overlay.model import port_numbers
from generator.policy.model import (
    AccountPeer,
    Labels,
    LabelSelector,
    Member,
    Model,
    Operator,
    PodPeer,
    Protocol,
    Requirement,
)
from generator.policy.selector import selects

K = TypeVar("K")

Bits = int
"""A set of members: bit i for member i."""


def places(bits: Bits) -> Iterator[int]:
    """Yield the numbers of the bits that are set, ascending."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


@dataclass
class MemberIndex:
    """Finds sets of members; answers about selectors are remembered."""

    model: Model
    everybody: Bits = 0
    on_host_network: Bits = 0
    by_namespace: dict[str, Bits] = field(default_factory=dict)
    by_account: dict[tuple[str, str], Bits] = field(default_factory=dict)
    by_label: dict[str, dict[str, Bits]] = field(default_factory=dict)
    by_port: dict[tuple[str, Protocol], dict[int, Bits]] = field(default_factory=dict)
    by_number: dict[tuple[Protocol, int], Bits] = field(default_factory=dict)
    with_ports: Bits = 0
    _known: dict[tuple[str, PodPeer], Bits] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, member in enumerate(self.model.members):
            bit = 1 << number
            self.everybody |= bit
            self.on_host_network |= bit if member.host_network else 0
            account = member.namespace, member.service_account
            _put(self.by_namespace, member.namespace, bit)
            _put(self.by_account, account, bit)
            for key, value in member.labels.items():
                _put(self.by_label.setdefault(key, {}), value, bit)
            self.with_ports |= bit if member.ports else 0
            for port in member.ports:
                _put(self.by_number, (port.protocol, port.number), bit)
                if port.name:
                    name = port.name, port.protocol
                    for found in port_numbers(member, *name):
                        _put(self.by_port.setdefault(name, {}), found, bit)

    def members(self, bits: Bits) -> list[Member]:
        return [self.model.members[number] for number in places(bits)]

    def select(self, peer: PodPeer, policy_namespace: str) -> Bits:
        """Return whom a peer or subject selects, without the host network."""
        return self.select_with_host_network(peer, policy_namespace) & ~(
            self.on_host_network
        )

    def select_with_host_network(self, peer: PodPeer, policy_namespace: str) -> Bits:
        """Return whose labels and namespace match, on whatever network they are."""
        key = (policy_namespace, peer)
        if key not in self._known:
            found = self.in_namespaces(peer, policy_namespace)
            pods = peer.pods.requirements if peer.pods is not None else ()
            self._known[key] = found & self.meeting(pods)
        return self._known[key]

    def in_namespaces(self, peer: PodPeer, policy_namespace: str) -> Bits:
        """Return all members of the namespaces that a peer speaks of."""
        names = self.namespaces_of(peer, policy_namespace)
        return reduce(or_, (self.by_namespace.get(name, 0) for name in names), 0)

    def namespaces_of(self, peer: PodPeer, policy_namespace: str) -> list[str]:
        """Return the namespaces that a peer speaks of, declared or only mentioned."""
        if peer.namespaces is None:
            return [policy_namespace]
        return _matching(peer.namespaces, self.model)

    def meeting(self, requirements: tuple[Requirement, ...]) -> Bits:
        """Return who meets all requirements, in whatever namespace."""
        return reduce(and_, map(self._meeting, requirements), self.everybody)

    def account(self, peer: AccountPeer) -> Bits:
        """Return who runs as a service account, without the host network."""
        found = self.by_account.get((peer.namespace, peer.name), 0)
        return found & ~self.on_host_network

    def _meeting(self, requirement: Requirement) -> Bits:
        values: Mapping[str, Bits] = self.by_label.get(requirement.key, {})
        match requirement.operator:
            case Operator.EXISTS:
                return reduce(or_, values.values(), 0)
            case Operator.DOES_NOT_EXIST:
                return self.everybody & ~reduce(or_, values.values(), 0)
        named = reduce(or_, (values.get(v, 0) for v in requirement.values), 0)
        if requirement.operator is Operator.IN:
            return named
        return self.everybody & ~named


def _put(index: dict[K, Bits], key: K, bit: Bits) -> None:
    index[key] = index.get(key, 0) | bit


def _matching(selector: LabelSelector, model: Model) -> list[str]:
    found: list[tuple[str, Labels]] = [
        (name, namespace.labels) for name, namespace in model.namespaces.items()
    ]
    return [name for name, labels in found if selects(selector, labels)]

"""Peers: classes of workloads that all rules treat alike as the other side.

A pod peer is kept at the widest level that says it exactly: all members, realms, or,
if it looks at pod labels, classes of workloads. Two workloads are in one class if the
same pod peers select them and the ports that egress rules name have the same numbers.

Classes are made twice: *local* by the peers that mean their policy's own namespace,
where its subjects are too, which is most of them, and *wide* by all others. So a
selector in one namespace splits no class anywhere else, and a label that all namespaces
use stays one class for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Network

from filters.layout import LOCAL_PEERS, WIDE_PEERS
from generator.overlay.address import workload_network
from generator.overlay.model import Overlay, Workload, port_numbers
from generator.policy.model import (
    AccountPeer,
    Direction,
    LabelSelector,
    Model,
    OverlayPeer,
    PodPeer,
    Policy,
    Protocol,
)
from generator.policy.selector import selects
from generator.table.rules import PortName, Rules

PodSet = tuple[str | None, bool, LabelSelector | None, LabelSelector | None]
"""Namespace that is meant if the peer names none, whether all subjects are in it, pod
and namespace selector."""

MemberPeer = PodPeer | AccountPeer | OverlayPeer
"""Peers that select members of the overlay."""

PeerKey = PodSet | AccountPeer | OverlayPeer
"""What makes two of them one."""


def peer_key(policy: Policy, peer: MemberPeer) -> PeerKey:
    if not isinstance(peer, PodPeer):
        return peer
    if peer.namespaces is not None:
        return (None, False, peer.pods, peer.namespaces)
    # The filter looks local classes up in the subject's realm. The subjects of an
    # OverlayPolicy may be elsewhere: its own namespace is then one like any other.
    is_local = policy.subject.namespaces is None
    return (policy.namespace, is_local, peer.pods, None)


@dataclass(frozen=True, slots=True)
class Selected:
    """Whom a peer selects. `realms` is used if it looks at nothing but namespaces."""

    is_everyone: bool
    is_local: bool
    looks_at_pods: bool
    realms: tuple[int, ...]
    workloads: tuple[Workload, ...]


@dataclass(frozen=True, slots=True)
class Peers:
    """Whom each pod peer selects, and the class numbers of workloads by their ids.

    `subjects` are the ids of the workloads that each policy selects, by its place.
    """

    selected: Mapping[PeerKey, Selected]
    subjects: tuple[frozenset[int], ...]
    wide: Mapping[int, int]
    local: Mapping[int, int]

    def class_key(self, workload: Workload, *, is_local: bool) -> int:
        """What a subject's peers know a workload by."""
        if is_local:
            return LOCAL_PEERS + self.local[workload.id]
        return WIDE_PEERS + self.wide[workload.id]


def find_peers(model: Model, overlay: Overlay, rules: Rules) -> Peers:
    """Evaluate every distinct pod peer once, and number the classes."""
    selector = _Selector(model, overlay)
    selected: dict[PeerKey, Selected] = {}
    for policy in rules.policies:
        for rule in policy.rules:
            for peer in rule.peers or ():
                if isinstance(peer, MemberPeer):
                    key = peer_key(policy, peer)
                    if key not in selected:
                        selected[key] = selector.select(key)
    subjects = tuple(
        frozenset(w.id for w in selector.select(key).workloads)
        for key in (peer_key(policy, policy.subject) for policy in rules.policies)
    )
    wide = [one for one in selected.values() if not one.is_local]
    local = [one for one in selected.values() if one.is_local]
    return Peers(
        selected,
        subjects,
        wide=_classify(overlay, rules, wide),
        local=_number_by_realm(overlay, _classify(overlay, rules, local)),
    )


class _Selector:
    """Finds the workloads that a peer selects."""

    def __init__(self, model: Model, overlay: Overlay) -> None:
        self._model = model
        self._overlay = overlay
        self._by_namespace: dict[str, list[Workload]] = {}
        for workload in overlay.workloads:
            self._by_namespace.setdefault(workload.namespace, []).append(workload)
        self._realms = {realm.namespace: realm.id for realm in overlay.realms}

    def select(self, key: PeerKey) -> Selected:
        match key:
            case AccountPeer():
                mine = self._by_namespace.get(key.namespace, ())
                return _some(w for w in mine if w.service_account == key.name)
            case OverlayPeer():
                return _some(
                    workload
                    for workload in self._overlay.workloads
                    if self._prefix(workload).subnet_of(key.cidr)
                )
            case _:
                return self._select_pods(key)

    def _prefix(self, workload: Workload) -> IPv6Network:
        """The 96 bits that all addresses of a workload have in common."""
        return workload_network(self._overlay.id, workload.realm, workload.id)

    def _select_pods(self, key: PodSet) -> Selected:
        owner, is_local, pods, namespace_selector = key
        if owner is not None or namespace_selector is None:
            names = [owner or ""]
        else:
            names = [
                namespace.name
                for namespace in self._model.namespaces.values()
                if selects(namespace_selector, namespace.labels)
            ]
        requires = pods is not None and bool(pods.requirements)
        workloads = tuple(
            workload
            for name in sorted(names)
            for workload in self._by_namespace.get(name, ())
            if pods is None or selects(pods, dict(workload.labels))
        )
        every_namespace = namespace_selector is not None and not (
            namespace_selector.requirements
        )
        found = sorted(self._realms[name] for name in names if name in self._realms)
        return Selected(
            is_everyone=every_namespace and not requires,
            is_local=is_local,
            looks_at_pods=requires,
            realms=tuple(found),
            workloads=workloads,
        )


def _some(workloads: Iterable[Workload]) -> Selected:
    """Select single workloads, wherever they are."""
    return Selected(
        is_everyone=False,
        is_local=False,
        looks_at_pods=True,
        realms=(),
        workloads=tuple(workloads),
    )


def _classify(
    overlay: Overlay, rules: Rules, selected: Iterable[Selected]
) -> dict[int, int]:
    names = rules.port_names(Direction.EGRESS)
    memberships: dict[int, list[int]] = {w.id: [] for w in overlay.workloads}
    for number, one in enumerate(selected):
        if one.looks_at_pods or names:
            for workload in one.workloads:
                memberships[workload.id].append(number)
    numbers: dict[object, int] = {}
    classes: dict[int, int] = {}
    for workload in overlay.workloads:
        key = (tuple(memberships[workload.id]), named_ports(workload, names))
        classes[workload.id] = numbers.setdefault(key, len(numbers))
    return classes


def _number_by_realm(overlay: Overlay, classes: Mapping[int, int]) -> dict[int, int]:
    """Number local classes from 0 in every realm: few numbers, used again."""
    known: dict[int, dict[int, int]] = {}
    numbers: dict[int, int] = {}
    for workload in overlay.workloads:
        mine = known.setdefault(workload.realm, {})
        numbers[workload.id] = mine.setdefault(classes[workload.id], len(mine))
    return numbers


def named_ports(workload: Workload, names: Iterable[PortName]) -> object:
    """What tells workloads apart by the numbers that they have for named ports.

    Members of a workload may differ where no policy looks; so all their answers count.
    """
    return tuple(
        frozenset(port_numbers(member, name, protocol) for member in workload.members)
        for name, wanted in names
        for protocol in ([wanted] if wanted else Protocol)
    )

"""Peers: classes of workloads that all rules treat alike as the other side.

A pod peer is kept at the widest level that says it exactly: all members, realms, or,
if it looks at pod labels, classes of workloads. Two workloads are in one class if the
same pod peers select them and the ports that egress rules name have the same numbers.

Classes are made twice: *local* by the peers that mean their policy's own namespace,
where its subjects are too, which is most of them, and *wide* by all others. So a
selector in one namespace splits no class anywhere else, and a label that all namespaces
use stays one class for all of them. Realms have classes too, by the peers that mean
several namespaces as a whole: "all but kube-system" is a few classes, not all realms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Network

from filters.layout import Level
from filters.lookup import peer_key
from generator.overlay.address import workload_network
from generator.overlay.model import Overlay, Workload, numbers_of
from generator.policy.label_index import LabelIndex
from generator.policy.model import (
    AccountPeer,
    ContainerPort,
    Direction,
    Labels,
    LabelSelector,
    Model,
    OverlayPeer,
    PodPeer,
    Policy,
    Protocol,
)
from generator.table.rules import PortName, Rules

PodSet = tuple[str | None, bool, LabelSelector | None, LabelSelector | None]
"""Namespace that is meant if the peer names none, whether all subjects are in it, pod
and namespace selector."""

MemberPeer = PodPeer | AccountPeer | OverlayPeer
"""Peers that select members of the overlay."""

PeerKey = PodSet | AccountPeer | OverlayPeer
"""What makes two of them one."""


def selection_key(policy: Policy, peer: MemberPeer) -> PeerKey:
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
    """Whom each pod peer selects, and class numbers of workloads and realms by id.

    `subjects` are the ids of the workloads that each policy selects, by its place.
    """

    selected: Mapping[PeerKey, Selected]
    subjects: tuple[frozenset[int], ...]
    wide: Mapping[int, int]
    local: Mapping[int, int]
    realm_classes: Mapping[int, int]

    def realm_keys(self, selected: Selected) -> set[int]:
        """What a subject's peers know the realms by that are selected as a whole."""
        if len(selected.realms) == 1:
            return {peer_key(Level.REALM, selected.realms[0])}
        classes = self.realm_classes
        return {peer_key(Level.REALM_CLASS, classes[r]) for r in selected.realms}

    def class_key(self, workload: Workload, *, is_local: bool) -> int:
        """What a subject's peers know a workload by."""
        if is_local:
            return peer_key(Level.LOCAL, self.local[workload.id])
        return peer_key(Level.WIDE, self.wide[workload.id])


def find_peers(model: Model, overlay: Overlay, rules: Rules) -> Peers:
    """Evaluate every distinct pod peer once, and number the classes."""
    selector = _Selector(model, overlay)
    selected: dict[PeerKey, Selected] = {}
    for policy in rules.policies:
        for rule in policy.rules:
            for peer in rule.peers or ():
                if isinstance(peer, MemberPeer):
                    key = selection_key(policy, peer)
                    if key not in selected:
                        selected[key] = selector.select(key)
    wide = [one for one in selected.values() if not one.is_local]
    local = [one for one in selected.values() if one.is_local]
    ports = _egress_ports(overlay, rules)
    return Peers(
        selected,
        tuple(map(selector.subjects, rules.policies)),
        wide=_classify(overlay, ports, wide),
        local=_number_by_realm(overlay, _classify(overlay, ports, local)),
        realm_classes=_classify_realms(overlay, selected.values()),
    )


class _Selector:
    """Finds the workloads that a peer selects."""

    def __init__(self, model: Model, overlay: Overlay) -> None:
        self._overlay = overlay
        rows: dict[str, list[tuple[Labels, Workload]]] = {}
        for workload in overlay.workloads:
            row = dict(workload.labels), workload
            rows.setdefault(workload.namespace, []).append(row)
        self._workloads = {name: LabelIndex(found) for name, found in rows.items()}
        self._namespaces = LabelIndex(
            (namespace.labels, namespace.name)
            for namespace in model.namespaces.values()
        )
        self._realms = {realm.namespace: realm.id for realm in overlay.realms}
        self._subjects: dict[PeerKey, frozenset[int]] = {}

    def subjects(self, policy: Policy) -> frozenset[int]:
        """Return the ids of the workloads that a policy selects."""
        key = selection_key(policy, policy.subject)
        if key not in self._subjects:
            found = self.select(key).workloads
            self._subjects[key] = frozenset(workload.id for workload in found)
        return self._subjects[key]

    def select(self, key: PeerKey) -> Selected:
        match key:
            case AccountPeer():
                mine = self._in_namespace(key.namespace, None)
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
            names: Sequence[str] = [owner or ""]
        else:
            names = sorted(self._namespaces.select(namespace_selector))
        requires = pods is not None and bool(pods.requirements)
        workloads = tuple(
            workload for name in names for workload in self._in_namespace(name, pods)
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

    def _in_namespace(
        self, name: str, pods: LabelSelector | None
    ) -> Sequence[Workload]:
        index = self._workloads.get(name)
        return index.select(pods) if index else ()


def _some(workloads: Iterable[Workload]) -> Selected:
    """Select single workloads, wherever they are."""
    return Selected(
        is_everyone=False,
        is_local=False,
        looks_at_pods=True,
        realms=(),
        workloads=tuple(workloads),
    )


def _egress_ports(overlay: Overlay, rules: Rules) -> Mapping[int, object]:
    """What the ports that egress rules name are, by the ids of workloads."""
    names = rules.port_names(Direction.EGRESS)
    return {w.id: named_ports(w, names) for w in overlay.workloads} if names else {}


def _classify(
    overlay: Overlay, ports: Mapping[int, object], selected: Iterable[Selected]
) -> dict[int, int]:
    memberships: dict[int, list[int]] = {w.id: [] for w in overlay.workloads}
    for number, one in enumerate(selected):
        if one.looks_at_pods or ports:
            for workload in one.workloads:
                memberships[workload.id].append(number)
    numbers: dict[object, int] = {}
    classes: dict[int, int] = {}
    for workload in overlay.workloads:
        key = (tuple(memberships[workload.id]), ports.get(workload.id))
        classes[workload.id] = numbers.setdefault(key, len(numbers))
    return classes


def _classify_realms(overlay: Overlay, selected: Iterable[Selected]) -> dict[int, int]:
    memberships: dict[int, list[int]] = {realm.id: [] for realm in overlay.realms}
    for number, one in enumerate(selected):
        if len(one.realms) > 1 and not one.looks_at_pods and not one.is_everyone:
            for realm in one.realms:
                memberships[realm].append(number)
    # Class 0 is of the realms that no such peer selects.
    numbers: dict[tuple[int, ...], int] = {(): 0}
    return {
        realm: numbers.setdefault(tuple(found), len(numbers))
        for realm, found in memberships.items()
    }


def _number_by_realm(overlay: Overlay, classes: Mapping[int, int]) -> dict[int, int]:
    """Number local classes from 0 in every realm: few numbers, used again."""
    known: dict[int, dict[int, int]] = {}
    numbers: dict[int, int] = {}
    for workload in overlay.workloads:
        mine = known.setdefault(workload.realm, {})
        numbers[workload.id] = mine.setdefault(classes[workload.id], len(mine))
    return numbers


def named_ports(workload: Workload, names: tuple[PortName, ...]) -> object:
    """What tells workloads apart by the numbers that they have for named ports.

    Members of a workload may differ where no policy looks; so all their answers count.
    """
    return _named_ports(frozenset(m.ports for m in workload.members), names)


@lru_cache(1 << 12)
def _named_ports(
    all_ports: frozenset[tuple[ContainerPort, ...]], names: tuple[PortName, ...]
) -> object:
    return tuple(
        frozenset(numbers_of(ports, name, protocol) for ports in all_ports)
        for name, wanted in names
        for protocol in ([wanted] if wanted else Protocol)
    )

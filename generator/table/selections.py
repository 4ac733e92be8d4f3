"""Selections: whom the subjects and peers of policies select.

Where in the pipeline: `model + overlay -> selections -> peers -> subjects`. Most peers
mean pods of their policy's own namespace: what they select there is kept for as long as
the workloads of that namespace are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Network
from typing import Final

from generator.memory import Kept, Rounds
from generator.overlay.address import workload_network
from generator.overlay.model import Overlay, Workload
from generator.policy.label_index import LabelIndex
from generator.policy.model import (
    AccountPeer,
    BlockPeer,
    DomainPeer,
    LabelSelector,
    Model,
    NodePeer,
    OverlayPeer,
    PodPeer,
    Policy,
    PortMatch,
)

MemberPeer = PodPeer | AccountPeer | OverlayPeer
"""Peers that select members of the overlay."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A peer that selects members, and what makes two of them one.

    `namespace` is the one that is meant if a pod peer names none. `is_local`: all
    subjects of the policy are in it too.
    """

    peer: MemberPeer
    namespace: str = ""
    is_local: bool = False
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Selectors are deep, and every peer is looked up in every build.
        object.__setattr__(self, "_hash", hash((self.peer, self.namespace)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Ask:
    """What a rule asks of the mesh for one of its peers.

    `peer` None: of all members. `named` are the ports whose numbers are looked up on
    whom the peer selects: those that an egress rule names.
    """

    peer: Selection | BlockPeer | DomainPeer | NodePeer | None
    named: tuple[PortMatch, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.peer, self.named)))

    def __hash__(self) -> int:
        return self._hash


def selection_of(policy: Policy, peer: MemberPeer) -> Selection:
    if not isinstance(peer, PodPeer) or peer.namespaces is not None:
        return Selection(peer)
    # The filter looks local classes up in the subject's realm. The subjects of an
    # OverlayPolicy may be elsewhere: its own namespace is then one like any other.
    return Selection(peer, policy.namespace, policy.subject.namespaces is None)


@dataclass(frozen=True, slots=True)
class Selected:
    """Whom a peer selects. `realms` is used if it looks at nothing but namespaces."""

    is_everyone: bool
    looks_at_pods: bool
    realms: tuple[int, ...]
    workloads: tuple[Workload, ...]


NOBODY: Final = Selected(
    is_everyone=False, looks_at_pods=False, realms=(), workloads=()
)


@dataclass(frozen=True, slots=True, eq=False)
class Inhabitants:
    """The workloads of one namespace, and its realm."""

    realm: int
    workloads: LabelIndex[Workload]


class SelectionMemory:
    """What is selected in single namespaces: by the workloads there, and selection."""

    def __init__(self) -> None:
        self.inhabitants: Kept[str, tuple[Workload, ...], Inhabitants] = Kept()
        self.picks: Rounds[tuple[Inhabitants, Selection], Selected] = Rounds()

    def start(self) -> None:
        self.inhabitants.start()
        self.picks.start()


class Selector:
    """Finds the workloads that a peer selects."""

    def __init__(self, model: Model, overlay: Overlay, memory: SelectionMemory) -> None:
        memory.start()
        self._overlay = overlay
        self._picks = memory.picks
        self._inhabitants = {
            name: memory.inhabitants.get(name, workloads, _index)
            for name, workloads in _by_namespace(overlay).items()
        }
        self._namespaces = LabelIndex(
            (namespace.labels, namespace.name)
            for namespace in model.namespaces.values()
        )
        self._known: dict[Selection, Selected] = {}

    def select(self, selection: Selection) -> Selected:
        """Evaluate a selection, once."""
        known = self._known.get(selection)
        if known is None:
            known = self._known[selection] = self._select(selection)
        return known

    def _select(self, selection: Selection) -> Selected:
        match selection.peer:
            case AccountPeer(namespace):
                return self._in_namespace(namespace, selection)
            case OverlayPeer(cidr):
                workloads = self._overlay.workloads
                return _some(w for w in workloads if self._prefix(w).subnet_of(cidr))
            case PodPeer(pods, namespaces):
                if namespaces is None:
                    return self._in_namespace(selection.namespace, selection)
                return self._in_namespaces(selection, pods, namespaces)

    def _in_namespace(self, name: str, selection: Selection) -> Selected:
        found = self._inhabitants.get(name)
        return self._picks.get((found, selection), _pick) if found else NOBODY

    def _in_namespaces(
        self,
        selection: Selection,
        pods: LabelSelector | None,
        namespaces: LabelSelector,
    ) -> Selected:
        names = sorted(self._namespaces.select(namespaces))
        found = [self._in_namespace(name, selection) for name in names]
        requires = _requires(pods)
        return Selected(
            is_everyone=not requires and not namespaces.requirements,
            looks_at_pods=requires,
            realms=tuple(sorted(realm for one in found for realm in one.realms)),
            workloads=tuple(w for one in found for w in one.workloads),
        )

    def _prefix(self, workload: Workload) -> IPv6Network:
        """The 96 bits that all addresses of a workload have in common."""
        return workload_network(self._overlay.id, workload.realm, workload.id)


def _by_namespace(overlay: Overlay) -> Mapping[str, tuple[Workload, ...]]:
    found: dict[str, list[Workload]] = {}
    for workload in overlay.workloads:
        found.setdefault(workload.namespace, []).append(workload)
    return {name: tuple(workloads) for name, workloads in found.items()}


def _index(workloads: tuple[Workload, ...]) -> Inhabitants:
    rows = ((dict(workload.labels), workload) for workload in workloads)
    return Inhabitants(workloads[0].realm, LabelIndex(rows))


def _pick(key: tuple[Inhabitants, Selection]) -> Selected:
    """Return what a selection means in one namespace."""
    inhabitants, selection = key
    match selection.peer:
        case PodPeer(pods):
            found = inhabitants.workloads.select(pods)
            realms = (inhabitants.realm,)
            return Selected(False, _requires(pods), realms, tuple(found))
        case AccountPeer(_, account):
            mine = inhabitants.workloads.select(None)
            return _some(w for w in mine if w.service_account == account)
        case OverlayPeer():
            raise AssertionError("an address is in no namespace")


def _requires(pods: LabelSelector | None) -> bool:
    return pods is not None and bool(pods.requirements)


def _some(workloads: Iterable[Workload]) -> Selected:
    """Select single workloads, wherever they are."""
    return Selected(
        is_everyone=False, looks_at_pods=True, realms=(), workloads=tuple(workloads)
    )

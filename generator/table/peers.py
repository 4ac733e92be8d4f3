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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import itemgetter

from filters.layout import Level
from filters.lookup import peer_key
from generator.memory import Rounds
from generator.overlay.model import Overlay, Workload, numbers_of
from generator.policy.model import (
    BlockPeer,
    ContainerPort,
    Model,
    Protocol,
)
from generator.table.addresses import Homes
from generator.table.ports import KeyRange, key_ranges
from generator.table.rules import PortName, Rules
from generator.table.selections import (
    Ask,
    Selected,
    Selection,
    SelectionMemory,
    Selector,
)

Classes = Mapping[int, int]
"""Class numbers by id, of workloads or of realms."""

NamedKeys = tuple[tuple[int, KeyRange], ...]
"""Keys of ports, by what subjects know a class of workloads by."""


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What a peer of a rule comes to in this mesh.

    `keys` are what subjects know the selected by, ascending; none if they are everyone.
    `named` are the ports that the rule names, as they are on the selected.
    `has_homes`: members are known to live in a block. Equal ones are one object, in one
    build and in the next.
    """

    is_everyone: bool = False
    keys: tuple[int, ...] = ()
    named: NamedKeys = ()
    has_homes: bool = False


ReachMemory = Rounds[tuple[bool, tuple[int, ...], NamedKeys, bool], Reach]
"""Reaches by what is in them."""


@dataclass
class Peers:
    """Whom each peer selects, and class numbers of workloads and realms by id.

    `subjects` are the workloads that each policy selects, by its place.
    """

    selected: Mapping[Selection, Selected]
    subjects: tuple[tuple[Workload, ...], ...]
    everybody: tuple[Workload, ...]
    wide: Classes
    local: Classes
    realm_classes: Classes
    homes: Homes
    memory: ReachMemory
    _known: dict[Ask, Reach] = field(default_factory=dict)

    def reach(self, ask: Ask) -> Reach:
        """Return what a peer comes to; this is found once."""
        known = self._known.get(ask)
        if known is None:
            known = self._known[ask] = self._reach(ask)
        return known

    def _reach(self, ask: Ask) -> Reach:
        peer, has_homes = ask.peer, False
        is_everyone = peer is None
        keys: set[int] = set()
        named: NamedKeys = ()
        match peer:
            case None:
                named = self._named(ask, self.everybody, False)
            case Selection():
                one = self.selected[peer]
                is_everyone = one.is_everyone
                keys = set() if is_everyone else self._keys(peer, one)
                named = self._named(ask, one.workloads, peer.is_local)
            case BlockPeer():
                has_homes = self.homes.meet(peer.cidr)
        value = is_everyone, tuple(sorted(keys)), named, has_homes
        return self.memory.get(value, lambda key: Reach(*key))

    def _keys(self, selection: Selection, one: Selected) -> set[int]:
        """The widest level that says exactly what a peer selects."""
        if one.looks_at_pods:
            keys = self.class_keys[selection.is_local]
            return {keys[workload.id] for workload in one.workloads}
        if len(one.realms) == 1:
            return {peer_key(Level.REALM, one.realms[0])}
        classes = {self.realm_classes[realm] for realm in one.realms}
        return {peer_key(Level.REALM_CLASS, number) for number in classes}

    @cached_property
    def class_keys(self) -> tuple[Mapping[int, int], Mapping[int, int]]:
        """What subjects know workloads by: wide keys, and local ones."""
        return _peer_keys(Level.WIDE, self.wide), _peer_keys(Level.LOCAL, self.local)

    def _named(
        self, ask: Ask, workloads: Iterable[Workload], is_local: bool
    ) -> NamedKeys:
        """Look named ports up on each destination; those of a class say the same."""
        if not ask.named:
            return ()
        class_keys = self.class_keys[is_local]
        found = {class_keys[workload.id]: workload for workload in workloads}
        return tuple(
            (key, keys)
            for key, workload in sorted(found.items(), key=itemgetter(0))
            for keys in key_ranges(ask.named, workload)
        )


def _peer_keys(level: Level, classes: Classes) -> Mapping[int, int]:
    keys = {number: peer_key(level, number) for number in set(classes.values())}
    return {workload: keys[number] for workload, number in classes.items()}


class PeersMemory:
    """What the peers of one table leave to those of the next one."""

    def __init__(self) -> None:
        self.selections = SelectionMemory()
        self.reaches = ReachMemory()


def find_peers(
    model: Model,
    overlay: Overlay,
    rules: Rules,
    homes: Homes,
    memory: PeersMemory,
) -> Peers:
    """Evaluate every distinct peer once, and number the classes."""
    memory.reaches.start()
    selector = Selector(model, overlay, memory.selections)
    selected = {
        peer: selector.select(peer) for one in rules.statements for peer in one.peers
    }
    ports = _egress_ports(overlay, rules)
    wide = (one for peer, one in selected.items() if not peer.is_local)
    local = (one for peer, one in selected.items() if peer.is_local)
    return Peers(
        selected,
        tuple(selector.select(one.subject).workloads for one in rules.statements),
        overlay.workloads,
        wide=_classify(overlay, ports, wide),
        local=_number_by_realm(overlay, _classify(overlay, ports, local)),
        realm_classes=_classify_realms(overlay, selected.values()),
        homes=homes,
        memory=memory.reaches,
    )


def _egress_ports(overlay: Overlay, rules: Rules) -> Mapping[int, object]:
    """What the ports that egress rules name are, by the ids of workloads."""
    names = rules.port_names()
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
    return {
        workload: numbers.setdefault((tuple(found), ports.get(workload)), len(numbers))
        for workload, found in memberships.items()
    }


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


def _number_by_realm(overlay: Overlay, classes: Classes) -> dict[int, int]:
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
    return _named_ports(workload.declared_ports, names) if names else ()


@lru_cache(1 << 12)
def _named_ports(
    all_ports: frozenset[tuple[ContainerPort, ...]], names: tuple[PortName, ...]
) -> object:
    return tuple(
        frozenset(numbers_of(ports, name, protocol) for ports in all_ports)
        for name, wanted in names
        for protocol in ([wanted] if wanted else Protocol)
    )

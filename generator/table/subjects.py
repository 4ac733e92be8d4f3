"""Subjects: what a distinct set of policies says in one direction.

Where in the pipeline: `rules + peers -> subjects -> rule table`. Workloads that the
same policies select, with the same numbers for the ports that those name, share a
subject. NetworkPolicy only adds ("the set of connections allowed is the union"), so
any rule that matches allows; a pod that no policy selects is not isolated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from generator.overlay.model import Overlay, Workload
from generator.policy.model import (
    BlockPeer,
    Direction,
    NetworkPolicy,
    PodPeer,
    PolicyRule,
    PortMatch,
)
from generator.policy.selector import selects
from generator.table.addresses import Block, address_list
from generator.table.model import Subject
from generator.table.peers import Peers, Selected, named_ports, pod_set
from generator.table.ports import flatten, key_ranges
from generator.table.rules import DIRECTIONS, Rules, names_in

Ruled = tuple[int, int, int]
"""First key, last key, rule."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Subjects, and which one each workload has by direction and workload id."""

    subjects: tuple[Subject, ...]
    numbers: Mapping[Direction, Mapping[int, int]]


def assign_subjects(overlay: Overlay, rules: Rules, peers: Peers) -> Assignment:
    """Make every distinct subject once."""
    selected = _select(overlay, rules)
    made: list[Subject] = []
    known: dict[object, int] = {}
    numbers: dict[Direction, dict[int, int]] = {d: {} for d in DIRECTIONS}
    for workload in overlay.workloads:
        for direction in DIRECTIONS:
            places = tuple(selected.get((workload.id, direction), ()))
            key: object = (
                direction,
                places,
                _ports_that_count(workload, rules, key=places),
            )
            if direction is Direction.EGRESS:
                key = (direction, places, ())
            if key not in known:
                known[key] = len(made)
                maker = _Maker(overlay, rules, peers, direction, workload)
                made.append(maker.make(places))
            numbers[direction][workload.id] = known[key]
    return Assignment(tuple(made), numbers)


def _select(overlay: Overlay, rules: Rules) -> dict[tuple[int, Direction], list[int]]:
    """The places of the policies that isolate each workload in each direction."""
    by_namespace: dict[str, list[Workload]] = {}
    for workload in overlay.workloads:
        by_namespace.setdefault(workload.namespace, []).append(workload)
    found: dict[tuple[int, Direction], list[int]] = {}
    for place, policy in enumerate(rules.policies):
        for workload in by_namespace.get(policy.namespace, ()):
            if selects(policy.subject, dict(workload.labels)):
                for direction in policy.isolates:
                    found.setdefault((workload.id, direction), []).append(place)
    return found


def _ports_that_count(
    workload: Workload, rules: Rules, *, key: tuple[int, ...]
) -> object:
    """The numbers of the ports that a destination's own ingress rules name."""
    names = names_in(
        rule for place in key for _, rule in rules.of_policy(place, Direction.INGRESS)
    )
    return named_ports(workload, names)


@dataclass
class _Maker:
    """Collects what one subject says, by level."""

    overlay: Overlay
    rules: Rules
    peers: Peers
    direction: Direction
    workload: Workload
    members: list[Ruled] = field(default_factory=list)
    outside: list[Ruled] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    by_peer: dict[int, list[Ruled]] = field(default_factory=dict)

    def make(self, places: tuple[int, ...]) -> Subject:
        if not places:
            return Subject()
        for place in places:
            for number, rule in self.rules.of_policy(place, self.direction):
                self._add(self.rules.policies[place], rule, number)
        peers = {key: flatten(rows) for key, rows in sorted(self.by_peer.items())}
        return Subject(
            default_rule=self.rules.default_of(places, self.direction),
            members=flatten(self.members),
            outside=flatten(self.outside),
            addresses4=address_list(self.blocks, version=4),
            addresses6=address_list(self.blocks, version=6),
            peers={key: ports for key, ports in peers.items() if ports},
        )

    def _add(self, policy: NetworkPolicy, rule: PolicyRule, number: int) -> None:
        destination = self.workload if self.direction is Direction.INGRESS else None
        keys = key_ranges(rule.ports, destination)
        ruled = [(*key, number) for key in keys]
        named = _named(rule.ports) if self.direction is Direction.EGRESS else ()
        if rule.peers is None:
            self.members += ruled
            self.outside += ruled
            self._add_named(named, number, self.overlay.workloads, is_local=False)
        for peer in rule.peers or ():
            match peer:
                case BlockPeer():
                    self.blocks.append(Block(peer, tuple(keys), number))
                case PodPeer():
                    one = self.peers.selected[pod_set(policy, peer)]
                    self._add_selected(one, ruled)
                    self._add_named(named, number, one.workloads, is_local=one.is_local)

    def _add_selected(self, selected: Selected, ruled: list[Ruled]) -> None:
        """Keep what a pod peer allows at the widest level that says it exactly."""
        if selected.is_everyone:
            self.members += ruled
        elif selected.looks_at_pods:
            is_local = selected.is_local
            keys = {
                self.peers.class_key(w, is_local=is_local) for w in selected.workloads
            }
            for key in keys:
                self.by_peer.setdefault(key, []).extend(ruled)
        else:
            for realm in selected.realms:
                self.by_peer.setdefault(realm, []).extend(ruled)

    def _add_named(
        self,
        named: tuple[PortMatch, ...],
        number: int,
        destinations: Iterable[Workload],
        *,
        is_local: bool,
    ) -> None:
        """Look a named egress port up on each destination, by class."""
        if not named:
            return
        for workload in destinations:
            key = self.peers.class_key(workload, is_local=is_local)
            ruled = [(*k, number) for k in key_ranges(named, workload)]
            self.by_peer.setdefault(key, []).extend(ruled)


def _named(ports: tuple[PortMatch, ...] | None) -> tuple[PortMatch, ...]:
    return tuple(port for port in ports or () if port.name)

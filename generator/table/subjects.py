"""Subjects: what a distinct set of policies of one tier says in one direction.

Where in the pipeline: `rules + peers -> subjects -> rule table`. Workloads that the
same policies select, with the same numbers for the ports that those name, share a
subject. In every tier the first matching rule counts; for NetworkPolicy, which only
adds ("the set of connections allowed is the union"), any is as good. A pod that no
policy of the normal tier selects is not isolated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from generator.overlay.model import Overlay, Workload
from generator.policy.model import (
    AccountPeer,
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    NodePeer,
    OverlayPeer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Tier,
)
from generator.table.addresses import Block, Homes, address_list
from generator.table.chains import Chains
from generator.table.model import Chain, PortList, Subject, SubjectSet
from generator.table.peers import Peers, Selected, named_ports, selection_key
from generator.table.ports import flatten, key_ranges
from generator.table.rules import DIRECTIONS, Rules, closed, sorted_names

Ruled = tuple[int, int, int]
"""First key, last key, rule."""


@dataclass(frozen=True, slots=True)
class View:
    """What is asked about: one direction, with audited policies enforced or not."""

    direction: Direction
    is_audited: bool


VIEWS: Final = tuple(View(d, a) for a in (False, True) for d in DIRECTIONS)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Subjects, and each workload's subjects by view and its id.

    `chains` are what the subjects' port lists lead to.
    """

    subjects: tuple[Subject, ...]
    chains: tuple[Chain, ...]
    sets: Mapping[View, Mapping[int, SubjectSet]]


def assign_subjects(
    overlay: Overlay, rules: Rules, peers: Peers, homes: Homes
) -> Assignment:
    """Make every distinct subject once."""
    subjects = _Subjects(overlay, rules, peers, homes, Chains(rules.http))
    sets: dict[View, dict[int, SubjectSet]] = {view: {} for view in VIEWS}
    views = _views(rules)
    speaking = [_speaks(policy) for policy in rules.policies]
    selecting = _policies_of_workloads(peers)
    for workload in overlay.workloads:
        said: dict[tuple[Direction, Tier], list[int]] = {}
        for place in selecting[workload.id]:
            for slot in speaking[place]:
                said.setdefault(slot, []).append(place)
        for view in views:
            admin, normal, baseline = (
                subjects.number(workload, view, said.get((view.direction, tier), ()))
                for tier in Tier
            )
            sets[view][workload.id] = (admin, normal, baseline)
    for view in VIEWS:
        sets[view] = sets[view] or sets[View(view.direction, False)]
    return Assignment(tuple(subjects.made), tuple(subjects.chains.made), sets)


def _views(rules: Rules) -> tuple[View, ...]:
    """The views that differ: without audited policies both of a direction are one."""
    if any(policy.is_audited for policy in rules.policies):
        return VIEWS
    return tuple(view for view in VIEWS if not view.is_audited)


def _speaks(policy: Policy) -> tuple[tuple[Direction, Tier], ...]:
    """The directions in which a policy says something about whom it selects."""
    if policy.tier is Tier.NORMAL:
        directions = policy.isolates
    else:
        directions = frozenset(rule.direction for rule in policy.rules)
    return tuple((direction, policy.tier) for direction in directions)


@dataclass
class _Subjects:
    """All subjects so far; makes each when it is first needed."""

    overlay: Overlay
    rules: Rules
    peers: Peers
    homes: Homes
    chains: Chains
    made: list[Subject] = field(default_factory=list)
    known: dict[object, int] = field(default_factory=dict)

    def number(self, workload: Workload, view: View, said: Iterable[int]) -> int | None:
        """Return the subject of some policies for a workload; None without policies."""
        policies = self.rules.policies
        places = tuple(
            place for place in said if view.is_audited or not policies[place].is_audited
        )
        if not places:
            return None
        key = self._key(workload, view.direction, places)
        if key not in self.known:
            self.known[key] = len(self.made)
            mesh = self.overlay, self.rules, self.peers, self.homes, self.chains
            self.made.append(_Maker(*mesh, view.direction, workload).make(places))
        return self.known[key]

    def _key(
        self, workload: Workload, direction: Direction, places: tuple[int, ...]
    ) -> object:
        """What makes the subjects of two workloads one.

        A destination's own ports count as far as its ingress rules name them.
        """
        if direction is Direction.EGRESS:
            return (direction, places)
        names = {name for place in places for name in self.rules.ingress_names[place]}
        return (direction, places, named_ports(workload, sorted_names(names)))


def _policies_of_workloads(peers: Peers) -> dict[int, list[int]]:
    """The places of the policies that select each workload, ascending."""
    found: dict[int, list[int]] = {number: [] for number in peers.wide}
    for place, selected in enumerate(peers.subjects):
        for number in selected:
            found[number].append(place)
    return found


@dataclass
class _Maker:
    """Collects what one subject says, by level."""

    overlay: Overlay
    rules: Rules
    peers: Peers
    homes: Homes
    chains: Chains
    direction: Direction
    workload: Workload
    members: list[Ruled] = field(default_factory=list)
    outside: list[Ruled] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    by_peer: dict[int, list[Ruled]] = field(default_factory=dict)

    def make(self, places: tuple[int, ...]) -> Subject:
        for place in places:
            for number, rule in self.rules.of_policy(place, self.direction):
                self._add(self.rules.policies[place], closed(rule), number)
        # Peers of one rule have the same rows, and then the same ports.
        known: dict[tuple[Ruled, ...], PortList] = {}
        peers: dict[int, PortList] = {}
        for key, ruled in sorted(self.by_peer.items()):
            rows = tuple(ruled)
            if rows not in known:
                known[rows] = flatten(rows, self.chains)
            peers[key] = known[rows]
        return Subject(
            default_rule=self._default(places),
            members=flatten(self.members, self.chains),
            outside=flatten(self.outside, self.chains),
            addresses4=address_list(self.blocks, self.chains, version=4),
            addresses6=address_list(self.blocks, self.chains, version=6),
            any_address=flatten(self._maybe_blocks(), self.chains),
            peers={key: ports for key, ports in peers.items() if ports},
        )

    def _maybe_blocks(self) -> Iterator[Ruled]:
        """Yield what blocks would say of a member whose address is not known yet.

        Only of blocks in which members are known to live. A Deny is left out: whoever
        knows the address judges again.
        """
        for block in self.blocks:
            action = self.rules.rows[block.rule].action
            if action is not Action.DENY and self.homes.meet(block.peer.cidr):
                yield from ((*key, block.rule) for key in block.keys)

    def _default(self, places: tuple[int, ...]) -> int | None:
        """Only the normal tier isolates."""
        if self.rules.policies[places[0]].tier is not Tier.NORMAL:
            return None
        return self.rules.default_of(places, self.direction)

    def _add(self, policy: Policy, rule: PolicyRule, number: int) -> None:
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
                case PodPeer() | AccountPeer() | OverlayPeer():
                    one = self.peers.selected[selection_key(policy, peer)]
                    self._add_selected(one, ruled)
                    self._add_named(named, number, one.workloads, is_local=one.is_local)
                case DomainPeer() | NodePeer():
                    if rule.action is Action.DENY:
                        self.outside += ruled

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
            for key in self.peers.realm_keys(selected):
                self.by_peer.setdefault(key, []).extend(ruled)

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

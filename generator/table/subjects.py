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
from generator.table.model import Chain, Subject, SubjectSet
from generator.table.peers import Peers, Selected, named_ports, peer_key
from generator.table.ports import flatten, key_ranges
from generator.table.rules import DIRECTIONS, Rules, closed, names_in

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
    """Subjects, sets of them by tier, and each workload's set by view and its id.

    `chains` are what the subjects' port lists lead to.
    """

    subjects: tuple[Subject, ...]
    chains: tuple[Chain, ...]
    sets: tuple[SubjectSet, ...]
    numbers: Mapping[View, Mapping[int, int]]


def assign_subjects(
    overlay: Overlay, rules: Rules, peers: Peers, homes: Homes
) -> Assignment:
    """Make every distinct subject and every distinct set of subjects once."""
    subjects = _Subjects(overlay, rules, peers, homes, Chains(rules.http))
    sets: dict[SubjectSet, int] = {}
    numbers: dict[View, dict[int, int]] = {view: {} for view in VIEWS}
    selecting = _policies_of_workloads(peers)
    for workload in overlay.workloads:
        selected_by = selecting[workload.id]
        for view in VIEWS:
            admin, normal, baseline = (
                subjects.number(workload, view, _places(selected_by, rules, tier, view))
                for tier in Tier
            )
            chosen = (admin, normal, baseline)
            numbers[view][workload.id] = sets.setdefault(chosen, len(sets))
    return Assignment(
        tuple(subjects.made), tuple(subjects.chains.made), tuple(sets), numbers
    )


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

    def number(
        self, workload: Workload, view: View, places: tuple[int, ...]
    ) -> int | None:
        """Return the subject of some policies for a workload; None without policies."""
        if not places:
            return None
        key = _subject_key(workload, self.rules, places, view.direction)
        if key not in self.known:
            self.known[key] = len(self.made)
            mesh = self.overlay, self.rules, self.peers, self.homes, self.chains
            maker = _Maker(*mesh, view.direction, workload)
            self.made.append(maker.make(places))
        return self.known[key]


def _policies_of_workloads(peers: Peers) -> dict[int, list[int]]:
    """The places of the policies that select each workload."""
    found: dict[int, list[int]] = {number: [] for number in peers.wide}
    for place, selected in enumerate(peers.subjects):
        for number in selected:
            found[number].append(place)
    return found


def _places(
    selecting: Iterable[int], rules: Rules, tier: Tier, view: View
) -> tuple[int, ...]:
    """The policies of one tier that say something in one view."""
    found = []
    for place in selecting:
        policy = rules.policies[place]
        if policy.tier is not tier or (policy.is_audited and not view.is_audited):
            continue
        if tier is Tier.NORMAL:
            speaks = view.direction in policy.isolates
        else:
            speaks = any(rule.direction is view.direction for rule in policy.rules)
        if speaks:
            found.append(place)
    return tuple(found)


def _subject_key(
    workload: Workload, rules: Rules, places: tuple[int, ...], direction: Direction
) -> object:
    """What makes the subjects of two workloads one."""
    if direction is Direction.EGRESS:
        return (direction, places)
    return (direction, places, _ports_that_count(workload, rules, key=places))


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
        peers = {
            key: flatten(rows, self.chains)
            for key, rows in sorted(self.by_peer.items())
        }
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
                    one = self.peers.selected[peer_key(policy, peer)]
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

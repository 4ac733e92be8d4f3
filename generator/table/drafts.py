"""Drafts: subjects whose rules are numbered from 0, and whose chains are too.

Where in the pipeline: `statements + what their peers come to -> drafts -> subjects`. No
number in a draft is moved by one policy more or less: so it is kept for as long as its
statements, what their peers come to and the ports that they name are the same. In every
tier the first matching rule counts, so rules are in the order that their ids have.
`placed` puts the ids in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from generator.memory import Rounds
from generator.overlay.model import Workload
from generator.policy.model import (
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    NodePeer,
    PolicyRule,
    Tier,
)
from generator.table.addresses import Block, address_list
from generator.table.chains import Chains, PlacedChains
from generator.table.model import (
    NO_CHAIN,
    Chain,
    PortList,
    PortRange,
    Subject,
)
from generator.table.peers import Reach
from generator.table.ports import flatten, key_ranges
from generator.table.rules import Statement

Ruled = tuple[int, int, int]
"""First key, last key, rule."""


class Part(NamedTuple):
    """What a policy says to a subject, and what the peers of its rules come to."""

    statement: Statement
    reached: tuple[Reach, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A subject, and the chains that its port lists lead to.

    `lists` are the port lists, each once, the empty one first; `members`, `outside`,
    `any_address`, `addresses4`, `addresses6` and `peers` name them by their place.
    """

    default_rule: int | None
    lists: tuple[PortList, ...]
    members: int
    outside: int
    any_address: int
    addresses4: tuple[tuple[int, int], ...]
    addresses6: tuple[tuple[int, int], ...]
    peers: tuple[tuple[int, int], ...]
    chains: tuple[Chain, ...]


DraftMemory = Rounds[tuple[tuple[Part, ...], object], Draft]
"""Drafts by their parts, in order, and by the ports that they name at a destination."""


SubjectMemory = Rounds[tuple[Draft, tuple[int, ...], tuple[int, ...]], Subject]
"""Subjects by their drafts, and the ids of their rules and chains."""


def make_draft(parts: Sequence[Part], workload: Workload) -> Draft:
    """Make the draft of some policies for a workload, one of those that it is for."""
    return _Maker(parts, workload).make()


@dataclass
class _Maker:
    """Collects what one subject says, by level."""

    parts: Sequence[Part]
    workload: Workload
    chains: Chains = field(default_factory=Chains)
    members: list[Ruled] = field(default_factory=list)
    outside: list[Ruled] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    any_address: list[Ruled] = field(default_factory=list)
    by_peer: dict[int, list[Ruled]] = field(default_factory=dict)
    lists: dict[PortList, int] = field(default_factory=lambda: {(): 0})

    def make(self) -> Draft:
        rules = list(self._numbered())
        asking = {n: rule.http for n, rule, _ in rules if rule.http is not None}
        self.chains = Chains(asking)
        for number, rule, reached in rules:
            self._add(number, rule, reached)
        # Peers of one rule have the same rows, and then the same ports.
        known: dict[tuple[Ruled, ...], int] = {}
        peers: list[tuple[int, int]] = []
        for key, ruled in sorted(self.by_peer.items()):
            rows = tuple(ruled)
            place = known.get(rows)
            if place is None:
                place = known[rows] = self._list(flatten(rows, self.chains))
            if place:
                peers.append((key, place))
        return Draft(
            default_rule=self._default(),
            members=self._list(flatten(self.members, self.chains)),
            outside=self._list(flatten(self.outside, self.chains)),
            addresses4=self._addresses(4),
            addresses6=self._addresses(6),
            any_address=self._list(flatten(self.any_address, self.chains)),
            peers=tuple(peers),
            lists=tuple(self.lists),
            chains=tuple(self.chains.made),
        )

    def _list(self, ports: PortList) -> int:
        return self.lists.setdefault(ports, len(self.lists))

    def _addresses(self, version: int) -> tuple[tuple[int, int], ...]:
        if not self.blocks:
            return ()
        found = address_list(self.blocks, self.chains, version=version)
        return tuple((start, self._list(ports)) for start, ports in found)

    def _numbered(self) -> Iterator[tuple[int, PolicyRule, tuple[Reach, ...]]]:
        """Yield all rules with their numbers, and the reach of each peer."""
        first = 0
        for statement, reached in self.parts:
            reaches = iter(reached)
            for number, rule in enumerate(statement.rules, first):
                count = 1 if rule.peers is None else len(rule.peers)
                yield number, rule, tuple(islice(reaches, count))
            first += len(statement.rows)

    def _default(self) -> int | None:
        """The rule that names the policy which isolates, of several.

        Only the normal tier isolates. A policy without rules is there to deny, so it is
        what people look for; among equals the first in order is named.
        """
        if self.parts[0].statement.tier is not Tier.NORMAL:
            return None
        defaults: list[tuple[bool, int]] = []
        after = 0
        for statement, _ in self.parts:
            after += len(statement.rows)
            defaults.append((bool(statement.rules), after - 1))
        return min(defaults)[1]

    def _add(self, number: int, rule: PolicyRule, reached: tuple[Reach, ...]) -> None:
        is_ingress = rule.direction is Direction.INGRESS
        keys = key_ranges(rule.ports, self.workload if is_ingress else None)
        ruled = [(*key, number) for key in keys]
        if rule.peers is None:
            self.outside += ruled
        peers = (None,) if rule.peers is None else rule.peers
        for peer, reach in zip(peers, reached, strict=True):
            match peer:
                case BlockPeer():
                    self.blocks.append(Block(peer, tuple(keys), number))
                    # Whoever knows the address judges again: a Deny can wait for that.
                    if reach.has_homes and rule.action is not Action.DENY:
                        self.any_address += ruled
                case DomainPeer() | NodePeer():
                    if rule.action is Action.DENY:
                        self.outside += ruled
                case _:
                    self._add_members(reach, ruled, number)

    def _add_members(self, reach: Reach, ruled: list[Ruled], number: int) -> None:
        """Keep what a rule says of members at the widest level that says it exactly."""
        if reach.is_everyone:
            self.members += ruled
        for key in reach.keys:
            self.by_peer.setdefault(key, []).extend(ruled)
        for key, keys in reach.named:
            self.by_peer.setdefault(key, []).append((*keys, number))


def placed(
    draft: Draft, ids: tuple[int, ...], chains: PlacedChains, memory: SubjectMemory
) -> Subject:
    """Return the subject of a draft whose rules have these ids, ascending."""
    own = tuple([chains.number(chain, ids) for chain in draft.chains])
    return memory.get((draft, ids, own), _place)


def _place(key: tuple[Draft, tuple[int, ...], tuple[int, ...]]) -> Subject:
    draft, ids, own = key
    own = (*own, NO_CHAIN)  # which is -1, and stays what it is
    lists = [
        tuple([PortRange(first, last, ids[r], own[c]) for first, last, r, c in ports])
        for ports in draft.lists
    ]
    return Subject(
        None if draft.default_rule is None else ids[draft.default_rule],
        lists[draft.members],
        lists[draft.outside],
        tuple([(start, lists[place]) for start, place in draft.addresses4]),
        tuple([(start, lists[place]) for start, place in draft.addresses6]),
        lists[draft.any_address],
        {key: lists[place] for key, place in draft.peers},
    )

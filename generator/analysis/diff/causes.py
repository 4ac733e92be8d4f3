"""By which rules a flow's access changed: both modules are asked about it again.

Where in the pipeline: `flow + keys that differ -> decisions of both sides -> turns`. A
*turn* is a direction in which the two sides do not decide alike, with the rule of each.
Of an owner's endpoints those speak that are allowed, as in `simulate`; if none is, the
first ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from filters.decide import Verdict
from filters.http import Requests
from generator.analysis.allowed import party_of, why_not_believed
from generator.analysis.classes import Classes
from generator.analysis.diff.access import Flow
from generator.analysis.diff.sides import Side
from generator.analysis.endpoints import Endpoint, find_owners
from generator.analysis.engine import Judgement
from generator.analysis.spans import AddressSpan, addresses_of, starts_of
from generator.policy.model import Direction
from generator.policy.request import HttpRequest
from generator.table.model import (
    NO_CHAIN,
    Chain,
    PortList,
    RuleTable,
    Subject,
    TableWorkload,
)
from generator.table.ports import EVERY_KEY

Question = HttpRequest | Requests
"""What is asked about on a port."""


@dataclass(frozen=True, slots=True)
class Half:
    """What one side decides in one direction. `rule` None: no policy speaks.

    `reason`: the filter's own, where it refuses before it looks at policy.
    """

    is_allowed: bool
    rule: str | None = None
    place: str | None = None
    reason: str | None = None

    @property
    def is_silent(self) -> bool:
        """Tell whether nothing has been said, so that all is allowed."""
        return self.rule is None and self.reason is None


@dataclass(frozen=True, slots=True)
class Turn:
    """A direction in which two sides differ. None: the flow's ends are not there."""

    direction: Direction
    before: Half | None
    after: Half | None


Decision = tuple[Half, Half]
"""Of egress and of ingress."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two endpoints. Equal kinds get equal answers."""

    ends: tuple[Endpoint, Endpoint]
    kind: tuple[object, ...]


class Decisions:
    """Asks one side for the rules that decide."""

    def __init__(self, side: Side) -> None:
        self._engine = side.engine
        self._table = side.table
        self._classes = Classes(side.table)
        owners = find_owners(side.table, side.overlay)
        self._owners = {
            owner.name: sorted(owner.endpoints, key=_endpoint_order) for owner in owners
        }

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._owners)

    def pairs(self, flow: Flow) -> list[Pair]:
        """Return the endpoints between which a flow may be; none: nobody is there."""
        sources = self._endpoints(flow.source, flow.span)
        destinations = self._endpoints(flow.destination, flow.span)
        return [self._pair(s, d) for s in sources for d in destinations]

    def _pair(self, source: Endpoint, destination: Endpoint) -> Pair:
        kind = (
            self._classes.of(Direction.EGRESS, source, destination),
            self._classes.of(Direction.INGRESS, destination, source),
            why_not_believed(self._table, source, destination),
            source == destination,
        )
        return Pair((source, destination), kind)

    def decide(
        self, pairs: list[Pair], key: int, question: Question
    ) -> tuple[Decision | None, int]:
        """Return the decision on a key, and the last key for which it holds."""
        if not pairs:
            return None, EVERY_KEY[1]
        found = [(pair, self._judge(pair, key, question)) for pair in pairs]
        stop = min(judgement.last_key for _, judgement in found)
        allowed = (
            (pair, judgement)
            for pair, judgement in found
            if judgement.is_allowed and not why_not_believed(self._table, *pair.ends)
        )
        pair, judgement = next(allowed, found[0])
        return self._decision(pair, judgement), stop

    def _judge(self, pair: Pair, key: int, question: Question) -> Judgement:
        sender, receiver = (party_of(self._engine, end) for end in pair.ends)
        return self._engine.judge(sender, receiver, key, request=question)

    def chains(self, pairs: list[Pair], key: int) -> Iterator[Chain]:
        """Yield the chains that may decide on a key, and perhaps some more."""
        for pair in pairs:
            source, destination = pair.ends
            yield from self._chains(Direction.EGRESS, source, destination, key)
            yield from self._chains(Direction.INGRESS, destination, source, key)

    def _chains(
        self, direction: Direction, own: Endpoint, peer: Endpoint, key: int
    ) -> Iterator[Chain]:
        if own.workload is None:
            return
        for _, number in self._table.subjects_of(own.workload, direction):
            for ports in _port_lists(
                self._table, self._table.subjects[number], own.workload, peer
            ):
                for row in ports:
                    if row.first <= key <= row.last and row.chain != NO_CHAIN:
                        yield self._table.chains[row.chain]

    def starts(self, flow: Flow) -> set[int]:
        """Where, within a flow's span, another rule of the owner may speak."""
        assert flow.span is not None
        first, last = flow.span.first, flow.span.last
        numbers = {
            number
            for endpoint in self._owners.get(flow.owner, ())
            if endpoint.workload is not None
            for _, number in self._table.subjects_of(endpoint.workload, flow.direction)
        }
        subjects = self._table.subjects
        lists = (addresses_of(subjects[number], first.version) for number in numbers)
        return {s for s in starts_of(lists) if int(first) < s <= int(last)}

    def _endpoints(self, name: str, span: AddressSpan | None) -> list[Endpoint]:
        if span is not None and name == str(span):
            return [Endpoint(None, span.first)]
        return self._owners.get(name, [])

    def _decision(self, pair: Pair, judgement: Judgement) -> Decision:
        reason = why_not_believed(self._table, *pair.ends)
        egress = self._half(judgement.egress, judgement.egress_rule)
        if reason is not None:
            return egress, Half(False, reason=reason)
        return egress, self._half(judgement.ingress, judgement.ingress_rule)

    def _half(self, verdict: Verdict, rule: int | None) -> Half:
        is_allowed = verdict is not Verdict.DENY
        if rule is None:
            return Half(is_allowed)
        names = self._table.rule_name(rule), self._table.rule_place(rule)
        return Half(is_allowed, *names)


def _port_lists(
    table: RuleTable, subject: Subject, own: TableWorkload, peer: Endpoint
) -> Iterator[PortList]:
    """Yield what a subject may say about a peer, addresses all together."""
    yield from (ports for _, ports in (*subject.addresses4, *subject.addresses6))
    if peer.workload is None:
        yield subject.outside
        return
    yield subject.members
    keys = table.peer_keys(own, peer.workload)
    yield from (subject.peers[key] for key in keys if key in subject.peers)


def is_open(decision: Decision | None) -> bool:
    """Tell whether a decision lets a flow through."""
    return decision is not None and decision[0].is_allowed and decision[1].is_allowed


def turns(before: Decision | None, after: Decision | None) -> tuple[Turn, ...]:
    """Return what turned; if a side has nobody there, what policy says on the other."""
    found = []
    for place, direction in enumerate((Direction.EGRESS, Direction.INGRESS)):
        old = None if before is None else before[place]
        new = None if after is None else after[place]
        if _is_told(old, new):
            found.append(Turn(direction, old, new))
    return tuple(found)


def _is_told(before: Half | None, after: Half | None) -> bool:
    if before is not None and after is not None:
        return before.is_allowed != after.is_allowed
    known = before or after
    return known is not None and not known.is_silent


def _endpoint_order(endpoint: Endpoint) -> tuple[int, int, int]:
    number = endpoint.workload.id if endpoint.workload else 0
    if endpoint.address is None:
        return number, 0, 0
    return number, endpoint.address.version, int(endpoint.address)

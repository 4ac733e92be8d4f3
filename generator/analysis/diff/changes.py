"""Find the flows whose access differs between two sides, and by which rules.

Where in the pipeline: `two sides -> simulate both -> changes`. Both modules are asked
about all flows first; only where they differ they are asked again, for the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from itertools import groupby, islice, pairwise
from operator import itemgetter
from typing import Final

from filters.http import Requests
from generator.analysis.allowed import Allowed
from generator.analysis.diff.access import (
    Accesses,
    Flow,
    Kind,
    Level,
    Step,
    compare_access,
    outside_flow,
    read_accesses,
)
from generator.analysis.diff.causes import (
    Decisions,
    Pair,
    Question,
    Turn,
    is_open,
    turns,
)
from generator.analysis.diff.requests import MOST, sample_requests
from generator.analysis.diff.sides import Side
from generator.analysis.endpoints import Endpoint, find_owners
from generator.analysis.key_ranges import merge, split_keys
from generator.analysis.simulate.simulation import Connection, simulate
from generator.analysis.spans import LAST6, AddressSpan
from generator.policy.model import Direction
from generator.policy.request import HttpRequest
from generator.table.ports import KeyRange

EVERY_IPV6: Final = AddressSpan(IPv6Address(0), IPv6Address(LAST6))


@dataclass(frozen=True, slots=True)
class Example:
    """A request whose answer turned. None: a flow that is not HTTP."""

    request: HttpRequest | None
    turns: tuple[Turn, ...]

    @property
    def kind(self) -> Kind:
        """All turns of a request go the way of its answer."""
        is_gain = all(turn.after and turn.after.is_allowed for turn in self.turns)
        return Kind.GAINED if is_gain else Kind.LOST


@dataclass(frozen=True, slots=True)
class Change:
    """What changed for one flow: keys with one level before and one after, and why.

    `examples` instead of `turns` if both levels are SOME: an example of each cause.
    """

    flow: Flow
    keys: tuple[KeyRange, ...]
    before: Level
    after: Level
    turns: tuple[Turn, ...]
    examples: tuple[Example, ...] = ()

    @property
    def kind(self) -> Kind:
        if self.before is not self.after:
            return Kind.GAINED if self.before < self.after else Kind.LOST
        kinds = {example.kind for example in self.examples}
        return kinds.pop() if len(kinds) == 1 else Kind.CHANGED

    @property
    def order(self) -> tuple[object, ...]:
        return (*self.flow.order, self.keys, self.before, self.after)


def find_changes(before: Side, after: Side) -> tuple[tuple[Change, ...], bool]:
    """Return all changes, sorted by flow, and whether all requests were tried."""
    finder = _Finder(before, after)
    found = sorted(_joined(finder.changes()), key=lambda change: change.order)
    return tuple(found), finder.tried_all


Why = tuple[tuple[Turn, ...], tuple[Example, ...]]
Pairs = tuple[list[Pair], list[Pair]]


class _Finder:
    def __init__(self, before: Side, after: Side) -> None:
        self._asked = Decisions(before), Decisions(after)
        has_ipv6 = _has_ipv6(before) or _has_ipv6(after)
        self._accesses = _accesses(before, has_ipv6), _accesses(after, has_ipv6)
        self.tried_all = True
        self._known: dict[object, list[tuple[KeyRange, Why]]] = {}

    def changes(self) -> Iterator[Change]:
        found: dict[Change, list[KeyRange]] = {}
        for flow, steps in groupby(compare_access(*self._accesses), key=itemgetter(0)):
            asked = [step for _, step in steps]
            for part in self._parts(flow):
                for step, keys, why in self._causes(part, asked):
                    change = Change(part, (), step.before, step.after, *why)
                    found.setdefault(change, []).append(keys)
        for change, stretches in found.items():
            yield replace(change, keys=merge([stretches]))

    def _parts(self, flow: Flow) -> Iterator[Flow]:
        """Cut a range of addresses where another rule may speak."""
        if flow.span is None:
            yield flow
            return
        starts = self._asked[0].starts(flow) | self._asked[1].starts(flow)
        first, last = flow.span.first, flow.span.last
        make = type(first)
        for low, stop in pairwise([int(first), *sorted(starts), int(last) + 1]):
            span = AddressSpan(make(low), make(stop - 1))
            yield outside_flow(flow.owner, flow.direction, span)

    def _causes(
        self, flow: Flow, steps: list[Step]
    ) -> Iterator[tuple[Step, KeyRange, Why]]:
        """Yield stretches of the keys of steps with one cause; asked once a kind."""
        pairs = self._asked[0].pairs(flow), self._asked[1].pairs(flow)
        kinds = tuple(tuple(pair.kind for pair in side) for side in pairs)
        for step in steps:
            if (kinds, step) not in self._known:
                self._known[kinds, step] = list(self._find_causes(pairs, step))
            for keys, why in self._known[kinds, step]:
                yield step, keys, why

    def _find_causes(self, pairs: Pairs, step: Step) -> Iterator[tuple[KeyRange, Why]]:
        key = step.first
        while key <= step.last:
            found = [self._turned(pairs, key, asked) for asked in _telling(step)]
            stop = min(step.last, *(last for _, last in found))
            if step.before is step.after:
                examples = tuple(self._examples(pairs, key))
                if examples:
                    yield (key, stop), ((), examples)
            else:
                told = next((turned for turned, _ in found if turned), ())
                yield (key, stop), (told, ())
            key = stop + 1

    def _turned(
        self, pairs: Pairs, key: int, question: Question
    ) -> tuple[tuple[Turn, ...], int]:
        """Return what turned, and the last key for which this holds."""
        before, after = self._asked
        old, old_stop = before.decide(pairs[0], key, question)
        new, new_stop = after.decide(pairs[1], key, question)
        return turns(old, new), min(old_stop, new_stop)

    def _examples(self, pairs: Pairs, key: int) -> Iterator[Example]:
        """Yield a request for each way in which answers turned."""
        before, after = self._asked
        chains = [*before.chains(pairs[0], key), *after.chains(pairs[1], key)]
        samples = sample_requests(tuple(dict.fromkeys(chains)))
        seen = set()
        for request in (None, *islice(samples, MOST)):
            question = Requests.NOT_HTTP if request is None else request
            old, _ = before.decide(pairs[0], key, question)
            new, _ = after.decide(pairs[1], key, question)
            turned = turns(old, new)
            if is_open(old) != is_open(new) and turned not in seen:
                seen.add(turned)
                yield Example(request, turned)
        self.tried_all &= next(samples, None) is None


def _telling(step: Step) -> tuple[Requests, ...]:
    """Return what to ask about, so that an answer shows why a level turned."""
    if Level.ALL not in (step.before, step.after):
        return (Requests.SOME, Requests.NOT_HTTP)
    return (Requests.NOT_HTTP, Requests.EVERY)


def _has_ipv6(side: Side) -> bool:
    return any(subject.addresses6 for subject in side.table.subjects)


def _accesses(side: Side, has_ipv6: bool) -> Accesses:
    """Simulate one side; with IPv6 too if the other side speaks of it."""
    connections = simulate(side.engine, side.overlay)
    if has_ipv6 and not _has_ipv6(side):
        connections += _with_all_of_ipv6(side)
    return read_accesses(connections)


def _with_all_of_ipv6(side: Side) -> Iterator[Connection]:
    """Yield flows with IPv6 addresses of a side whose rules treat all of them alike."""
    allowed = Allowed(side.engine)
    outside = Endpoint(None, EVERY_IPV6.first)
    for owner in find_owners(side.table, side.overlay):
        for direction in Direction:
            ends = [
                (outside, e) if direction is Direction.INGRESS else (e, outside)
                for e in owner.endpoints
            ]
            keys = merge(allowed.keys(*pair) for pair in ends)
            flow = outside_flow(owner.name, direction, EVERY_IPV6)
            for protocol, ports in split_keys(keys):
                yield Connection(flow.source, flow.destination, protocol, ports)


def _joined(changes: Iterable[Change]) -> Iterator[Change]:
    """Make one range of neighbouring addresses with equal changes."""
    ranges: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        flow = change.flow
        if flow.span is None:
            yield change
            continue
        facts = change.keys, change.before, change.after, change.turns, change.examples
        party = flow.owner, flow.direction, flow.span.first.version
        ranges.setdefault((party, facts), []).append(change)
    for equal in ranges.values():
        yield from _join(sorted(equal, key=lambda change: change.order))


def _join(changes: list[Change]) -> Iterator[Change]:
    first = last = changes[0]
    for change in changes[1:]:
        if _bounds(last)[1] + 1 != _bounds(change)[0]:
            yield _over(first, last)
            first = change
        last = change
    yield _over(first, last)


def _bounds(change: Change) -> tuple[int, int]:
    span = change.flow.span
    assert span is not None
    return int(span.first), int(span.last)


def _over(first: Change, last: Change) -> Change:
    """Return a change of all addresses from one to another."""
    flow, end = first.flow, last.flow.span
    assert flow.span is not None
    assert end is not None
    span = AddressSpan(flow.span.first, end.last)
    return replace(first, flow=outside_flow(flow.owner, flow.direction, span))

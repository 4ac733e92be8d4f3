"""What both sides of a flow answer on every port, by which rules.

Where in the pipeline: `Engine -> sides -> simulate, report`. A *side* is what the
subject of one direction says about the other party: stretches of keys that cover all
of them, in order. Both sides must allow, so `both` of two sides is what holds for a
flow; `either` joins the flows of owners that have several endpoints.

What the table cannot tell apart is asked once, for each direction by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from filters.decide import Verdict
from filters.http import Requests
from generator.analysis.allowed import (
    Answer,
    answers,
    is_same,
    why_not_believed,
)
from generator.analysis.classes import Class, Classes
from generator.analysis.endpoints import Endpoint
from generator.analysis.engine import Engine
from generator.analysis.reasons import SOURCE_MISSING, SOURCE_REVOKED
from generator.analysis.request_rules import request_rules
from generator.policy.model import Direction
from generator.table.ports import EVERY_KEY


class Access(IntEnum):
    """SOME: some requests; ALL: all of them, and what is not HTTP."""

    NONE = 0
    SOME = 1
    ALL = 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """Keys `first` to `last` with one answer.

    `rule` decides about what is not HTTP; None: no policy does. `by_request` has the
    rules that look at requests; it is empty unless the answer is SOME.
    """

    first: int
    last: int
    access: Access
    rule: int | None = None
    by_request: tuple[int, ...] = ()

    def between(self, first: int, last: int) -> Stretch:
        return Stretch(first, last, self.access, self.rule, self.by_request)


Side = tuple[Stretch, ...]

Ids = tuple[int, int]
"""Numbers of the egress and the ingress side of a flow."""

OUTSIDE: Final = 0
REVOKED: Final = 1
MISSING: Final = 2
"""Sides without policy: nobody judges, or the destination refuses before it does."""

_NOTHING: Final[Side] = (Stretch(*EVERY_KEY, Access.NONE),)
_EVERYTHING: Final[Side] = (Stretch(*EVERY_KEY, Access.ALL),)
_KINDS: Final = (Requests.NOT_HTTP, Requests.SOME, Requests.EVERY)
_NOT_BELIEVED: Final = {SOURCE_REVOKED: REVOKED, SOURCE_MISSING: MISSING}


class Sides:
    """The sides of any flow, numbered; remembers what it has asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._classes = Classes(engine.table)
        self._sides: list[Side] = [_EVERYTHING, _NOTHING, _NOTHING]
        self._plain = [OUTSIDE, REVOKED, REVOKED]
        self._numbers: dict[Side, int] = {}
        self._known: dict[Class, int] = {(): OUTSIDE}

    def __getitem__(self, number: int) -> Side:
        return self._sides[number]

    def plain(self, number: int) -> int:
        """Return the number of the same side without the rules that decided.

        There are few of those: workloads with policies of their own differ in rules.
        """
        return self._plain[number]

    def of(self, source: Endpoint, destination: Endpoint) -> Ids:
        """Return the numbers of the egress and the ingress side of a flow."""
        if is_same(source, destination):
            egress, ingress = self._ask(source, destination)
        else:
            egress, ingress = self._of_classes(source, destination)
        reason = why_not_believed(self._engine.table, source, destination)
        return egress, _NOT_BELIEVED[reason] if reason else ingress

    def _of_classes(self, source: Endpoint, destination: Endpoint) -> Ids:
        known = self._known
        egress = self._classes.of(Direction.EGRESS, source, destination)
        ingress = self._classes.of(Direction.INGRESS, destination, source)
        if egress not in known or ingress not in known:
            found = self._ask(source, destination)
            known.setdefault(egress, found[0])
            known.setdefault(ingress, found[1])
        return known[egress], known[ingress]

    def _ask(self, source: Endpoint, destination: Endpoint) -> Ids:
        kinds = _KINDS if self._engine.table.chains else _KINDS[:1]
        asked = [
            tuple(answers(self._engine, source, destination, EVERY_KEY, kind))
            for kind in kinds
        ]
        egress = self._side(Direction.EGRESS, source, destination, asked)
        ingress = self._side(Direction.INGRESS, destination, source, asked)
        return self._number(egress), self._number(ingress)

    def _number(self, side: Side) -> int:
        found = self._numbers.get(side)
        if found is None:
            found = self._numbers[side] = len(self._sides)
            self._sides.append(side)
            self._plain.append(found)
            self._plain[found] = self._number(_without_rules(side))
        return found

    def _side(
        self,
        direction: Direction,
        own: Endpoint,
        peer: Endpoint,
        asked: Sequence[Sequence[Answer]],
    ) -> Side:
        kinds = [_joined(_stretch(a, direction) for a in found) for found in asked]
        if len(kinds) == 1:
            return kinds[0]
        return _joined(
            self._by_request(direction, own, peer, parts) for parts in together(kinds)
        )

    def _by_request(
        self,
        direction: Direction,
        own: Endpoint,
        peer: Endpoint,
        parts: Sequence[Stretch],
    ) -> Stretch:
        """Put together what holds without HTTP, for some and for every request."""
        plain, some, every = parts
        if Access.NONE not in (plain.access, every.access) or not some.access:
            return plain
        found = request_rules(self._engine.table, direction, own, peer, plain.first)
        return Stretch(plain.first, plain.last, Access.SOME, plain.rule, found)


def both(egress: Side, ingress: Side) -> Side:
    """Return what holds for a flow: both sides must allow it."""
    return _joined(
        _with_access(parts, min(part.access for part in parts))
        for parts in together((egress, ingress))
    )


def either(sides: Sequence[Side]) -> Side:
    """Return what holds for the luckiest of several flows."""
    return _joined(
        _with_access(parts, max(part.access for part in parts))
        for parts in together(sides)
    )


def together(sides: Sequence[Side]) -> Iterator[tuple[Stretch, ...]]:
    """Yield the stretches of several sides at once, cut where one of them ends."""
    places = [0] * len(sides)
    first, end = EVERY_KEY
    while first <= end:
        found = [side[place] for side, place in zip(sides, places, strict=True)]
        last = min(stretch.last for stretch in found)
        yield tuple(stretch.between(first, last) for stretch in found)
        for number, stretch in enumerate(found):
            places[number] += stretch.last == last
        first = last + 1


def _with_access(parts: Sequence[Stretch], access: Access) -> Stretch:
    rules = {
        rule for part in parts if part.access is access for rule in part.by_request
    }
    return Stretch(parts[0].first, parts[0].last, access, None, tuple(sorted(rules)))


def _without_rules(side: Side) -> Side:
    return _joined(Stretch(s.first, s.last, s.access, None, s.by_request) for s in side)


def _joined(stretches: Iterable[Stretch]) -> Side:
    """Make one stretch of neighbours with equal answers."""
    found: list[Stretch] = []
    for each in stretches:
        if found and each.between(0, 0) == found[-1].between(0, 0):
            found[-1] = found[-1].between(found[-1].first, each.last)
        else:
            found.append(each)
    return tuple(found)


def _stretch(answer: Answer, direction: Direction) -> Stretch:
    judgement = answer.judgement
    verdict, rule = judgement.ingress, judgement.ingress_rule
    if direction is Direction.EGRESS:
        verdict, rule = judgement.egress, judgement.egress_rule
    access = Access.NONE if verdict is Verdict.DENY else Access.ALL
    return Stretch(answer.first, answer.last, access, rule)

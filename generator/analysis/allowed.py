"""Which keys a source may use towards a destination, by the built module's answers.

`Allowed.keys` iterates `Engine.judge` over stretches of keys with one answer. What the
table cannot tell apart is asked once, for each direction by itself: of the other party
a subject can tell its realm, its classes, and the stretch of its address. Both
directions must allow.

Two things the filter checks before it judges are checked here too: a revoked sender,
and an address without a proof where only members live.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from filters.decide import Verdict
from filters.http import Requests
from filters.party import Kind
from generator.analysis.classes import Class, Classes
from generator.analysis.endpoints import Endpoint
from generator.analysis.engine import Engine, Judgement, Party, address_party
from generator.analysis.key_ranges import merge
from generator.analysis.reasons import SOURCE_MISSING, SOURCE_REVOKED
from generator.analysis.spans import is_for_members
from generator.policy.model import Direction
from generator.policy.request import HttpRequest
from generator.table.model import RuleTable
from generator.table.ports import EVERY_KEY, KeyRange

NOBODY_KNOWS: Final = Party(Kind.UNKNOWN, (0, 0, 0, 0))

Keys = tuple[KeyRange, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One judgement and the keys for which it holds."""

    first: int
    last: int
    judgement: Judgement

    @property
    def keys(self) -> KeyRange:
        return self.first, self.last


def party_of(engine: Engine, endpoint: Endpoint) -> Party:
    """Return an endpoint as the guest takes it."""
    if endpoint.workload is not None:
        return engine.member_party(endpoint.workload.id, endpoint.address)
    if endpoint.address is None:
        return NOBODY_KNOWS
    return address_party(endpoint.address)


def answers(
    engine: Engine,
    source: Endpoint,
    destination: Endpoint,
    keys: KeyRange = EVERY_KEY,
    requests: HttpRequest | Requests = Requests.NOT_HTTP,
) -> Iterator[Answer]:
    """Yield the module's answers for all keys of a range, in order."""
    sender, receiver = party_of(engine, source), party_of(engine, destination)
    key, last = keys
    while key <= last:
        judgement = engine.judge(sender, receiver, key, request=requests)
        yield Answer(key, min(judgement.last_key, last), judgement)
        key = judgement.last_key + 1


def why_not_believed(
    table: RuleTable, source: Endpoint, destination: Endpoint
) -> str | None:
    """Return the reason for which a member would not even judge a source, or None."""
    if destination.workload is None:
        return None
    if source.workload is not None:
        return SOURCE_REVOKED if source.workload.revoked else None
    if source.address is not None and is_for_members(table, source.address):
        return SOURCE_MISSING
    return None


class Allowed:
    """The allowed keys of any flow; remembers what it has asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._table = engine.table
        self._classes = Classes(engine.table)
        self._known: dict[tuple[Requests, Class], Keys] = {}

    @property
    def asks_about_requests(self) -> bool:
        """Tell whether it makes a difference what a flow carries."""
        return bool(self._table.chains)

    def keys(
        self,
        source: Endpoint,
        destination: Endpoint,
        requests: Requests = Requests.NOT_HTTP,
    ) -> Keys:
        """Return the allowed keys as disjoint, sorted ranges that do not touch.

        `requests`: of flows that are not HTTP, or of SOME or EVERY request.
        """
        if not self.asks_about_requests:
            requests = Requests.NOT_HTTP
        if why_not_believed(self._table, source, destination):
            return ()
        if is_same(source, destination):
            return _both(*self._ask(source, destination, requests))
        classes = (
            (requests, self._classes.of(Direction.EGRESS, source, destination)),
            (requests, self._classes.of(Direction.INGRESS, destination, source)),
        )
        if any(one not in self._known for one in classes):
            found = self._ask(source, destination, requests)
            self._known.update(zip(classes, found, strict=True))
        return _both(self._known[classes[0]], self._known[classes[1]])

    def _ask(
        self, source: Endpoint, destination: Endpoint, requests: Requests
    ) -> tuple[Keys, Keys]:
        """Return the keys that egress and ingress allow, each by itself."""
        asked = answers(self._engine, source, destination, EVERY_KEY, requests)
        found = tuple(asked)
        return (
            merge([(a.keys for a in found if a.judgement.egress is not Verdict.DENY)]),
            merge([(a.keys for a in found if a.judgement.ingress is not Verdict.DENY)]),
        )


def _both(egress: Keys, ingress: Keys) -> Keys:
    """Return the keys that are in both."""
    if egress == ingress or not egress:
        return egress
    found = []
    for first, last in egress:
        for low, high in ingress:
            if low <= last and first <= high:
                found.append((max(first, low), min(last, high)))
    return tuple(found)


def is_same(source: Endpoint, destination: Endpoint) -> bool:
    """A pod may always reach itself: the module looks at workload and address."""
    is_known = source.workload is not None and source.address is not None
    return is_known and source == destination

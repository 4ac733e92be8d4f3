"""Which keys a source may use towards a destination, by the built module's answers.

`Allowed.keys` iterates `Engine.judge` over stretches of keys with one answer. Flows
that the table cannot tell apart are asked once: what counts of the other party is its
realm and peer class if the subject speaks of them, and the stretch of its address.

Two things the filter checks before it judges are checked here too: a revoked sender,
and an address without a proof where only members live.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from filters.decide import Kind
from filters.layout import LOCAL_PEERS, WIDE_PEERS
from generator.analysis.endpoints import Endpoint
from generator.analysis.engine import Engine, Judgement, Party, address_party
from generator.analysis.spans import addresses_of, is_for_members
from generator.table.model import RuleTable
from generator.table.ports import EVERY_KEY, KeyRange

NOBODY_KNOWS: Final = Party(Kind.UNKNOWN, (0, 0, 0, 0))

_Part = tuple[int | None, ...]
"""What one subject can tell about the other party."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One judgement and the keys for which it holds."""

    first: int
    last: int
    judgement: Judgement


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
) -> Iterator[Answer]:
    """Yield the module's answers for all keys of a range, in order."""
    sender, receiver = party_of(engine, source), party_of(engine, destination)
    key, last = keys
    while key <= last:
        judgement = engine.judge(sender, receiver, key)
        yield Answer(key, min(judgement.last_key, last), judgement)
        key = judgement.last_key + 1


def why_not_believed(
    table: RuleTable, source: Endpoint, destination: Endpoint
) -> str | None:
    """Return the reason for which a member would not even judge a source, or None."""
    if destination.workload is None:
        return None
    if source.workload is not None:
        return "source_revoked" if source.workload.revoked else None
    if source.address is not None and is_for_members(table, source.address):
        return "source_missing"
    return None


class Allowed:
    """The allowed keys of any flow; remembers what it has asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._table = engine.table
        self._starts = {
            (number, version): [s for s, _ in addresses_of(subject, version)]
            for number, subject in enumerate(engine.table.subjects)
            for version in (4, 6)
        }
        self._known: dict[object, tuple[KeyRange, ...]] = {}

    def keys(self, source: Endpoint, destination: Endpoint) -> tuple[KeyRange, ...]:
        """Return the allowed keys as disjoint, sorted ranges that do not touch."""
        if why_not_believed(self._table, source, destination):
            return ()
        key = self._class_of(source, destination)
        if key not in self._known:
            self._known[key] = self._ask(source, destination)
        return self._known[key]

    def _ask(self, source: Endpoint, destination: Endpoint) -> tuple[KeyRange, ...]:
        found: list[KeyRange] = []
        for answer in answers(self._engine, source, destination):
            if not answer.judgement.is_allowed:
                continue
            if found and found[-1][1] + 1 == answer.first:
                found[-1] = found[-1][0], answer.last
            else:
                found.append((answer.first, answer.last))
        return tuple(found)

    def _class_of(self, source: Endpoint, destination: Endpoint) -> object:
        """Return what the module's answer depends on."""
        sender, receiver = source.workload, destination.workload
        egress = None if sender is None else sender.egress_subject
        ingress = None if receiver is None else receiver.ingress_subject
        return (
            egress,
            self._part(egress, source, destination),
            ingress,
            self._part(ingress, destination, source),
            _is_same(source, destination),
        )

    def _part(self, subject: int | None, own: Endpoint, peer: Endpoint) -> _Part:
        if subject is None or own.workload is None:
            return ()
        if peer.workload is None:
            return (-1, *self._stretch(subject, peer))
        levels = self._table.subjects[subject].peers
        realm = peer.workload.realm
        wide = WIDE_PEERS + peer.workload.wide_peer
        local = LOCAL_PEERS + peer.workload.local_peer
        is_local = realm == own.workload.realm and local in levels
        return (
            realm if realm in levels else None,
            wide if wide in levels else None,
            local if is_local else None,
            *self._stretch(subject, peer),
        )

    def _stretch(self, subject: int, peer: Endpoint) -> _Part:
        if peer.address is None:
            return ()
        version = peer.address.version
        starts = self._starts[subject, version]
        return (version, bisect_right(starts, int(peer.address)))


def _is_same(source: Endpoint, destination: Endpoint) -> bool:
    """A pod may always reach itself: the module looks at workload and address."""
    is_known = source.workload is not None and source.address is not None
    return is_known and source == destination

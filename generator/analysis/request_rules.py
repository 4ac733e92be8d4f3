"""Which rules look at requests, for a flow and a port, and what they ask, in short.

    GET,HEAD /cart/{*}      not POST /admin/{**}      /static/... at *.shop.example

Both are read from the table that is in the module, so that they are what it does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from generator.analysis.endpoints import Endpoint
from generator.analysis.request_text import short_path
from generator.analysis.spans import addresses_of
from generator.policy.model import (
    Action,
    Direction,
    HeaderKind,
    HeaderMatch,
    HttpMatch,
    Tier,
)
from generator.table.model import (
    NO_CHAIN,
    Chain,
    PortList,
    PortRange,
    RuleTable,
    Subject,
    TableWorkload,
)

_PREFIXES: Final = {Action.ACCEPT: "", Action.DENY: "not ", Action.PASS: "pass "}


def request_rules(
    table: RuleTable, direction: Direction, own: Endpoint, peer: Endpoint, key: int
) -> tuple[int, ...]:
    """Return the rules of one side that look at requests and can decide."""
    assert own.workload is not None, "only a member judges"
    found: list[int] = []
    for tier, number in table.subjects_of(own.workload, direction):
        subject = table.subjects[number]
        ranges = _ranges_at(table, subject, own.workload, peer, key)
        asking, certain = _split(table, ranges)
        if tier is Tier.NORMAL and certain is not None:
            break
        deciding = [rule for rule in asking if certain is None or rule < certain]
        found += deciding
        last = deciding if certain is None else [*deciding, certain]
        is_passed = certain is None or any(
            table.rules[rule].action is Action.PASS for rule in last
        )
        if subject.default_rule is not None or not is_passed:
            break
    return tuple(sorted(found))


def _split(table: RuleTable, ranges: list[PortRange]) -> tuple[set[int], int | None]:
    """Return the rules that look at requests, and the first one that does not."""
    asking: set[int] = set()
    certain: list[int] = []
    for each in ranges:
        if each.chain == NO_CHAIN:
            certain.append(each.rule)
            continue
        chain = table.chains[each.chain]
        asking |= {a.rule for a in chain.alternatives} - {chain.plain}
        certain += [] if chain.plain is None else [chain.plain]
    return asking, min(certain, default=None)


def _ranges_at(
    table: RuleTable, subject: Subject, own: TableWorkload, peer: Endpoint, key: int
) -> list[PortRange]:
    return [
        each
        for ports in _lists_of(table, subject, own, peer)
        for each in ports
        if each.first <= key <= each.last
    ]


def _lists_of(
    table: RuleTable, subject: Subject, own: TableWorkload, peer: Endpoint
) -> Iterator[PortList]:
    """Yield all that a subject says about a peer, as filters/lookup.py finds it."""
    if peer.address is not None:
        addresses = addresses_of(subject, peer.address.version)
        starts = [start for start, _ in addresses]
        if starts:
            yield addresses[bisect_right(starts, int(peer.address)) - 1][1]
    if peer.workload is None:
        yield subject.outside
        return
    yield subject.members
    for key in table.peer_keys(own, peer.workload):
        yield subject.peers.get(key, ())


class RequestTexts:
    """What rules ask of requests, spelt in short."""

    def __init__(self, table: RuleTable) -> None:
        self._table = table
        self._chains: dict[int, Chain] = {}
        for chain in table.chains:
            for alternative in chain.alternatives:
                self._chains.setdefault(alternative.rule, chain)

    def of(self, rule: int) -> tuple[str, ...]:
        """Return a text for each alternative of a rule; none if it asks nothing."""
        chain = self._chains.get(rule)
        if chain is None or rule == chain.plain:
            return ()
        prefix = _PREFIXES[self._table.rules[rule].action]
        return tuple(
            prefix + _spell(alternative.condition or HttpMatch())
            for alternative in chain.alternatives
            if alternative.rule == rule
        )


def _spell(condition: HttpMatch) -> str:
    parts = [
        ",".join(condition.methods),
        ",".join(map(short_path, condition.paths)),
        f"at {','.join(condition.hosts)}" if condition.hosts else "",
        *map(_header_text, condition.headers),
    ]
    return " ".join(part for part in parts if part) or "any request"


def _header_text(header: HeaderMatch) -> str:
    negation = "!" if header.is_negated else ""
    match header.kind:
        case HeaderKind.PRESENT:
            return f"{negation}{header.name}"
        case HeaderKind.EXACT:
            return f"{header.name}{negation}={header.value}"
        case HeaderKind.PREFIX:
            return f"{header.name}{negation}={header.value}..."

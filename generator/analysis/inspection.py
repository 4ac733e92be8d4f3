"""Read rules back from a module: who may reach whom, on which ports, by which rule.

Where in the pipeline: `module -> decoded table -> inspection`. Nothing but the bytes
is looked at, so names are what the table has: workloads are called by the targets
that lead to them, or by their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from filters.layout import LEVEL_BITS, Level
from filters.lookup import peer_key
from generator.analysis.key_ranges import merge, split_keys
from generator.analysis.request_text import requests_text
from generator.analysis.spans import make_spans
from generator.overlay.model import TargetKind
from generator.policy.model import Action, Direction, Protocol
from generator.table.model import (
    NO_CHAIN,
    AddressList,
    PortList,
    PortRange,
    RuleTable,
    Subject,
    TableWorkload,
)
from generator.table.ports import KeyRange

ANYONE: Final = "anyone"
MEMBERS: Final = "every member"
OUTSIDE: Final = "addresses outside"


@dataclass(frozen=True, slots=True)
class Permission:
    """What one rule does to one peer. `rule` None: nobody else speaks, so allowed.

    `requests` are those that it is about, in words; none: whatever a flow carries.
    """

    peer: str
    keys: tuple[KeyRange, ...]
    rule: int | None
    action: Action = Action.ACCEPT
    requests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspected:
    """A workload with what its policies allow, by direction."""

    workload: TableWorkload
    owners: tuple[str, ...]
    isolated_by: dict[Direction, int | None]
    permissions: dict[Direction, tuple[Permission, ...]]

    @property
    def title(self) -> str:
        return ", ".join(self.owners) or f"workload {self.workload.id}"


def inspect_table(table: RuleTable) -> list[Inspected]:
    """Return every workload of a table, by id."""
    return list(_Inspector(table).workloads())


class _Inspector:
    def __init__(self, table: RuleTable) -> None:
        self._table = table
        self._requests = _requests_by_rule(table)
        self._owners: dict[int, list[str]] = {w.id: [] for w in table.workloads}
        for target in table.targets:
            if target.kind is TargetKind.WORKLOAD:
                name = f"{table.realms[target.realm]}/{target.name}"
                for backend in (b for port in target.ports for b in port.backends):
                    self._owners[backend.workload].append(name)
        self._namespaces = _namespaces_by_peer(table)
        self._members: dict[tuple[int, int], set[str]] = {}
        for row in table.workloads:
            names = self._owners[row.id] or [f"workload {row.id}"]
            for peer in table.peer_keys(row, row):
                scope = _scope(peer, row.realm)
                self._members.setdefault(scope, set()).update(names)

    def workloads(self) -> Iterator[Inspected]:
        for row in self._table.workloads:
            yield Inspected(
                row,
                tuple(sorted(self._owners[row.id])),
                {d: self._isolated_by(row, d) for d in Direction},
                {d: tuple(self._all_permissions(row, d)) for d in Direction},
            )

    def _isolated_by(self, row: TableWorkload, direction: Direction) -> int | None:
        for _, number in self._table.subjects_of(row, direction):
            rule = self._table.subjects[number].default_rule
            if rule is not None:
                return rule
        return None

    def _all_permissions(
        self, row: TableWorkload, direction: Direction
    ) -> Iterator[Permission]:
        """Yield what all tiers say, in their order, and what is left at the end."""
        for _, number in self._table.subjects_of(row, direction):
            for found in self._permissions(self._table.subjects[number], row):
                rule = found.rule or 0
                yield replace(
                    found,
                    action=self._table.rules[rule].action,
                    requests=self._requests.get(rule, ()),
                )
        if self._isolated_by(row, direction) is None:
            yield Permission(ANYONE, ((0, 0x2FFFF),), None)

    def _permissions(
        self, subject: Subject, own: TableWorkload
    ) -> Iterator[Permission]:
        if subject.members == subject.outside:
            yield from self._by_rule(ANYONE, subject.members)
        else:
            yield from self._by_rule(MEMBERS, subject.members)
            yield from self._by_rule(OUTSIDE, subject.outside)
        for peer, ports in subject.peers.items():
            yield from self._by_rule(self._peer_title(peer, own), ports)
        yield from self._addresses(subject.addresses4, 4)
        yield from self._addresses(subject.addresses6, 6)

    def _peer_title(self, peer: int, own: TableWorkload) -> str:
        namespaces = self._namespaces.get(peer)
        if namespaces:
            return ", ".join(f"namespace {name}" for name in sorted(namespaces))
        return ", ".join(sorted(self._members.get(_scope(peer, own.realm), ())))

    def _addresses(self, addresses: AddressList, version: int) -> Iterator[Permission]:
        spans = make_spans([start for start, _ in addresses], version)
        for span, (_, ports) in zip(spans, addresses, strict=True):
            yield from self._by_rule(_span_text(span.first, span.last), ports)

    def _by_rule(self, peer: str, ports: PortList) -> Iterator[Permission]:
        keys: dict[int, list[KeyRange]] = {}
        for row in ports:
            for rule in self._rules_of(row):
                keys.setdefault(rule, []).append((row.first, row.last))
        for rule, ranges in sorted(keys.items()):
            yield Permission(peer, merge([ranges]), rule)

    def _rules_of(self, row: PortRange) -> Iterable[int]:
        """The rules of a range: one, or all of its chain."""
        if row.chain == NO_CHAIN:
            return (row.rule,)
        chain = self._table.chains[row.chain]
        return dict.fromkeys(one.rule for one in chain.alternatives)


def _namespaces_by_peer(table: RuleTable) -> dict[int, list[str]]:
    """The namespaces that a peer stands for, if it looks at nothing else."""
    found: dict[int, list[str]] = {}
    for realm, name in table.realms.items():
        found[peer_key(Level.REALM, realm)] = [name]
        realm_class = peer_key(Level.REALM_CLASS, table.realm_classes[realm])
        found.setdefault(realm_class, []).append(name)
    return found


def _scope(peer: int, realm: int) -> tuple[int, int]:
    """Where a peer's number means something: local classes in their realm only."""
    is_local = peer & ((1 << LEVEL_BITS) - 1) == Level.LOCAL
    return (realm if is_local else 0, peer)


def _requests_by_rule(table: RuleTable) -> dict[int, tuple[str, ...]]:
    """Say which requests each rule is about; a rule that asks nothing is not there."""
    found: dict[int, dict[str, None]] = {}
    for chain in table.chains:
        for one in chain.alternatives:
            if one.condition is not None:
                found.setdefault(one.rule, {})[requests_text(one.condition)] = None
    return {rule: tuple(texts) for rule, texts in found.items()}


def _span_text(
    first: IPv4Address | IPv6Address, last: IPv4Address | IPv6Address
) -> str:
    return str(first) if first == last else f"{first}-{last}"


def ports_by_protocol(keys: tuple[KeyRange, ...]) -> dict[Protocol, list[list[int]]]:
    """Return ports as JSON has them."""
    return {
        protocol: [list(span) for span in spans] for protocol, spans in split_keys(keys)
    }

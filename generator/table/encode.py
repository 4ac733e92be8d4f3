"""Write a rule table as bytes.

Where in the pipeline: `RuleTable -> bytes`, embedded in the module. Same table, same
bytes. Equal texts and equal slices of rows are stored once. Hash functions are the
filter's own (`filters.lookup.peer_hash`, `filters.text.text_hash`), run here under
CPython.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final

from filters.layout import (
    FLAG_AUDITED,
    FLAG_IPV4_INSTANCES,
    LEVEL_BITS,
    Level,
    Section,
)
from filters.lookup import peer_hash, peer_key
from filters.text import text_hash
from generator.overlay.model import TargetKind
from generator.policy.model import HeaderMatch, HttpMatch
from generator.table.indexes import Indexes
from generator.table.model import (
    NO_CHAIN,
    AddressList,
    Alternative,
    Chain,
    PathState,
    PortList,
    RuleTable,
    Subject,
    TableTarget,
    TableWorkload,
)
from generator.table.numbers import (
    ACTION_NUMBERS,
    DIRECTION_NUMBERS,
    HEADER_NUMBERS,
    KINDS,
    PATH_NUMBERS,
    TARGET_KINDS,
)
from generator.table.packing import PackingMemory, Row, Sections, columns_of, pack
from generator.table.slices import DENSE, LayoutMemory, Slices, hashed
from generator.table.texts import Texts, texts_of

_MEMBERS: Final = peer_key(Level.MEMBERS, 0)
_OUTSIDE: Final = peer_key(Level.OUTSIDE, 0)
_ANY_ADDRESS: Final = peer_key(Level.ANY_ADDRESS, 0)
_LEVEL_MASK: Final = (1 << LEVEL_BITS) - 1


class EncodingMemory:
    """What the bytes of one table leave to those of the next one."""

    def __init__(self) -> None:
        self.layouts = LayoutMemory()
        self.packing = PackingMemory()


def encode_table(table: RuleTable, memory: EncodingMemory | None = None) -> bytes:
    """Serialise a rule table for the filter.

    Shape: header, directory, packed sections (filters/layout.py).
    Raises: TableError TBL0001 if a text exceeds 64 KiB, or the table 256 MiB.
    """
    flags = FLAG_IPV4_INSTANCES if table.has_ipv4_instances else 0
    flags |= FLAG_AUDITED if table.has_audited_policies else 0
    words = (0xFD000000 | table.overlay_id >> 16, (table.overlay_id & 0xFFFF) << 16)
    memory = EncodingMemory() if memory is None else memory
    encoder = _Encoder(table, memory.layouts)
    strings = encoder.texts.data
    return pack(encoder.sections(), strings, flags, words, memory.packing)


class _Encoder:
    """Makes the rows of all sections."""

    def __init__(self, table: RuleTable, layouts: LayoutMemory) -> None:
        layouts.start()
        self.layouts = layouts
        self.table = table
        self.texts = Texts(texts_of(table))
        self.text = self.texts.numbers
        self.slices: dict[Section, Slices] = {
            section: Slices()
            for section in (
                *(Section.PORTS, Section.BACKENDS, Section.PEERS),
                *(Section.ADDRESSES4, Section.ADDRESSES6, Section.EDGES),
                *(Section.ALTERNATIVES, Section.CONDITION_TEXTS),
                *(Section.HEADER_TESTS, Section.PATHS, Section.STEPS),
            )
        }
        self.ranges: list[Row] = []
        self.port_lists: dict[PortList, int] = {}
        self.indexes = Indexes(steps=self.slices[Section.STEPS])
        self.conditions: dict[HttpMatch, int] = {}
        self.condition_rows: list[Row] = []

    def sections(self) -> Sections:
        table = self.table
        slots, realms, targets = self._realms()
        chains, states = self._chains()
        made: dict[Section, Sequence[Row]] = {
            Section.TEXTS: self.texts.rows,
            Section.LABEL_KEYS: [(self.text[key],) for key in table.label_keys],
            Section.REALMS: realms,
            Section.REALM_SLOTS: slots,
            Section.WORKLOADS: list(self._workloads()),
            Section.TARGETS: targets,
            Section.SUBJECTS: [self._subject(one) for one in table.subjects],
            Section.RANGES: self.ranges,
            Section.MEMBER_BLOCKS: [
                (at, int(holds)) for at, holds in table.member_blocks
            ],
            Section.RULES: list(self._rules()),
            Section.POLICIES: list(self._policies()),
            Section.CHAINS: chains,
            Section.STATES: states,
            Section.CONDITIONS: self.condition_rows,
            Section.INDEXES: list(self.indexes.known),
        }
        return made | {section: one.rows for section, one in self.slices.items()}

    # --- who there is --------------------------------------------------------------

    def _workloads(self) -> Iterator[Row]:
        known = {workload.id: workload for workload in self.table.workloads}
        retired = (0,) * len(columns_of(Section.WORKLOADS))
        for number in range(1, max(known, default=0) + 1):
            yield self._workload(known[number]) if number in known else retired

    def _workload(self, workload: TableWorkload) -> Row:
        enforced = (*workload.ingress, *workload.egress)
        audited = (*workload.audited_ingress, *workload.audited_egress)
        if not self.table.has_audited_policies:
            assert audited == enforced
            audited = (None, None, None, None, None, None)
        return (
            workload.realm,
            int(workload.revoked),
            self.text[workload.service_account],
            *struct.unpack(">2I", workload.digest),
            workload.wide_peer,
            workload.local_peer,
            *map(_optional, (*enforced, *audited)),
        )

    def _realms(self) -> tuple[list[Row], list[Row], list[Row]]:
        """Make the rows of REALM_SLOTS, REALMS and TARGETS."""
        names = self.table.realms
        by_realm: dict[int, list[TableTarget]] = {number: [] for number in names}
        for target in sorted(self.table.targets, key=lambda target: target.id):
            by_realm[target.realm].append(target)
        realms: list[Row] = []
        targets: list[Row] = []
        for number in range(1, max(names, default=0) + 1):
            if number not in names:
                realms.append((0,) * len(columns_of(Section.REALMS)))
                continue
            rows = [(_hash(t.name), self._target(t)) for t in by_realm[number]]
            slots = hashed(rows, self.layouts, DENSE)
            place = (len(targets), len(slots)) if slots else (0, 0)
            realm_class = self.table.realm_classes[number]
            realms.append((self.text[names[number]] + 1, *place, realm_class))
            targets += slots
        by_name = [(_hash(name), (number,)) for number, name in sorted(names.items())]
        return hashed(by_name, self.layouts), realms, targets

    def _target(self, target: TableTarget) -> Row:
        if target.kind is TargetKind.WORKLOAD:
            (port,) = target.ports
            assert port.key == 0 and not any(b.port for b in port.backends)
            place = self._backends(b.workload for b in port.backends)
        else:
            place = self.slices[Section.PORTS].add(self._ports(target))
        kind = TARGET_KINDS[target.kind]
        return (target.id, kind, self.text[target.name], *place)

    def _ports(self, target: TableTarget) -> Iterator[Row]:
        """Yield a row per port of a service and number that backends have for it."""
        for port in target.ports:
            for number in sorted({b.port for b in port.backends}) or [0]:
                workloads = (b.workload for b in port.backends if b.port == number)
                yield (port.key, number, *self._backends(workloads))

    def _backends(self, workloads: Iterable[int]) -> tuple[int, int]:
        return self.slices[Section.BACKENDS].add((number,) for number in workloads)

    # --- what policy says ----------------------------------------------------------

    def _subject(self, subject: Subject) -> Row:
        peers = {
            _MEMBERS: subject.members,
            _OUTSIDE: subject.outside,
            _ANY_ADDRESS: subject.any_address,
            **subject.peers,
        }
        levels = 0
        rows = []
        for peer, ports in sorted(peers.items()):
            if ports:
                levels |= 1 << (peer & _LEVEL_MASK)
                rows.append((_peer_hash(peer), (peer, self._port_list(ports) - 1)))
        return (
            _optional(subject.default_rule),
            levels,
            *self.slices[Section.PEERS].add(hashed(rows, self.layouts)),
            *self._addresses(Section.ADDRESSES4, subject.addresses4),
            self.indexes.of_addresses(subject.addresses4),
            *self._addresses(Section.ADDRESSES6, subject.addresses6),
        )

    def _port_list(self, ports: PortList) -> int:
        """Return the row of a list, plus one; 0 for an empty one."""
        if not ports:
            return 0
        place = self.port_lists.get(ports)
        if place is None:
            place = self.port_lists[ports] = len(self.ranges) + 1
            index = self.indexes.of_ports(ports)
            for left, row in zip(range(len(ports) - 1, -1, -1), ports, strict=True):
                chain = len(self.table.rules) + row.chain
                decision = row.rule if row.chain == NO_CHAIN else chain
                self.ranges.append((row.first, row.last, decision, left, index))
                index = 0
        return place

    def _addresses(self, section: Section, addresses: AddressList) -> tuple[int, int]:
        return self.slices[section].add(
            (*_address_words(section, start), self._port_list(ports))
            for start, ports in addresses
        )

    def _rules(self) -> Iterator[Row]:
        for rule in self.table.rules:
            direction = DIRECTION_NUMBERS[rule.direction]
            action = ACTION_NUMBERS[rule.action]
            yield (rule.policy, _optional(rule.number), direction, action, rule.line)

    def _policies(self) -> Iterator[Row]:
        for policy in self.table.policies:
            names = (policy.namespace, policy.name, policy.file)
            yield (KINDS[policy.kind], *(self.text[name] for name in names))

    # --- rules that ask about the request ------------------------------------------

    def _chains(self) -> tuple[list[Row], list[Row]]:
        """Make the rows of CHAINS, and those of STATES, numbered in one row."""
        chains: list[Row] = []
        states: list[Row] = []
        for chain in self.table.chains:
            base = len(states)
            all_of_them = self._alternatives(chain.alternatives)
            doubts = self._alternatives(_if_ambiguous(chain.alternatives))
            chains.append((_optional(chain.plain), base, *all_of_them, *doubts))
            states += [self._state(chain, state, base) for state in chain.states]
        return chains, states

    def _state(self, chain: Chain, state: PathState, base: int) -> Row:
        edges = [
            (_hash(segment), (self.text[segment] + 1, _state_number(base, after)))
            for segment, after in state.edges
        ]
        accepted = [chain.alternatives[number] for number in state.accepts]
        return (
            _state_number(base, state.default),
            *self.slices[Section.EDGES].add(hashed(edges, self.layouts)),
            *self._alternatives(accepted),
        )

    def _alternatives(self, alternatives: Iterable[Alternative]) -> tuple[int, int]:
        return self.slices[Section.ALTERNATIVES].add(
            (one.rule, int(one.has_paths), self._condition(one.condition))
            for one in alternatives
        )

    def _condition(self, condition: HttpMatch | None) -> int:
        """Return the row of a condition, plus one; 0 for none."""
        if condition is None:
            return 0
        if condition not in self.conditions:
            texts = self.slices[Section.CONDITION_TEXTS]
            paths = [
                (PATH_NUMBERS[p.kind], self.text[p.pattern]) for p in condition.paths
            ]
            row = (
                *texts.add((self.text[method],) for method in condition.methods),
                *texts.add((self.text[host],) for host in condition.hosts),
                *self.slices[Section.HEADER_TESTS].add(
                    map(self._test, condition.headers)
                ),
                *self.slices[Section.PATHS].add(paths),
            )
            self.condition_rows.append(row)
            self.conditions[condition] = len(self.condition_rows)
        return self.conditions[condition]

    def _test(self, test: HeaderMatch) -> Row:
        names = self.text[test.name], self.text[test.value]
        return (*names, HEADER_NUMBERS[test.kind], int(test.is_negated))


def _if_ambiguous(alternatives: Sequence[Alternative]) -> list[Alternative]:
    """Keep those of rules without paths, and the first that a path would have to meet.

    One doubt is enough, so that odd paths cost no more where there are many rules.
    """
    doubt = next((one for one in alternatives if one.has_paths), None)
    return [one for one in alternatives if not one.has_paths or one is doubt]


def _optional(number: int | None) -> int:
    return 0 if number is None else number + 1


def _state_number(base: int, number: int | None) -> int:
    return 0 if number is None else base + number + 1


def _address_words(section: Section, start: int) -> tuple[int, ...]:
    if section is Section.ADDRESSES4:
        return (start,)
    return struct.unpack(">4I", start.to_bytes(16, "big"))


_peer_hash = cache(peer_hash)


@cache
def _hash(text: str) -> int:
    return int(text_hash(text.encode()))

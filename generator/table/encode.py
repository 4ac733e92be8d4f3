"""Write a rule table as bytes.

Where in the pipeline: `RuleTable -> bytes`, embedded in the module. Same table, same
bytes. Equal texts, port lists and address lists are stored once. Hash functions are
the filter's own (`filters.decide.peer_hash`, `filters.targets.text_hash`), run here
under CPython.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from filters.admission import checksum
from filters.http import edge_hash
from filters.layout import (
    ACTION_SHIFT,
    CHECKSUM_AT,
    DIRECTORY_AT,
    FIRST_ROW_AT,
    FLAG_AUDITED,
    FLAG_IPV4_INSTANCES,
    HAS_PATHS,
    HEADER_NEGATED,
    IS_CHAIN,
    LEVEL_LOCAL,
    LEVEL_REALM,
    LEVEL_WIDE,
    LOCAL_PEERS,
    MAGIC,
    NONE,
    RULE_DEFAULT,
    SECTIONS,
    SUBJECT_BYTES,
    VERSION,
    WIDE_PEERS,
    WORKLOAD_PRESENT,
    WORKLOAD_REVOKED,
    Section,
)
from filters.lookup import peer_hash
from filters.text import text_hash
from generator.errors import TableError
from generator.overlay.model import TargetName
from generator.policy.model import (
    HttpMatch,
)
from generator.table.model import (
    NO_CHAIN,
    AddressList,
    Alternative,
    PortList,
    PortRange,
    RuleTable,
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

MAX_TEXT_BYTES: Final = 0xFFFF

Row = tuple[int, ...]


def encode_table(table: RuleTable) -> bytes:
    """Serialise a rule table for the filter.

    Shape: header, directory, sections (filters/layout.py).
    Units: offsets in bytes from the table start; little-endian words.
    Raises: TableError TBL0001 if a text exceeds 64 KiB.
    """
    return _Encoder(table).encode()


@dataclass
class _Pool:
    """Pieces of one section, each stored once; gives back where a piece is."""

    data: bytearray = field(default_factory=bytearray)
    places: dict[bytes, int] = field(default_factory=dict)

    def place(self, piece: bytes) -> int:
        if piece not in self.places:
            self.places[piece] = len(self.data)
            self.data += piece
        return self.places[piece]


class _Encoder:
    """Lays out sections in file order, so that offsets into pools are known."""

    def __init__(self, table: RuleTable) -> None:
        self.table = table
        self.texts = _Pool()
        self.lists = _Pool()
        self.lists_at = 0
        self.realm_rows = {realm: i for i, realm in enumerate(sorted(table.realms))}

    def encode(self) -> bytes:
        # Texts come first in the file, lists late: both have fixed bases below.
        self._collect_texts()
        sections: dict[Section, tuple[bytes, int]] = {
            Section.STRINGS: (bytes(self.texts.data), len(self.texts.data)),
            Section.LABEL_KEYS: _rows((self._text(k),) for k in self.table.label_keys),
            Section.REALMS: _rows(
                (realm, self._text(self.table.realms[realm]))
                for realm in self.realm_rows
            ),
            Section.WORKLOADS: _rows(self._workload_rows()),
            Section.IDENTITIES: _rows(self._identity_rows()),
        }
        sections |= self._target_sections()
        sections[Section.SUBJECT_SETS] = _rows(
            tuple(NONE if n is None else n for n in subjects)
            for subjects in self.table.subject_sets
        )
        self.lists_at = self._size_before_lists(sections)
        subjects = _rows(self._subject_rows())
        peers = _rows(self._peer_rows())
        sections[Section.SUBJECTS] = subjects
        sections[Section.PEERS] = peers
        requests = self._request_sections()
        words = len(self.lists.data) // 4
        sections[Section.LISTS] = (bytes(self.lists.data), words)
        sections[Section.MEMBER_BLOCKS] = self._member_blocks()
        sections[Section.RULES] = _rows(self._rule_rows())
        sections[Section.POLICIES] = _rows(self._policy_rows())
        return self._assemble(sections | requests)

    def _assemble(self, sections: dict[Section, tuple[bytes, int]]) -> bytes:
        body = bytearray()
        directory = bytearray()
        for section in Section:
            data, rows = sections[section]
            directory += struct.pack("<II", FIRST_ROW_AT + len(body), rows)
            body += data + bytes(-len(data) % 4)
        size = FIRST_ROW_AT + len(body)
        flags = FLAG_IPV4_INSTANCES if self.table.has_ipv4_instances else 0
        flags |= FLAG_AUDITED if self.table.has_audited_policies else 0
        overlay = self.table.overlay_id
        words = (0xFD000000 | overlay >> 16, (overlay & 0xFFFF) << 16)
        header = struct.pack("<IIIIQII", MAGIC, VERSION, size, flags, 0, *words)
        assert len(header) == DIRECTORY_AT and len(directory) == SECTIONS * 8
        whole = bytearray(header + directory + body)
        struct.pack_into("<Q", whole, CHECKSUM_AT, checksum(bytes(whole)))
        return bytes(whole)

    # --- texts and lists -----------------------------------------------------------

    def _collect_texts(self) -> None:
        table = self.table
        texts = [*table.label_keys, *table.realms.values()]
        texts += [workload.service_account for workload in table.workloads]
        texts += [target.name for target in table.targets]
        for policy in table.policies:
            texts += [policy.namespace, policy.name, policy.file]
        for chain in self.table.chains:
            texts += [segment for state in chain.states for segment, _ in state.edges]
            for condition in filter(None, (a.condition for a in chain.alternatives)):
                texts += [*condition.methods, *condition.hosts]
                texts += [path.pattern for path in condition.paths]
                texts += [
                    t for test in condition.headers for t in (test.name, test.value)
                ]
        for text in sorted(set(texts)):
            self._text(text)

    def _text(self, text: str) -> int:
        data = text.encode()
        if len(data) > MAX_TEXT_BYTES:
            raise TableError.of("TBL0001", f"a name of {len(data)} bytes")
        return FIRST_ROW_AT + self.texts.place(struct.pack("<H", len(data)) + data)

    def _ports(self, ports: PortList) -> int:
        if not ports:
            return 0
        rows = [word for r in ports for word in (r.first, r.last, _decides(r))]
        return self._list(len(ports), *rows)

    def _alternatives(self, alternatives: Sequence[Alternative]) -> int:
        rows = []
        for one in alternatives:
            rule = one.rule | (HAS_PATHS if one.has_paths else 0)
            rows += [rule, self._condition(one.condition)]
        return self._list(len(alternatives), *rows)

    def _condition(self, condition: HttpMatch | None) -> int:
        if condition is None:
            return 0
        lists = condition.methods, condition.hosts, condition.headers, condition.paths
        words = [self._text(t) for t in (*condition.methods, *condition.hosts)]
        for test in condition.headers:
            negated = HEADER_NEGATED if test.is_negated else 0
            words += [self._text(test.name), self._text(test.value)]
            words.append(HEADER_NUMBERS[test.kind] | negated)
        for path in condition.paths:
            words += [PATH_NUMBERS[path.kind], self._text(path.pattern)]
        return self._list(*map(len, lists), *words)

    def _list(self, *words: int) -> int:
        return self.lists_at + self.lists.place(struct.pack(f"<{len(words)}I", *words))

    def _addresses(self, addresses: AddressList, words: int) -> int:
        if not addresses:
            return 0
        piece = bytearray(struct.pack("<I", len(addresses)))
        for start, ports in addresses:
            for place in reversed(range(words)):
                piece += struct.pack("<I", start >> (32 * place) & 0xFFFFFFFF)
            piece += struct.pack("<I", self._ports(ports))
        return self.lists_at + self.lists.place(bytes(piece))

    def _size_before_lists(self, sections: dict[Section, tuple[bytes, int]]) -> int:
        """Where LISTS begins: SUBJECTS and PEERS before it have known sizes."""
        size = FIRST_ROW_AT
        for data, _ in sections.values():
            size += len(data) + -len(data) % 4
        entries = sum(len(subject.peers) for subject in self.table.subjects)
        return size + len(self.table.subjects) * SUBJECT_BYTES + _slots(entries) * 12

    # --- rows ----------------------------------------------------------------------

    def _workload_rows(self) -> Iterable[Row]:
        known = {workload.id: workload for workload in self.table.workloads}
        for number in range(1, max(known, default=0) + 1):
            yield self._workload_row(known[number]) if number in known else (0,) * 8

    def _workload_row(self, workload: TableWorkload) -> Row:
        flags = WORKLOAD_PRESENT | (WORKLOAD_REVOKED if workload.revoked else 0)
        return (
            workload.realm | flags << 16,
            self._text(workload.service_account),
            workload.ingress,
            workload.egress,
            workload.audited_ingress,
            workload.audited_egress,
            workload.wide_peer,
            workload.local_peer,
        )

    def _identity_rows(self) -> Iterable[Row]:
        rows = [
            (*struct.unpack(">4I", workload.digest), workload.id)
            for workload in self.table.workloads
        ]
        return _hashed(rows, lambda row: row[0], (0,) * 5)

    def _target_sections(self) -> dict[Section, tuple[bytes, int]]:
        rows: list[tuple[int, Row]] = []
        ports: list[Row] = []
        backends: list[Row] = []
        for target in sorted(self.table.targets, key=lambda t: t.id):
            rows.append((self._host_hash(target), self._target_row(target, len(ports))))
            for port in target.ports:
                ports.append((port.key, len(backends), len(port.backends)))
                backends += [(b.workload, b.port) for b in port.backends]
        hashes = {row: number for number, row in rows}
        table = _hashed([row for _, row in rows], lambda row: hashes[row], (0,) * 5)
        return {
            Section.TARGETS: _rows(table),
            Section.PORTS: _rows(ports),
            Section.BACKENDS: _rows(backends),
        }

    def _target_row(self, target: TableTarget, first_port: int) -> Row:
        halves = TARGET_KINDS[target.kind] | self.realm_rows[target.realm] << 16
        name = self._text(target.name)
        return (target.id, halves, name, first_port, len(target.ports))

    def _host_hash(self, target: TableTarget) -> int:
        namespace = self.table.realms[target.realm]
        host = TargetName(target.kind, namespace, target.name).host
        return int(text_hash(host.encode()))

    def _subject_rows(self) -> Iterable[Row]:
        for subject in self.table.subjects:
            levels = 0
            for key in subject.peers:
                levels |= _level(key)
            default = subject.default_rule
            yield (
                NONE if default is None else default,
                self._ports(subject.members),
                self._ports(subject.outside),
                self._addresses(subject.addresses4, 1),
                self._addresses(subject.addresses6, 4),
                levels,
                self._ports(subject.any_address),
            )

    def _peer_rows(self) -> Iterable[Row]:
        rows = [
            (number, key, self._ports(ports))
            for number, subject in enumerate(self.table.subjects)
            for key, ports in sorted(subject.peers.items())
        ]
        return _hashed(rows, lambda row: int(peer_hash(row[0], row[1])), (NONE, 0, 0))

    def _request_sections(self) -> dict[Section, tuple[bytes, int]]:
        """Lay out chains and their automata; their states are numbered in one row."""
        chains: list[Row] = []
        states: list[Row] = []
        edges: list[tuple[int, Row]] = []
        for chain in self.table.chains:
            base = len(states)
            plain = NONE if chain.plain is None else chain.plain
            lists = (chain.alternatives, _if_ambiguous(chain.alternatives))
            chains.append((plain, base, *map(self._alternatives, lists)))
            for state in chain.states:
                for segment, after in state.edges:
                    slot = int(edge_hash(len(states), segment.encode()))
                    row = (len(states), self._text(segment), _state(base, after))
                    edges.append((slot, row))
                accepts = [chain.alternatives[number] for number in state.accepts]
                default = _state(base, state.default)
                states.append((default, self._alternatives(accepts)))
        slots = {row: slot for slot, row in edges}
        hashed = _hashed(
            [row for _, row in edges], lambda row: slots[row], (NONE, 0, 0)
        )
        return {
            Section.CHAINS: _rows(chains),
            Section.STATES: _rows(states),
            Section.EDGES: _rows(hashed),
        }

    def _member_blocks(self) -> tuple[bytes, int]:
        words = [len(self.table.member_blocks)]
        for start, inside in self.table.member_blocks:
            words += [start, int(inside)]
        return struct.pack(f"<{len(words)}I", *words), len(words)

    def _rule_rows(self) -> Iterable[Row]:
        for rule in self.table.rules:
            number = RULE_DEFAULT if rule.number is None else rule.number
            halves = number | DIRECTION_NUMBERS[rule.direction] << 16
            halves |= ACTION_NUMBERS[rule.action] << ACTION_SHIFT
            yield (rule.policy, halves, rule.line)

    def _policy_rows(self) -> Iterable[Row]:
        for policy in self.table.policies:
            names = (policy.namespace, policy.name, policy.file)
            yield (KINDS[policy.kind], *(self._text(name) for name in names))


def _if_ambiguous(alternatives: Sequence[Alternative]) -> list[Alternative]:
    """Keep those of rules without paths, and the first that a path would have to meet.

    One doubt is enough, so that odd paths cost no more where there are many rules.
    """
    doubt = next((one for one in alternatives if one.has_paths), None)
    return [one for one in alternatives if not one.has_paths or one is doubt]


def _decides(row: PortRange) -> int:
    return row.rule if row.chain == NO_CHAIN else IS_CHAIN | row.chain


def _state(base: int, number: int | None) -> int:
    return NONE if number is None else base + number


def _level(peer: int) -> int:
    """The level at which a peer is looked up."""
    if peer >= LOCAL_PEERS:
        return LEVEL_LOCAL
    return LEVEL_WIDE if peer >= WIDE_PEERS else LEVEL_REALM


def _rows(rows: Iterable[Row]) -> tuple[bytes, int]:
    packed = [struct.pack(f"<{len(row)}I", *row) for row in rows]
    return b"".join(packed), len(packed)


def _slots(entries: int) -> int:
    """A power of two, at most half of it used, so that probes are short."""
    return max(2, 1 << (2 * entries - 1).bit_length() if entries else 2)


def _hashed(rows: Sequence[Row], key: Callable[[Row], int], empty: Row) -> list[Row]:
    """Lay rows out for open addressing with linear probing."""
    slots = _slots(len(rows))
    found: list[Row | None] = [None] * slots
    for row in rows:
        slot = key(row) & (slots - 1)
        while found[slot] is not None:
            slot = (slot + 1) & (slots - 1)
        found[slot] = row
    return [empty if row is None else row for row in found]

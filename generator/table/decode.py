"""Read a rule table back from its bytes: what `inspect` shows is what the filter has.

The filter's own check admits the bytes first (`filters.admission`), under CPython;
what it refuses is refused here, with a code.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence

from filters.layout import (
    ACTION_SHIFT,
    ADDRESS_WORD0_AT,
    DIRECTORY_AT,
    FLAG_AUDITED,
    FLAG_IPV4_INSTANCES,
    FLAGS_AT,
    HAS_PATHS,
    HEADER_NEGATED,
    IS_CHAIN,
    NONE,
    RULE_DEFAULT,
    WORKLOAD_REVOKED,
    Section,
)
from generator.errors import TableError
from generator.policy.model import HeaderMatch, HttpMatch, PathMatch
from generator.table.admission import why_refused
from generator.table.model import (
    AddressList,
    Alternative,
    Chain,
    PathState,
    PortList,
    PortRange,
    RuleTable,
    Subject,
    SubjectSet,
    TableBackend,
    TablePolicy,
    TablePort,
    TableRule,
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


def decode_table(data: bytes) -> RuleTable:
    """Read a table.

    Raises: TableError TBL0002 if the filter would refuse it.
    """
    reason = why_refused(data)
    if reason:
        raise TableError.of("TBL0002", reason)
    return decode_admitted(data)


def decode_admitted(data: bytes) -> RuleTable:
    """Read a table that a filter has admitted already."""
    return _Decoder(data).decode()


def section_sizes(data: bytes) -> dict[str, int]:
    """Bytes by section, the header and directory first."""
    starts = [
        struct.unpack_from("<I", data, DIRECTORY_AT + section * 8)[0]
        for section in Section
    ]
    stops = [*starts[1:], len(data)]
    sizes = {"header": starts[0]}
    for section, start, stop in zip(Section, starts, stops, strict=True):
        sizes[section.name.lower()] = stop - start
    return sizes


class _Decoder:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.chains = tuple(self._chains())

    def decode(self) -> RuleTable:
        word0, word1 = self._words(ADDRESS_WORD0_AT, 2)
        (flags,) = self._words(FLAGS_AT, 1)
        return RuleTable(
            overlay_id=(word0 & 0xFFFFFF) << 16 | word1 >> 16,
            has_ipv4_instances=bool(flags & FLAG_IPV4_INSTANCES),
            has_audited_policies=bool(flags & FLAG_AUDITED),
            label_keys=tuple(self._text(r[0]) for r in self._rows(Section.LABEL_KEYS)),
            realms={r[0]: self._text(r[1]) for r in self._rows(Section.REALMS)},
            workloads=tuple(self._workloads()),
            targets=tuple(self._targets()),
            subject_sets=tuple(self._subject_sets()),
            subjects=tuple(self._subjects()),
            member_blocks=tuple(self._member_blocks()),
            chains=self.chains,
            rules=tuple(self._rules()),
            policies=tuple(self._policies()),
        )

    def _words(self, at: int, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count}I", self.data, at)

    def _directory(self, section: Section) -> tuple[int, ...]:
        return self._words(DIRECTORY_AT + section * 8, 2)

    def _rows(self, section: Section) -> Iterator[tuple[int, ...]]:
        start, rows = self._directory(section)
        width = ROW_WORDS[section]
        for i in range(rows):
            yield self._words(start + i * width * 4, width)

    def _text(self, at: int) -> str:
        (size,) = struct.unpack_from("<H", self.data, at)
        return self.data[at + 2 : at + 2 + size].decode()

    def _ports(self, at: int) -> PortList:
        if at == 0:
            return ()
        (count,) = self._words(at, 1)
        rows = (self._words(at + 4 + i * 12, 3) for i in range(count))
        return tuple(self._port_range(*row) for row in rows)

    def _port_range(self, first: int, last: int, rule: int) -> PortRange:
        if rule < IS_CHAIN:
            return PortRange(first, last, rule)
        chain = rule - IS_CHAIN
        return PortRange(first, last, self.chains[chain].alternatives[0].rule, chain)

    def _addresses(self, at: int, words: int) -> AddressList:
        if at == 0:
            return ()
        (count,) = self._words(at, 1)
        found = []
        for i in range(count):
            row = self._words(at + 4 + i * (words + 1) * 4, words + 1)
            start = 0
            for word in row[:-1]:
                start = start << 32 | word
            found.append((start, self._ports(row[-1])))
        return tuple(found)

    # --- rules that ask about the request --------------------------------------------

    def _chains(self) -> Iterator[Chain]:
        rows = list(self._rows(Section.CHAINS))
        states = list(self._rows(Section.STATES))
        edges: dict[int, list[tuple[str, int]]] = {}
        for state, segment, after in self._rows(Section.EDGES):
            if state != NONE:
                edges.setdefault(state, []).append((self._text(segment), after))
        starts = [first for _, first, *_ in rows]
        for (plain, base, listed, _), end in zip(
            rows, [*starts[1:], len(states)][: len(rows)], strict=True
        ):
            alternatives = self._alternatives(listed)
            places: dict[Alternative, list[int]] = {}
            for place, one in enumerate(alternatives):
                places.setdefault(one, []).append(place)
            yield Chain(
                None if plain == NONE else plain,
                alternatives,
                tuple(
                    PathState(
                        _local(base, states[number][0]),
                        tuple(
                            (segment, _local(base, after))
                            for segment, after in sorted(edges.get(number, ()))
                        ),
                        tuple(self._accepted(places, states[number][1])),
                    )
                    for number in range(base, end)
                ),
            )

    def _alternatives(self, at: int) -> tuple[Alternative, ...]:
        (count,) = self._words(at, 1)
        rows = (self._words(at + 4 + i * 8, 2) for i in range(count))
        return tuple(
            Alternative(rule & ~HAS_PATHS, bool(rule & HAS_PATHS), self._condition(c))
            for rule, c in rows
        )

    def _accepted(
        self, places: Mapping[Alternative, Sequence[int]], at: int
    ) -> Iterator[int]:
        """Find the alternatives of a state among those of its chain, in order."""
        last = -1
        for one in self._alternatives(at):
            last = next(place for place in places[one] if place > last)
            yield last

    def _condition(self, at: int) -> HttpMatch | None:
        if at == 0:
            return None
        methods, hosts, headers, paths = self._words(at, 4)
        texts = [self._text(t) for t in self._words(at + 16, methods + hosts)]
        tests_at = at + 16 + 4 * (methods + hosts)
        tests = (self._words(tests_at + i * 12, 3) for i in range(headers))
        paths_at = tests_at + 12 * headers
        patterns = (self._words(paths_at + i * 8, 2) for i in range(paths))
        return HttpMatch(
            methods=tuple(texts[:methods]),
            paths=tuple(self._path(*pattern) for pattern in patterns),
            hosts=tuple(texts[methods:]),
            headers=tuple(self._header(*test) for test in tests),
        )

    def _path(self, kind: int, pattern: int) -> PathMatch:
        kinds = {number: kind for kind, number in PATH_NUMBERS.items()}
        return PathMatch(kinds[kind], self._text(pattern))

    def _header(self, name: int, value: int, kind: int) -> HeaderMatch:
        kinds = {number: kind for kind, number in HEADER_NUMBERS.items()}
        is_negated = bool(kind & HEADER_NEGATED)
        shape = kinds[kind & ~HEADER_NEGATED]
        return HeaderMatch(self._text(name), shape, self._text(value), is_negated)

    # --- rows ------------------------------------------------------------------------

    def _workloads(self) -> Iterator[TableWorkload]:
        digests = {
            row[4]: struct.pack(">4I", *row[:4])
            for row in self._rows(Section.IDENTITIES)
            if row[4]
        }
        for number, row in enumerate(self._rows(Section.WORKLOADS), start=1):
            head, account, ingress, egress, audited_in, audited_out, wide, local = row
            if head >> 16:
                yield TableWorkload(
                    id=number,
                    realm=head & 0xFFFF,
                    service_account=self._text(account),
                    revoked=bool(head >> 16 & WORKLOAD_REVOKED),
                    ingress=ingress,
                    egress=egress,
                    audited_ingress=audited_in,
                    audited_egress=audited_out,
                    wide_peer=wide,
                    local_peer=local,
                    digest=digests[number],
                )

    def _targets(self) -> Iterator[TableTarget]:
        kinds = {number: kind for kind, number in TARGET_KINDS.items()}
        realms = [row[0] for row in self._rows(Section.REALMS)]
        ports = list(self._rows(Section.PORTS))
        backends = [TableBackend(*row) for row in self._rows(Section.BACKENDS)]
        rows = [row for row in self._rows(Section.TARGETS) if row[0]]
        for number, halves, name, first, count in sorted(rows):
            found = tuple(
                TablePort(key, tuple(backends[start : start + size]))
                for key, start, size in ports[first : first + count]
            )
            kind = kinds[halves & 0xFFFF]
            realm = realms[halves >> 16]
            yield TableTarget(number, kind, realm, self._text(name), found)

    def _subject_sets(self) -> Iterator[SubjectSet]:
        for row in self._rows(Section.SUBJECT_SETS):
            admin, normal, baseline = (None if n == NONE else n for n in row)
            yield admin, normal, baseline

    def _subjects(self) -> Iterator[Subject]:
        peers: dict[int, dict[int, PortList]] = {}
        for subject, key, ports in self._rows(Section.PEERS):
            if subject != NONE:
                peers.setdefault(subject, {})[key] = self._ports(ports)
        for number, row in enumerate(self._rows(Section.SUBJECTS)):
            default, members, outside, addresses4, addresses6, _, any_address = row
            yield Subject(
                default_rule=None if default == NONE else default,
                members=self._ports(members),
                outside=self._ports(outside),
                addresses4=self._addresses(addresses4, 1),
                addresses6=self._addresses(addresses6, 4),
                any_address=self._ports(any_address),
                peers=dict(sorted(peers.get(number, {}).items())),
            )

    def _member_blocks(self) -> Iterator[tuple[int, bool]]:
        start, words = self._directory(Section.MEMBER_BLOCKS)
        values = self._words(start + 4, words - 1)
        for i in range(0, len(values), 2):
            yield values[i], bool(values[i + 1])

    def _rules(self) -> Iterator[TableRule]:
        directions = {number: d for d, number in DIRECTION_NUMBERS.items()}
        actions = {number: a for a, number in ACTION_NUMBERS.items()}
        for policy, halves, line in self._rows(Section.RULES):
            number = halves & 0xFFFF
            yield TableRule(
                policy,
                directions[halves >> 16 & 1],
                None if number == RULE_DEFAULT else number,
                line,
                actions[halves >> ACTION_SHIFT & 3],
            )

    def _policies(self) -> Iterator[TablePolicy]:
        kinds = {number: kind for kind, number in KINDS.items()}
        for kind, *texts in self._rows(Section.POLICIES):
            namespace, name, file = (self._text(text) for text in texts)
            yield TablePolicy(kinds[kind], namespace, name, file)


def _local(base: int, state: int) -> int | None:
    return None if state == NONE else state - base


ROW_WORDS = {
    Section.LABEL_KEYS: 1,
    Section.REALMS: 2,
    Section.WORKLOADS: 8,
    Section.IDENTITIES: 5,
    Section.TARGETS: 5,
    Section.PORTS: 3,
    Section.BACKENDS: 2,
    Section.SUBJECT_SETS: 3,
    Section.SUBJECTS: 7,
    Section.PEERS: 3,
    Section.RULES: 3,
    Section.POLICIES: 4,
    Section.CHAINS: 4,
    Section.STATES: 2,
    Section.EDGES: 3,
}

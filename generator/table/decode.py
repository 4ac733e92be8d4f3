"""Read a rule table back from its bytes: what `inspect` shows is what the filter has.

The filter's own check admits the bytes first (`filters.admission`), under CPython;
what it refuses is refused here, with a code.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from filters.layout import (
    ADDRESS_WORD0_AT,
    FLAG_AUDITED,
    FLAG_IPV4_INSTANCES,
    FLAGS_AT,
    Level,
    Section,
)
from filters.lookup import peer_key
from generator.errors import TableError
from generator.overlay.model import TargetKind
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
from generator.table.packing import Packed, Row


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
    return Packed(data).sizes()


class _Decoder:
    def __init__(self, data: bytes) -> None:
        self.data = data
        packed = Packed(data)
        self.rows: dict[Section, list[Row]] = {
            section: packed.rows(section)
            for section in Section
            if section is not Section.STRINGS
        }
        strings = packed.strings()
        self.texts = [
            strings[first : first + size].decode()
            for first, size in self.rows[Section.TEXTS]
        ]
        self.chains = tuple(self._chains())
        self.lists: dict[int, PortList] = {}

    def decode(self) -> RuleTable:
        word0, word1 = struct.unpack_from("<2I", self.data, ADDRESS_WORD0_AT)
        (flags,) = struct.unpack_from("<I", self.data, FLAGS_AT)
        has_audited = bool(flags & FLAG_AUDITED)
        return RuleTable(
            overlay_id=(word0 & 0xFFFFFF) << 16 | word1 >> 16,
            has_ipv4_instances=bool(flags & FLAG_IPV4_INSTANCES),
            has_audited_policies=has_audited,
            label_keys=tuple(self.texts[t] for (t,) in self.rows[Section.LABEL_KEYS]),
            realms={
                number: self.texts[name - 1]
                for number, (name, *_) in enumerate(self.rows[Section.REALMS], start=1)
                if name
            },
            realm_classes={
                number: realm_class
                for number, (name, _, _, realm_class) in enumerate(
                    self.rows[Section.REALMS], start=1
                )
                if name
            },
            workloads=tuple(self._workloads(has_audited)),
            targets=tuple(sorted(self._targets(), key=lambda target: target.id)),
            subjects=tuple(self._subject(*row) for row in self.rows[Section.SUBJECTS]),
            member_blocks=tuple(
                (start, bool(holds))
                for start, holds in self.rows[Section.MEMBER_BLOCKS]
            ),
            chains=self.chains,
            rules=tuple(self._rules()),
            policies=tuple(self._policies()),
        )

    def _slice(self, section: Section, first: int, count: int) -> list[Row]:
        return self.rows[section][first : first + count]

    # --- who there is ----------------------------------------------------------------

    def _workloads(self, has_audited: bool) -> Iterator[TableWorkload]:
        for number, row in enumerate(self.rows[Section.WORKLOADS], start=1):
            realm, revoked, account, digest0, digest1, wide, local, *subjects = row
            if realm:
                ingress, egress, *audited = _sets(subjects)
                if not has_audited:
                    audited = [ingress, egress]
                yield TableWorkload(
                    id=number,
                    realm=realm,
                    service_account=self.texts[account],
                    revoked=bool(revoked),
                    ingress=ingress,
                    egress=egress,
                    audited_ingress=audited[0],
                    audited_egress=audited[1],
                    wide_peer=wide,
                    local_peer=local,
                    digest=struct.pack(">2I", digest0, digest1),
                )

    def _targets(self) -> Iterator[TableTarget]:
        kinds = {number: kind for kind, number in TARGET_KINDS.items()}
        for realm, row in enumerate(self.rows[Section.REALMS], start=1):
            for number, kind, name, *place in self._slice(Section.TARGETS, *row[1:3]):
                if number:
                    is_service = kinds[kind] is TargetKind.SERVICE
                    ports = self._ports(place) if is_service else self._any_port(place)
                    name_text = self.texts[name]
                    yield TableTarget(
                        number, kinds[kind], realm, name_text, tuple(ports)
                    )

    def _ports(self, place: Sequence[int]) -> Iterator[TablePort]:
        rows = self._slice(Section.PORTS, *place)
        for key, group in groupby(rows, lambda row: row[0]):
            backends = [
                TableBackend(workload, number)
                for _, number, *slice_ in group
                for (workload,) in self._slice(Section.BACKENDS, *slice_)
            ]
            yield TablePort(key, tuple(sorted(backends)))

    def _any_port(self, place: Sequence[int]) -> Iterator[TablePort]:
        rows = self._slice(Section.BACKENDS, *place)
        yield TablePort(0, tuple(TableBackend(workload, 0) for (workload,) in rows))

    # --- what policy says ------------------------------------------------------------

    def _subject(self, default: int, levels: int, *slices: int) -> Subject:
        first, count, first4, count4, _, first6, count6 = slices
        rows = self._slice(Section.PEERS, first, count)
        peers = {peer: self._port_list(at + 1) for peer, at in sorted(rows) if peer}
        return Subject(
            default_rule=_optional(default),
            members=peers.pop(peer_key(Level.MEMBERS, 0), ()),
            outside=peers.pop(peer_key(Level.OUTSIDE, 0), ()),
            any_address=peers.pop(peer_key(Level.ANY_ADDRESS, 0), ()),
            addresses4=self._addresses(Section.ADDRESSES4, first4, count4),
            addresses6=self._addresses(Section.ADDRESSES6, first6, count6),
            peers=peers,
        )

    def _port_list(self, at: int) -> PortList:
        if at == 0:
            return ()
        if at not in self.lists:
            left = self.rows[Section.RANGES][at - 1][3]
            rows = self._slice(Section.RANGES, at - 1, left + 1)
            self.lists[at] = tuple(self._port_range(*row) for row in rows)
        return self.lists[at]

    def _port_range(self, first: int, last: int, decision: int, *_: int) -> PortRange:
        chain = decision - len(self.rows[Section.RULES])
        if chain < 0:
            return PortRange(first, last, decision)
        return PortRange(first, last, self.chains[chain].alternatives[0].rule, chain)

    def _addresses(self, section: Section, first: int, count: int) -> AddressList:
        found = []
        for *words, ports in self._slice(section, first, count):
            start = 0
            for word in words:
                start = start << 32 | word
            found.append((start, self._port_list(ports)))
        return tuple(found)

    def _rules(self) -> Iterator[TableRule]:
        directions = {number: d for d, number in DIRECTION_NUMBERS.items()}
        actions = {number: a for a, number in ACTION_NUMBERS.items()}
        for policy, number, direction, action, line in self.rows[Section.RULES]:
            places = directions[direction], _optional(number), line
            yield TableRule(policy, *places, actions[action])

    def _policies(self) -> Iterator[TablePolicy]:
        kinds = {number: kind for kind, number in KINDS.items()}
        for kind, *texts in self.rows[Section.POLICIES]:
            namespace, name, file = (self.texts[text] for text in texts)
            yield TablePolicy(kinds[kind], namespace, name, file)

    # --- rules that ask about the request --------------------------------------------

    def _chains(self) -> Iterator[Chain]:
        rows = self.rows[Section.CHAINS]
        starts = [row[1] for row in rows]
        stops = [*starts[1:], len(self.rows[Section.STATES])][: len(rows)]
        for (plain, base, *slices), stop in zip(rows, stops, strict=True):
            alternatives = self._alternatives(*slices[:2])
            places: dict[Alternative, list[int]] = {}
            for place, one in enumerate(alternatives):
                places.setdefault(one, []).append(place)
            states = self._slice(Section.STATES, base, stop - base)
            yield Chain(
                _optional(plain),
                alternatives,
                tuple(self._state(places, base, *state) for state in states),
            )

    def _state(
        self,
        places: Mapping[Alternative, Sequence[int]],
        base: int,
        default: int,
        *slices: int,
    ) -> PathState:
        edges = sorted(
            (self.texts[segment - 1], _local(base, after))
            for segment, after in self._slice(Section.EDGES, *slices[:2])
            if segment
        )
        accepts = self._accepted(places, self._alternatives(*slices[2:]))
        return PathState(_local(base, default), tuple(edges), tuple(accepts))

    def _alternatives(self, first: int, count: int) -> tuple[Alternative, ...]:
        return tuple(
            Alternative(rule, bool(has_paths), self._condition(condition))
            for rule, has_paths, condition in self._slice(
                Section.ALTERNATIVES, first, count
            )
        )

    def _accepted(
        self,
        places: Mapping[Alternative, Sequence[int]],
        alternatives: Sequence[Alternative],
    ) -> Iterator[int]:
        """Find the alternatives of a state among those of its chain, in order."""
        last = -1
        for one in alternatives:
            last = next(place for place in places[one] if place > last)
            yield last

    def _condition(self, at: int) -> HttpMatch | None:
        if at == 0:
            return None
        slices = self.rows[Section.CONDITIONS][at - 1]
        texts = Section.CONDITION_TEXTS
        tests = self._slice(Section.HEADER_TESTS, *slices[4:6])
        patterns = self._slice(Section.PATHS, *slices[6:8])
        return HttpMatch(
            methods=tuple(self.texts[t] for (t,) in self._slice(texts, *slices[0:2])),
            paths=tuple(self._path(*pattern) for pattern in patterns),
            hosts=tuple(self.texts[t] for (t,) in self._slice(texts, *slices[2:4])),
            headers=tuple(self._header(*test) for test in tests),
        )

    def _path(self, kind: int, pattern: int) -> PathMatch:
        kinds = {number: kind for kind, number in PATH_NUMBERS.items()}
        return PathMatch(kinds[kind], self.texts[pattern])

    def _header(self, name: int, value: int, kind: int, negated: int) -> HeaderMatch:
        kinds = {number: kind for kind, number in HEADER_NUMBERS.items()}
        names = self.texts[name], kinds[kind], self.texts[value]
        return HeaderMatch(*names, is_negated=bool(negated))


def _optional(number: int) -> int | None:
    return number - 1 if number else None


def _local(base: int, state: int) -> int | None:
    return state - 1 - base if state else None


def _sets(subjects: Sequence[int]) -> Iterator[SubjectSet]:
    for start in range(0, len(subjects), 3):
        admin, normal, baseline = map(_optional, subjects[start : start + 3])
        yield admin, normal, baseline

"""What the page of `pepmesh simulate -o html` shows, as data.

Where in the pipeline: `mesh_flows -> report -> report_page`. Everything is worked out
here; the page only looks things up. What repeats is numbered and stands once: *cells*
say what may be sent, *sides* by which rules one direction decides, for each kind of
endpoint that the owners have. The matrix is run-length coded, [number, count, ...]:
cells and egress by source, ingress by destination, since that makes the longest runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from generator.analysis.api_version import API_VERSION
from generator.analysis.key_ranges import keys_text, ports_text, split_keys
from generator.analysis.request_rules import RequestTexts
from generator.analysis.sides import MISSING, OUTSIDE, REVOKED, Access, Side
from generator.analysis.simulate.mesh_flows import Cell, MeshFlows, Pairs
from generator.analysis.spans import AddressSpan
from generator.policy.model import Direction, Protocol
from generator.table.ports import LAST_PORT, KeyRange

NOTES: Final = {
    OUTSIDE: "It is outside the overlay: nobody judges this.",
    REVOKED: "The source is revoked, so it is refused whatever policy says.",
    MISSING: "Only members live at the source: without a key it is refused.",
}
_ACCESS: Final = {Access.NONE: "none", Access.SOME: "some", Access.ALL: "all"}
_EVERY_PORT: Final = ((1, LAST_PORT),)
_LONGEST_LABEL: Final = 9
_EGRESS, _INGRESS = 0, 1


def report_document(flows: MeshFlows, digest: str) -> dict[str, object]:
    """Return the data of the page."""
    report = _Report(flows)
    names = sorted((name, n) for n, names in enumerate(flows.groups) for name in names)
    return {
        "apiVersion": API_VERSION,
        "kind": "AccessReport",
        "digest": digest,
        "names": [name for name, _ in names],
        "groups": [number for _, number in names],
        "matrix": report.matrix(),
        "outside": [report.outside(number) for number in range(len(flows.groups))],
        # Last, since the others number what they need.
        "cells": report.cells,
        "sides": report.sides,
        "rules": report.rules,
    }


class _Report:
    """Spells cells, sides and rules, each once; they are numbered as they are met."""

    def __init__(self, flows: MeshFlows) -> None:
        self.cells: list[dict[str, object]] = []
        self.sides: list[list[object]] = []
        self.rules: list[dict[str, object]] = []
        self._flows = flows
        self._texts = RequestTexts(flows.table)
        self._cells: dict[int, int] = {}
        self._sides: dict[tuple[int, ...], int] = {}
        self._rules: dict[int, int] = {}

    def matrix(self) -> dict[str, list[list[int]]]:
        """Return the numbers of cells, and of the sides of both directions."""
        cells: list[list[int]] = []
        egress: list[list[int]] = []
        ingress: list[list[int]] = [[] for _ in self._flows.groups]
        for row in self._flows.matrix():
            cells.append([])
            egress.append([])
            for pairs, column in zip(row, ingress, strict=True):
                _append(cells[-1], self._cell(pairs))
                _append(egress[-1], self._side(pairs, _EGRESS))
                _append(column, self._side(pairs, _INGRESS))
        return {"cells": cells, "egress": egress, "ingress": ingress}

    def outside(self, group: int) -> dict[str, list[list[object]]]:
        """Return ranges of addresses with their cells and sides, by direction."""
        return {
            direction.value: [
                [
                    str(span),
                    self._cell(pairs),
                    self._side(pairs, _EGRESS),
                    self._side(pairs, _INGRESS),
                ]
                for span, pairs in _join(self._flows.outside(group, direction))
            ]
            for direction in Direction
        }

    def _cell(self, pairs: Pairs) -> int:
        cell = self._flows.cell(pairs)
        if cell.number not in self._cells:
            self._cells[cell.number] = len(self.cells)
            self.cells.append(self._cell_fields(cell))
        return self._cells[cell.number]

    def _cell_fields(self, cell: Cell) -> dict[str, object]:
        by_rules = cell.keys_by_rules()
        always = by_rules.get((), [])
        by_request = [
            {"ports": keys_text(keys), "http": self._http(rules)}
            for rules, keys in by_rules.items()
            if rules
        ]
        mark = " +" if always and by_request else ""
        everywhere = [key for keys in by_rules.values() for key in keys]
        return {
            "ports": keys_text(always),
            "byRequest": by_request,
            "label": _label(always or everywhere) + mark,
            "keys": [
                [p, *span] for p, ports in split_keys(everywhere) for span in ports
            ],
        }

    def _http(self, rules: Iterable[int]) -> list[str]:
        return [text for rule in rules for text in self._texts.of(rule)]

    def _side(self, pairs: Pairs, direction: int) -> int:
        """Number the different sides that the endpoints of two groups have."""
        if len(pairs) == 1:
            ((*both,),) = pairs
            found: tuple[int, ...] = (both[direction],)
        else:
            found = tuple(sorted({pair[direction] for pair in pairs}))
        if found not in self._sides:
            self._sides[found] = len(self.sides)
            self.sides.append([self._side_fields(number) for number in found])
        return self._sides[found]

    def _side_fields(self, number: int) -> object:
        if number in NOTES:
            return {"note": NOTES[number]}
        return {"entries": list(self._entries(self._flows.sides[number]))}

    def _entries(self, side: Side) -> Iterator[dict[str, object]]:
        """Yield what one side says, most access first."""
        found: dict[tuple[Access, int | None, tuple[int, ...]], list[KeyRange]] = {}
        for s in side:
            keys = found.setdefault((s.access, s.rule, s.by_request), [])
            keys.append((s.first, s.last))
        for (access, rule, by_request), keys in sorted(
            found.items(), key=lambda item: (-item[0][0], item[1])
        ):
            is_rest = access is Access.NONE and len(found) > 1
            yield {
                "access": _ACCESS[access],
                "ports": "all other ports" if is_rest else keys_text(keys),
                "rule": None if rule is None else self._rule(rule),
                "byRequest": [self._rule(number) for number in by_request],
            }

    def _rule(self, number: int) -> int:
        if number not in self._rules:
            table = self._flows.table
            rule = table.rules[number]
            self._rules[number] = len(self.rules)
            self.rules.append(
                {
                    "name": table.rule_name(number),
                    "place": table.rule_place(number),
                    "action": rule.action.value,
                    "isDefault": rule.number is None,
                    "http": list(self._texts.of(number)),
                }
            )
        return self._rules[number]


def _append(runs: list[int], number: int) -> None:
    """Add a number to a run-length coded row."""
    if runs and runs[-2] == number:
        runs[-1] += 1
    else:
        runs += (number, 1)


def _join(
    rows: Iterable[tuple[AddressSpan, Pairs]],
) -> Iterator[tuple[AddressSpan, Pairs]]:
    """Make one range of neighbours with the same answers by the same rules."""
    last: tuple[AddressSpan, Pairs] | None = None
    for span, pairs in rows:
        if last and last[1] == pairs and int(last[0].last) + 1 == int(span.first):
            last = AddressSpan(last[0].first, span.last), pairs
            continue
        if last:
            yield last
        last = span, pairs
    if last:
        yield last


def _label(keys: list[KeyRange]) -> str:
    """Spell ports as short as a cell of the matrix is narrow: "8080", "3 ports"."""
    found = split_keys(keys)
    if not found:
        return ""
    if all(ports == _EVERY_PORT for _, ports in found):
        return "all" if len(found) == len(Protocol) else f"all {found[0][0]}"
    text = ",".join(
        ports_text(ports) + ("" if protocol is Protocol.TCP else f"/{protocol.lower()}")
        for protocol, ports in found
    )
    if len(text) <= _LONGEST_LABEL:
        return text
    count = sum(last - first + 1 for _, ports in found for first, last in ports)
    return f"{count:,} ports"

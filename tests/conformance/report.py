"""Print results: a table and the reasons; as text, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from generator.analysis.api_version import API_VERSION
from tests.conformance.result import Outcome, Result

HEADER: Final = ("source", "cases", "agree", "differ", "not applicable")


@dataclass(frozen=True, slots=True)
class Line:
    """The sums of one source. Not explained is a part of what differs."""

    source: str
    cases: int
    agree: int
    differ: int
    not_applicable: int
    unexplained: int

    @property
    def cells(self) -> tuple[str, ...]:
        numbers = (self.cases, self.agree, self.differ, self.not_applicable)
        return (self.source, *map(str, numbers))


def sum_up(results: Iterable[Result]) -> list[Line]:
    """Return a line per source, in the order in which sources were run."""
    by_source: dict[str, list[Result]] = {}
    for result in results:
        by_source.setdefault(result.source, []).append(result)
    return [_line(source, found) for source, found in by_source.items()]


def count(results: Iterable[Result]) -> dict[str, tuple[int, int, int]]:
    """Count by source what agrees, what differs, what does not apply."""
    return {
        line.source: (line.agree, line.differ, line.not_applicable)
        for line in sum_up(results)
    }


def _line(source: str, results: Sequence[Result]) -> Line:
    counts = dict.fromkeys(Outcome, 0)
    for result in results:
        counts[result.outcome] += result.count
    failed = counts[Outcome.FAILED]
    return Line(
        source,
        sum(counts.values()),
        counts[Outcome.AGREES],
        counts[Outcome.DIFFERS] + failed,
        counts[Outcome.NOT_APPLICABLE],
        failed,
    )


def as_table(results: Sequence[Result]) -> str:
    rows = [HEADER, *(line.cells for line in sum_up(results))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = [
        "  ".join(
            cell.ljust(width) if number == 0 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    for title, entries in _reasons(results):
        text += ["", title, *(f"  {entry}" for entry in entries)]
    return "\n".join([*text, "", _verdict(results)])


def as_markdown(results: Sequence[Result]) -> str:
    rows = [HEADER, ("---", *["---:"] * 4), *(li.cells for li in sum_up(results))]
    text = [f"| {' | '.join(row)} |" for row in rows]
    for title, entries in _reasons(results):
        text += ["", f"**{title}**", "", *(f"- {entry}" for entry in entries)]
    return "\n".join([*text, "", _verdict(results)])


def as_json(results: Sequence[Result]) -> str:
    document = {
        "apiVersion": API_VERSION,
        "kind": "ConformanceReport",
        "sources": [
            {
                "source": line.source,
                "cases": line.cases,
                "agree": line.agree,
                "differ": line.differ,
                "notApplicable": line.not_applicable,
                "unexplained": line.unexplained,
            }
            for line in sum_up(results)
        ],
        "results": [
            {
                "source": result.source,
                "case": result.case,
                "outcome": result.outcome.value,
                "reason": result.reason,
                "count": result.count,
            }
            for result in results
        ],
    }
    return json.dumps(document, indent=2, sort_keys=True)


def _reasons(results: Sequence[Result]) -> list[tuple[str, list[str]]]:
    titles = {
        Outcome.FAILED: "Differ, and nobody has said why:",
        Outcome.DIFFERS: "Differ, for these reasons:",
        Outcome.NOT_APPLICABLE: "Not applicable, for these reasons:",
    }
    said = []
    for outcome, title in titles.items():
        chosen = [result for result in results if result.outcome is outcome]
        if chosen:
            said.append((title, _entries(chosen)))
    return said


def _entries(results: Iterable[Result]) -> list[str]:
    """Spell results; those with one source and one reason share an entry."""
    grouped: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        grouped.setdefault((result.source, result.reason), []).append(result)
    return [
        f"{source}: {', '.join(map(_name, found))}: {reason}"
        for (source, reason), found in grouped.items()
    ]


def _name(result: Result) -> str:
    return result.case if result.count == 1 else f"{result.case} ({result.count})"


def _verdict(results: Sequence[Result]) -> str:
    failed = sum(r.count for r in results if r.outcome is Outcome.FAILED)
    if failed:
        return f"{failed} differ without a reason."
    return "Every difference has a reason."

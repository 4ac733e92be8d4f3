"""The whole report, made from a record alone: Markdown for people, plots as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from e2e.bench import machine
from e2e.bench.results import Budget, Part, Plot, Record, Table

FORMAT: Final = 1
"""Number of the record's shape; a record of another shape is refused."""


_VERDICTS: Final = {True: "met", False: "**missed**", None: "not resolved"}


class UnknownRecord(Exception):
    """A file that this version of the benchmark did not write."""


def markdown(record: Record, parts: Sequence[Part]) -> str:
    """Return the report: machine, budgets, and each part's tables."""
    lines = [f"Measured on {machine.sentence(record['machine'])}", ""]
    if record["is_quick"]:
        lines += ["Quick run: few rounds and small sizes, so figures are rough.", ""]
    budgets = [b for part, own in measured(record, parts) for b in part.budgets(own)]
    if budgets:
        lines += ["## Budgets", "", *_table_lines(_budget_table(budgets))]
    for part, own in measured(record, parts):
        lines += [f"## {part.title}", ""]
        for table in part.tables(own):
            lines += [f"### {table.title}", "", *_table_lines(table)]
    return "\n".join(lines).rstrip() + "\n"


def plots(record: Record, parts: Sequence[Part]) -> list[Plot]:
    """Return every part's plots."""
    return [plot for part, own in measured(record, parts) for plot in part.plots(own)]


def measured(record: Record, parts: Sequence[Part]) -> Iterator[tuple[Part, Record]]:
    """Yield the parts that are in a record, each with its own; see `UnknownRecord`."""
    if record.get("format") != FORMAT:
        raise UnknownRecord(f"format {record.get('format')!r} is not {FORMAT}")
    for part in parts:
        if part.name in record["parts"]:
            yield part, record["parts"][part.name]


def _budget_table(budgets: Iterable[Budget]) -> Table:
    rows = tuple((b.what, b.limit, b.measured, _VERDICTS[b.is_met]) for b in budgets)
    return Table("Budgets", ("what", "budget", "measured", ""), rows)


def _table_lines(table: Table) -> list[str]:
    rules = ["---", *["---:"] * (len(table.columns) - 1)]
    rows = (table.columns, rules, *table.rows)
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return [*lines, "", *([table.note, ""] if table.note else [])]

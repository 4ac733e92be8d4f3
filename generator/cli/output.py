"""Results on stdout: text, JSON, CSV, and tables without lines, easy to grep."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence
from enum import Enum

import click
from rich.table import Table
from rich.text import Text

from generator.cli.session import Session


class Answer(Enum):
    """What a command that answers a question returns; the others return nothing."""

    YES = "yes"
    NO = "no"


class OutputClosed(Exception):
    """Nobody reads stdout any more."""


def write(text: str) -> None:
    """Write a text and a line end to stdout."""
    try:
        click.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosed from None


def write_json(document: object) -> None:
    """Write a document with sorted keys; never with colour."""
    write(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write(buffer.getvalue().removesuffix("\n"))


def write_table(
    session: Session, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write rows in columns; numbers stand at the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    lines = [[_cell(value) for value in row] for row in rows]
    for number, name in enumerate(header):
        is_number = bool(lines) and all(
            line[number].plain.replace(",", "").isdigit() for line in lines
        )
        table.add_column(
            name, justify="right" if is_number else "left", overflow="fold"
        )
    for line in lines:
        table.add_row(*line)
    console = session.console(sys.stdout)
    with console.capture() as captured:
        console.print(table)
    write("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _cell(value: object) -> Text:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return Text(text, style=_STYLES.get(text, ""))


_STYLES = {"ALLOW": "green", "DENY": "red", "MIXED": "yellow"}

"""Results on stdout: text, JSON, CSV, and tables without lines, easy to grep."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path

import click

from generator.cli.files import write_files
from generator.cli.session import Session


class Answer(Enum):
    """What a command that answers a question returns; the others return nothing."""

    YES = "yes"
    NO = "no"


class OutputClosed(Exception):
    """Nobody reads stdout any more."""


def write(text: str, session: Session | None = None) -> None:
    """Write a text and a line end to stdout; styles only as the session wishes."""
    is_coloured = session is not None and session.wants_colour(sys.stdout)
    try:
        click.echo(text, color=is_coloured)
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosed from None


def deliver(session: Session, text: str, path: Path | None) -> None:
    """Write a result to a file, as a whole, or to stdout if there is none."""
    if path is None:
        write(text, session)
    else:
        write_files({path: f"{text}\n".encode()})


def write_json(document: object) -> None:
    """Write a document with sorted keys; never with colour."""
    write(json_text(document))


def json_text(document: object) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV, without the last line end."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().removesuffix("\n")


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    write(csv_text(header, rows))


def write_table(
    session: Session, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    is_bold = session.wants_colour(sys.stdout)
    write(table_text(header, rows, is_bold=is_bold), session)


def table_text(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, is_bold: bool = False
) -> str:
    """Return rows in columns; numbers stand at the right.

    A row is one line, however narrow the terminal, so that names can be copied.
    """
    lines = [[_text(value) for value in row] for row in rows]
    are_numbers = [
        bool(lines) and all(line[column].replace(",", "").isdigit() for line in lines)
        for column in range(len(header))
    ]
    first, *others = _aligned([list(header), *lines], are_numbers)
    return "\n".join([click.style(first, bold=True) if is_bold else first, *others])


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _aligned(lines: list[list[str]], are_numbers: list[bool]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(line, widths, are_numbers, strict=True)
        )
        yield "  ".join(cells).rstrip()

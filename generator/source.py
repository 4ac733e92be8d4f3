"""Source text and places in it.

Every diagnostic points at a `Span`. Offsets are stored 0-based and half-open and
are printed 1-based. `ast` counts columns in UTF-8 bytes, editors in characters:
`SourceFile.column_of_byte` is the only conversion in the project.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


class Position(NamedTuple):
    """A place in a text: line and column, both from 0, columns in characters."""

    line: int
    column: int


class Span(NamedTuple):
    """A half-open stretch of one file."""

    file: str
    start: Position
    end: Position

    def __str__(self) -> str:
        return f"{self.file}:{self.start.line + 1}:{self.start.column + 1}"


@dataclass(frozen=True)
class SourceFile:
    """A named text, read once."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends, as `ast` and YAML count them."""
        return self.text.splitlines()

    def line(self, number: int) -> str:
        """Return line `number` (from 0), or an empty text past the end."""
        return self.lines[number] if 0 <= number < len(self.lines) else ""

    def column_of_byte(self, line: int, byte_offset: int) -> int:
        """Convert a UTF-8 byte offset within `line` to a column in characters."""
        return len(self.line(line).encode()[:byte_offset].decode(errors="ignore"))

    def span(self, start: Position, end: Position) -> Span:
        return Span(self.name, start, end)

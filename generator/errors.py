"""Diagnostics: what is wrong, where, and what to type instead.

Passes collect diagnostics and return them or raise one `ToolError` that carries the
batch. The command line is the only place that prints them and picks an exit code.
The subclass says whose problem it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from generator.codes import CODES, SEVERITIES
from generator.source import SourceFile, Span

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that explains the first ("first defined here")."""

    message: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `code` is a key of `codes.CODES`, which holds its hint.

    `is_suppressed`: somebody said to go on, so an error is a warning.
    """

    code: str
    message: str
    span: Span | None = None
    hint: str = ""
    notes: tuple[Note, ...] = ()
    is_suppressed: bool = False

    @property
    def severity(self) -> Severity:
        if self.is_suppressed:
            return "warning"
        return SEVERITIES[CODES[self.code].severity]

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        if self.span is None:
            return ("", 0, 0, self.code, self.message)
        start = self.span.start
        return (self.span.file, start.line, start.column, self.code, self.message)


class ToolError(Exception):
    """Something a person must change. Carries at least one diagnostic."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(diagnostics, key=lambda d: d.sort_key))
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in self.diagnostics))

    @classmethod
    def of(
        cls, code: str, message: str, span: Span | None = None, hint: str = ""
    ) -> ToolError:
        """Make an error of one diagnostic."""
        return cls([Diagnostic(code, message, span, hint)])


class PolicyError(ToolError):
    """The manifests are wrong."""


class CompileError(ToolError):
    """The guest source is outside the subset."""


class OverlayError(ToolError):
    """The lock file, the keys or the identities do not fit the manifests."""


class TableError(ToolError):
    """A rule table cannot be made or read."""


class InternalError(Exception):
    """A bug in pepmesh: the message asks for a report."""


def render(diagnostic: Diagnostic, sources: Mapping[str, SourceFile]) -> str:
    """Render one diagnostic with its source line, a caret and a hint."""
    head = f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"
    lines = [f"{diagnostic.span}: {head}" if diagnostic.span else head]
    lines += _excerpt(diagnostic.span, sources)
    hint = diagnostic.hint or CODES[diagnostic.code].hint
    if hint:
        lines.append(f"  hint: {hint}")
    for note in diagnostic.notes:
        place = f"{note.span}: " if note.span else ""
        lines.append(f"  note: {place}{note.message}")
    return "\n".join(lines)


def _excerpt(span: Span | None, sources: Mapping[str, SourceFile]) -> list[str]:
    if span is None or span.file not in sources:
        return []
    text = sources[span.file].line(span.start.line)
    if not text:
        return []
    number = str(span.start.line + 1)
    same_line = span.end.line == span.start.line
    stop = span.end.column if same_line else len(text)
    width = max(1, min(stop, len(text)) - span.start.column)
    gutter = " " * len(number)
    return [
        f"  {number} | {text}",
        f"  {gutter} | {' ' * span.start.column}{'^' * width}",
    ]

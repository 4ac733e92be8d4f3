"""Findings as annotations of a GitHub workflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from generator.analysis.workflow_commands import workflow_command
from generator.errors import Severity
from generator.reports.finding import Finding
from generator.source import Span

_KINDS: Final[dict[Severity, Literal["error", "warning", "notice"]]] = {
    "error": "error",
    "warning": "warning",
    "info": "notice",
}


def github_text(findings: Iterable[Finding]) -> str:
    """Return a command for each finding that is not suppressed."""
    return "\n".join(_command(f) for f in findings if not f.suppressed_by)


def _command(finding: Finding) -> str:
    diagnostic = finding.diagnostic
    span = diagnostic.span
    return workflow_command(
        _KINDS[diagnostic.severity],
        (span.file, span.start.line + 1) if span else None,
        diagnostic.code,
        "\n".join(_message(finding)),
        _columns(span) if span else (),
    )


def _columns(span: Span) -> tuple[tuple[str, int], ...]:
    """GitHub shows columns only if the annotation is on one line."""
    if span.start.line != span.end.line:
        return (("endLine", span.end.line + 1),)
    last = max(span.end.column, span.start.column + 1)
    return ("col", span.start.column + 1), ("endColumn", last)


def _message(finding: Finding) -> Iterator[str]:
    yield finding.diagnostic.message
    if finding.hint:
        yield f"hint: {finding.hint}"
    for note in finding.diagnostic.notes:
        yield f"note: {f'{note.span}: ' if note.span else ''}{note.message}"

"""Print diagnostics to stderr: the only place that does."""

from __future__ import annotations

import sys
from typing import Final

import click

from generator.cli.session import Session
from generator.errors import Diagnostic, ToolError, render

COLOURS: Final = {"error": "red", "warning": "yellow", "info": "cyan"}


def keep(session: Session, error: ToolError) -> None:
    """Keep what an error says, and the texts that it points at."""
    session.remember(getattr(error, "sources", {}))
    session.report(error.diagnostics)


def print_findings(session: Session) -> None:
    """Print what was found so far, each finding once, with its source line."""
    is_coloured = session.wants_colour(sys.stderr)
    for diagnostic in dict.fromkeys(session.diagnostics):
        text = render(diagnostic, session.sources)
        shown = _paint(text, diagnostic) if is_coloured else text
        click.echo(shown, err=True, color=is_coloured)
    session.diagnostics.clear()


def _paint(text: str, diagnostic: Diagnostic) -> str:
    mark = f"{diagnostic.severity}[{diagnostic.code}]"
    colour = COLOURS[diagnostic.severity]
    return text.replace(mark, click.style(mark, fg=colour, bold=True), 1)

"""What one run of the command line holds: texts, findings, and how to print.

Results go to stdout through `output`; everything else is collected here and printed
to stderr by `main`, once, with the source lines that it points at.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Literal

import click
from rich.console import Console

from generator.errors import Diagnostic
from generator.source import SourceFile

ColourWish = Literal["auto", "always", "never"]


@dataclass
class Session:
    """State of one run. Secrets never get into `sources`, which is printed from."""

    colour: ColourWish = "auto"
    sources: dict[str, SourceFile] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def report(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep findings that do not stop the command."""
        self.diagnostics += diagnostics

    def remember(self, sources: Mapping[str, SourceFile]) -> None:
        """Keep texts, so that findings can show their lines."""
        self.sources.update(sources)

    def wants_colour(self, stream: IO[Any]) -> bool:
        """Tell whether colour is welcome: `--color`, then NO_COLOR, then a terminal."""
        if self.colour != "auto":
            return self.colour == "always"
        is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return not is_plain and stream.isatty()

    def console(self, stream: IO[str]) -> Console:
        """Return a console that wraps nothing unless a terminal asks for it."""
        is_coloured = self.wants_colour(stream)
        width = None if stream.isatty() else 1_000_000
        return Console(
            file=stream,
            width=width,
            color_system="standard" if is_coloured else None,
            force_terminal=is_coloured,
            no_color=not is_coloured,
            highlight=False,
            markup=False,
            emoji=False,
        )

    @contextmanager
    def progress(self, message: str) -> Iterator[None]:
        """Show on a terminal, and only there, what takes a moment."""
        stream = sys.stderr
        if not stream.isatty() or os.environ.get("TERM") == "dumb":
            yield
            return
        with self.console(stream).status(message):
            yield


pass_session = click.make_pass_decorator(Session, ensure=True)

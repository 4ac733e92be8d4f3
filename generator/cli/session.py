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

from generator.errors import Diagnostic
from generator.source import SourceFile

ColourWish = Literal["auto", "always", "never"]


@dataclass
class Session:
    """State of one run. Secrets never get into `sources`, which is printed from."""

    colour: ColourWish = "auto"
    sources: dict[str, SourceFile] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    suppressed: set[str] = field(default_factory=set)

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

    @contextmanager
    def progress(self, message: str) -> Iterator[None]:
        """Show on a terminal, and only there, what takes a moment."""
        is_plain = os.environ.get("TERM") == "dumb" or not sys.stderr.isatty()
        if is_plain:
            yield
            return
        # Only a terminal needs it, and it takes a while to import.
        from rich.console import Console
        from rich.text import Text

        console = Console(stderr=True, no_color=not self.wants_colour(sys.stderr))
        with console.status(Text(message)):
            yield


pass_session = click.make_pass_decorator(Session, ensure=True)

"""Collect diagnostics while reading goes on.

One wrong peer must not hide the next one: readers raise `PolicyError` at the first
fault of the piece they read, and whoever reads the list of pieces puts each one
under `Findings.collect`. Nothing is printed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from generator.errors import Diagnostic, Note, PolicyError
from generator.source import Span


class Findings:
    """The diagnostics of one load, in the order in which they were found."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []

    def add(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        hint: str = "",
        notes: tuple[Note, ...] = (),
    ) -> None:
        """Keep one diagnostic and go on."""
        self._found.append(Diagnostic(code, message, span, hint, notes))

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep the diagnostics of a `PolicyError` and go on after the block."""
        try:
            yield
        except PolicyError as error:
            self._found.extend(error.diagnostics)

    @property
    def has_errors(self) -> bool:
        return any(d.severity == "error" for d in self._found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Return each diagnostic once, by file, line and column."""
        unique = dict.fromkeys(self._found)
        return tuple(sorted(unique, key=lambda d: d.sort_key))

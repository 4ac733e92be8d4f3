"""Collect diagnostics while reading goes on.

One wrong peer must not hide the next one: readers raise `PolicyError` at the first
fault of the piece they read, and whoever reads several pieces puts each one under
`Findings.collect`, or a list of them under `Findings.each`. Nothing is printed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Concatenate, ParamSpec, TypeVar

from generator.errors import Diagnostic, Note, PolicyError
from generator.source import Span

Item = TypeVar("Item")
Result = TypeVar("Result")
More = ParamSpec("More")


class Findings:
    """The diagnostics of one load, in the order in which they were found."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []
        self._collecting = _Collecting(self._found)

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

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep what was found elsewhere."""
        self._found.extend(diagnostics)

    def collect(self) -> _Collecting:
        """Keep the diagnostics of a `PolicyError` and go on after the block."""
        return self._collecting

    def each(
        self,
        items: Iterable[Item],
        read: Callable[Concatenate[Item, More], Result],
        *args: More.args,
        **kwargs: More.kwargs,
    ) -> list[Result]:
        """Read the items of a list; leave out those that raise a `PolicyError`."""
        found: list[Result] = []
        for item in items:
            try:
                found.append(read(item, *args, **kwargs))
            except PolicyError as error:
                self._found.extend(error.diagnostics)
        return found

    @property
    def has_errors(self) -> bool:
        return any(d.severity == "error" for d in self._found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Return each diagnostic once, by file, line and column."""
        unique = dict.fromkeys(self._found)
        return tuple(sorted(unique, key=lambda d: d.sort_key))


class _Collecting:
    """The context of `collect`, the same for all: a load enters it very often."""

    __slots__ = ("_found",)

    def __init__(self, found: list[Diagnostic]) -> None:
        self._found = found

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type | None, error: BaseException | None, traceback: object
    ) -> bool:
        if not isinstance(error, PolicyError):
            return False
        self._found.extend(error.diagnostics)
        return True

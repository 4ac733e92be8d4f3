"""Allowed flows as Markdown, for a pull request or a page of a wiki.

A matrix of workloads while it is narrow enough to read, a list otherwise; flows with
addresses outside the cluster are a list below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from generator.analysis.simulate.pairs import Pair, pairs_of
from generator.analysis.simulate.simulation import Connection

WIDEST_MATRIX: Final = 12
"""Workloads; more columns do not fit on a page."""

_SELF: Final = "-"
_NOBODY: Final = "No flow is allowed."
_SPECIAL: Final = str.maketrans(
    {
        **{character: f"\\{character}" for character in "\\`*_[]|~"},
        "<": "&lt;",
        ">": "&gt;",
        "&": "&amp;",
        "\n": " ",
    }
)


def simulation_markdown(
    owners: Sequence[str], connections: Iterable[Connection]
) -> str:
    """Return the flows as a Markdown document; `owners` names all workloads."""
    pairs = pairs_of(connections)
    known = set(owners)
    inside = [p for p in pairs if p.source in known and p.destination in known]
    outside = [p for p in pairs if not {p.source, p.destination} <= known]
    is_narrow = len(owners) <= WIDEST_MATRIX
    between = _matrix(owners, inside) if is_narrow else _list(inside)
    return (
        f"## Between workloads\n\n{between}\n\n"
        f"## With addresses outside\n\n{_list(outside)}"
    )


def table_markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; texts are escaped."""
    first, *others = ([escape(text) for text in row] for row in (header, *rows))
    lines = [first, ["---"] * len(first), *others]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escape(text: str) -> str:
    """Make a text mean itself in Markdown, also within a table."""
    return text.translate(_SPECIAL)


def _matrix(owners: Sequence[str], pairs: Iterable[Pair]) -> str:
    texts = {(pair.source, pair.destination): str(pair) for pair in pairs}
    texts |= {(owner, owner): _SELF for owner in owners}
    rows = (
        (source, *(texts.get((source, to), "") for to in owners)) for source in owners
    )
    return table_markdown(("from \\ to", *owners), rows)


def _list(pairs: Sequence[Pair]) -> str:
    if not pairs:
        return _NOBODY
    rows = ((pair.source, pair.destination, str(pair)) for pair in pairs)
    return table_markdown(("from", "to", "allowed"), rows)

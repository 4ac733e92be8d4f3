"""A difference as markdown for the comment of a pull request.

A headline, a table of what was gained and one of what was lost, and the rest folded.
The order is stable, so that a comment can be replaced by the next one. What GitHub
would refuse is cut: whole rows from the end, and a last line says how many.

Names come from manifests and file names, that is, from whoever opened the pull request:
each is quoted so that it can be nothing but text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from generator.analysis.diff.diff import Difference
from generator.analysis.diff.groups import About, Group, Section, make_sections
from generator.analysis.diff.sentences import headline, what_text, why_lines
from generator.analysis.diff.text import heading

LIMIT: Final = 65_536
"""GitHub's, in characters; counted in bytes here, which are never fewer."""

RESERVE: Final = 400
"""Room for the last line and for what closes a folded part."""

PLAIN: Final = frozenset(" -./:,_()+>")
TABLE_HEAD: Final = (
    "| Source | Destination | Ports | Why |",
    "| --- | --- | --- | --- |",
)


@dataclass(frozen=True, slots=True)
class Block:
    """Rows with what must stand before and after them, if there is room for one."""

    head: tuple[str, ...]
    rows: tuple[str, ...]
    foot: tuple[str, ...] = ("",)


def difference_markdown(difference: Difference, limit: int = LIMIT) -> str:
    """Return the comment, not longer than a limit in bytes."""
    before, after = code(difference.before.title), code(difference.after.title)
    top = [f"### {headline(difference)}", "", f"From {before} to {after}.", ""]
    return "\n".join(_fitting(top, _blocks(difference), limit)).rstrip("\n") + "\n"


def _fitting(top: list[str], blocks: Iterable[Block], limit: int) -> Iterator[str]:
    room = limit - RESERVE - _size(top)
    left_out = 0
    yield from top
    for block in blocks:
        room -= _size((*block.head, *block.foot))
        count = 0
        for row in block.rows:
            if left_out or _size((row,)) > room:
                break
            room -= _size((row,))
            count += 1
        if count:
            yield from (*block.head, *block.rows[:count], *block.foot)
        left_out += len(block.rows) - count
    if left_out:
        yield (
            f"**{left_out} more rows were left out**, since GitHub takes no longer "
            "comment. `pepmesh diff -o json` has all of them."
        )


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _blocks(difference: Difference) -> Iterator[Block]:
    sections = make_sections(difference)
    for section in sections:
        if section.about is About.BOTH:
            title = f"**{heading(section)}** ({section.flows})"
            yield Block((title, "", *TABLE_HEAD), tuple(_rows(section)))
    for section in sections:
        if section.about is not About.BOTH:
            yield _folded(_folded_title(section), TABLE_HEAD, _rows(section))
    summaries = [g for section in sections for g in section.groups if g.is_summary]
    if summaries:
        names = dict.fromkeys(_names(summaries))
        yield _folded("Workloads that are counted above", (), names)
    policies = list(_policies(difference))
    if policies:
        yield _folded(f"Policies that came or went ({len(policies)})", (), policies)
    if difference.notes:
        notes = (f"- {escape(note)}" for note in difference.notes)
        yield _folded("What was not compared", (), notes)


def _folded(title: str, head: Iterable[str], rows: Iterable[str]) -> Block:
    start = f"<details><summary>{title}</summary>"
    return Block((start, "", *head), tuple(rows), ("", "</details>", ""))


def _folded_title(section: Section) -> str:
    return f"{escape(heading(section))} ({section.flows})"


def _rows(section: Section) -> Iterator[str]:
    for group in section.groups:
        source, destination = group.titles
        why = "<br>".join(why_lines(group.change, code))
        cells = code(source), code(destination), code(what_text(group.change)), why
        yield f"| {' | '.join(cells)} |"
    if not section.groups:
        yield "| nobody | nobody | | |"


def _names(groups: Iterable[Group]) -> Iterator[str]:
    for group in groups:
        sides = zip(group.titles, (group.sources, group.destinations), strict=True)
        for title, names in sides:
            if code(title) != code(", ".join(names)):
                yield f"- {code(title)}: {', '.join(code(name) for name in names)}"


def _policies(difference: Difference) -> Iterator[str]:
    for mark, names in (
        ("new", difference.policies.new),
        ("gone", difference.policies.gone),
    ):
        yield from (f"- {mark}: {code(name)}" for name in names)


def code(text: str) -> str:
    """Quote a text as code; what could end the quotation is spelt as a number."""
    if all(c in PLAIN or (c.isascii() and c.isalnum()) for c in text):
        return f"`{text}`"
    spelt = (c if c.isalnum() and c.isascii() else f"&#{ord(c)};" for c in text)
    return f"<code>{''.join(spelt)}</code>"

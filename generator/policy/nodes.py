"""Trees of YAML and JSON, whose every node knows its place.

Made by `yaml_tree` and `plain_lines`, read through `fields`. A place is one number of
line and column, both in characters from 0, since most places are never looked at.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from generator.source import Position, Span

LINE: Final = 1 << 32
"""A place is `line * LINE + column`."""

Place = int


class Scalar(NamedTuple):
    """A leaf. `is_plain`: without quotes, so that `80` may be a number."""

    text: str
    is_plain: bool
    start: Place
    end: Place


class Entry(NamedTuple):
    """One `key: value` of a mapping."""

    key: Scalar
    value: Node


class Mapping(NamedTuple):
    entries: dict[str, Entry]
    start: Place
    end: Place


class Sequence(NamedTuple):
    items: list[Node]
    start: Place
    end: Place


Node = Scalar | Mapping | Sequence


def span_of(file: str, start: Place, end: Place) -> Span:
    """Make a span from two places."""
    return Span(file, Position(*divmod(start, LINE)), Position(*divmod(end, LINE)))

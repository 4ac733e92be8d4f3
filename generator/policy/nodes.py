"""Trees of YAML and JSON, whose every node knows its place.

Made by `yaml_tree` and `plain_lines`, read through `fields`. A tree has no texts: they
are in a list beside it, where a scalar has a number. Places count from the document's
first line. So documents that differ in texts only can share one tree.
"""

from __future__ import annotations

from collections import abc
from functools import lru_cache
from typing import Final, NamedTuple

from generator.source import Position, Span

LINE: Final = 1 << 32
"""A place is `line * LINE + column`, both in characters from 0."""

_new = tuple.__new__
"""Makes a named tuple as its class does, in half the time."""

Place = int


class Scalar(NamedTuple):
    """A leaf, or a key. `is_plain`: without quotes, so that `80` may be a number.

    It ends as far behind its start as its text is long, and `extra`: quotes, escapes.
    """

    number: int
    is_plain: bool
    start: Place
    extra: Place


class Mapping(NamedTuple):
    """Values by their keys, and the keys with their places, in the same order."""

    entries: dict[str, Node]
    keys: dict[str, Scalar]
    start: Place
    end: Place


class Sequence(NamedTuple):
    items: list[Node]
    start: Place
    end: Place


Node = Scalar | Mapping | Sequence


class Document(NamedTuple):
    """A tree and its texts. `start`: the place of its first line in its file.

    If documents share the tree, text n is that of line n, and `known` is what was said
    of parts of them (`fields.Value.recall`).
    """

    file: str
    start: Place
    texts: abc.Sequence[str]
    root: Node
    known: dict[object, object] | None = None

    def text_of(self, scalar: Scalar) -> str:
        return self.texts[scalar.number]

    def span_of(self, node: Node) -> Span:
        file, first, texts, _, _ = self
        start = first + node.start
        if isinstance(node, Scalar):
            end = start + len(texts[node.number]) + node.extra
        else:
            end = first + node.end
        return span_of(file, start, end)


def span_of(file: str, start: Place, end: Place) -> Span:
    """Make a span from two places."""
    return _new(Span, (file, _position(start), _position(end)))


@lru_cache(1 << 14)
def _position(place: Place) -> Position:
    """Most files have the same places."""
    return Position(*divmod(place, LINE))

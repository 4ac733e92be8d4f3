"""Trees with their texts in them, to compare and to look at."""

from __future__ import annotations

from generator.policy.nodes import Document, Mapping, Node, Scalar, Sequence
from generator.source import Span

Plain = str | list["Plain"] | dict[str, "Plain"]

Placed = tuple[object, Span]
"""What a node is, and where: a text and whether it has no quotes, items, or entries."""


def plain(document: Document, node: Node | None = None) -> Plain:
    """Return the texts of a tree."""
    match document.root if node is None else node:
        case Scalar() as scalar:
            return document.text_of(scalar)
        case Sequence(items):
            return [plain(document, item) for item in items]
        case Mapping(entries):
            return {name: plain(document, value) for name, value in entries.items()}


def placed(document: Document, node: Node | None = None) -> Placed:
    """Return all that there is to say of a tree."""
    match document.root if node is None else node:
        case Scalar(_, is_plain) as scalar:
            found: object = document.text_of(scalar), is_plain
        case Sequence(items):
            found = [placed(document, item) for item in items]
        case Mapping(entries, keys):
            assert list(entries) == list(keys)
            found = [
                (placed(document, keys[name]), placed(document, value))
                for name, value in entries.items()
            ]
    return found, document.span_of(document.root if node is None else node)

"""What is wrong with a text that is no YAML, and where. Part of `yaml_tree`.

libyaml's errors in our words. Too much depth is told apart from other faults by
counting, not by libyaml's words: versions differ in whether they have a limit, and in
what they say.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import yaml

from generator.errors import PolicyError, ToolError
from generator.source import Position, SourceFile, Span

MAX_DEPTH: Final = 100
"""Kubernetes objects nest about 20 deep; 100 stops hostile input early."""


def not_yaml(
    source: SourceFile,
    text: str,
    error: yaml.MarkedYAMLError,
    loader: type[yaml.SafeLoader],
) -> ToolError:
    """Return INP0003, or INP0006 if the text before the error is nested too deeply."""
    mark = error.problem_mark
    place = _too_deep_at(text[: mark.index], loader) if mark else None
    if place is not None:
        return too_deep(_character(source, place))
    if mark is None or mark.line >= len(source.lines):
        mark = error.context_mark or mark
    place = Position(mark.line, mark.column) if mark else Position(0, 0)
    problem = error.problem or error.context or "cannot be read"
    return PolicyError.of("INP0003", f"not YAML: {problem}", _character(source, place))


def _too_deep_at(text: str, loader: type[yaml.SafeLoader]) -> Position | None:
    """Return where a text that libyaml can read, or the start of one, is too deep.

    Its scanner looks ahead, to see whether a bracket opens a key, before it gives the
    first event; with a limit of its own, it then gives none of the whole text.
    """
    depth = 0
    with suppress(yaml.YAMLError):
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH and event.start_mark is not None:
                return Position(event.start_mark.line, event.start_mark.column)
    return None


def too_deep(span: Span) -> ToolError:
    return PolicyError.of("INP0006", f"nested more than {MAX_DEPTH} deep", span)


def bad_character(source: SourceFile, error: yaml.reader.ReaderError) -> ToolError:
    """Return INP0003 for a character that no YAML has."""
    offset = error.position if isinstance(error.position, int) else 0
    before = source.text[:offset]
    line = before.count("\n")
    column = len(before) - (before.rfind("\n") + 1)
    place = Position(line, column)
    return PolicyError.of(
        "INP0003", f"not YAML: {error.reason}", _character(source, place)
    )


def _character(source: SourceFile, place: Position) -> Span:
    return source.span(place, Position(place.line, place.column + 1))

"""Read a YAML file of a fixed shape, with a place for every complaint.

Where in the pipeline: under `lockfile` and `masterkeys`, whose files only pepmesh
writes. So it is strict: unknown and repeated keys, missing keys and wrong types are
errors. Manifests, which people write, are read elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import Final

import yaml

from generator.errors import OverlayError, ToolError
from generator.overlay.row_lines import compose_rows
from generator.source import Position, SourceFile, Span

API_VERSION: Final = "pepmesh.dev/v1"

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_CONFLICT: Final = re.compile(r"^(<<<<<<<|=======|>>>>>>>)( |$)", re.MULTILINE)
_TAG: Final = "tag:yaml.org,2002:"
_MAX_DEPTH: Final = 20  # ours is 4; libyaml overflows its stack at some 100,000


class Fields:
    """The fields of one mapping. `finish` refuses those that nobody asked for."""

    def __init__(self, source: SourceFile, node: yaml.Node, what: str) -> None:
        self._source = source
        self._what = what
        self.span = span_of(source, node)
        if not isinstance(node, yaml.MappingNode):
            raise OverlayError.of("OVL0011", f"{what} must be a mapping", self.span)
        self._nodes: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            name = self._scalar(key, "str", "a key")
            if name in self._nodes:
                raise self._error(f'key "{name}" is repeated', key)
            self._nodes[name] = key, value

    def span_of(self, name: str) -> Span:
        """Return where the value of a field is, or the mapping if it is absent."""
        if name not in self._nodes:
            return self.span
        return span_of(self._source, self._nodes[name][1])

    def finish(self, known: Collection[str]) -> None:
        """Refuse every field that is not known."""
        for name, (key, _) in self._nodes.items():
            if name not in known:
                raise self._error(f'{self._what} has no field "{name}"', key)

    def text(self, name: str, default: str | None = None) -> str:
        if default is not None and name not in self._nodes:
            return default
        return self._scalar(self._value(name), "str", f'"{name}"')

    def flag(self, name: str) -> bool:
        """Return a truth value; an absent one is false."""
        if name not in self._nodes:
            return False
        node = self._value(name)
        text = self._scalar(node, "bool", f'"{name}"')
        if text not in ("true", "false"):
            raise self._error(f'"{name}" must be true or false', node)
        return text == "true"

    def number(self, name: str, last: int) -> int:
        """Return a decimal number from 1 to `last`."""
        node = self._value(name)
        text = self._scalar(node, "int", f'"{name}"')
        if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= last:
            raise self._error(f'"{name}" must be a number from 1 to {last}', node)
        return int(text)

    def mapping(self, name: str) -> Fields:
        return Fields(self._source, self._value(name), f'"{name}"')

    def rows(self, name: str) -> Iterator[Fields]:
        """Yield the mappings of a list."""
        for item in self._items(name):
            yield Fields(self._source, item, f'a row of "{name}"')

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of a list."""
        what = f'an entry of "{name}"'
        return tuple(self._scalar(item, "str", what) for item in self._items(name))

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return all fields as texts, sorted by key."""
        return tuple((name, self.text(name)) for name in sorted(self._nodes))

    def _items(self, name: str) -> Iterable[yaml.Node]:
        node = self._value(name)
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(f'"{name}" must be a list', node)
        items: Iterable[yaml.Node] = node.value
        return items

    def _value(self, name: str) -> yaml.Node:
        if name not in self._nodes:
            message = f'{self._what} lacks "{name}"'
            raise OverlayError.of("OVL0011", message, self.span)
        return self._nodes[name][1]

    def _scalar(self, node: yaml.Node, kind: str, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag != _TAG + kind:
            names = {"str": "text", "int": "a number", "bool": "true or false"}
            hint = "put it in quotes" if kind == "str" else ""
            raise self._error(f"{what} must be {names[kind]}", node, hint)
        value: str = node.value
        return value

    def _error(self, message: str, node: yaml.Node, hint: str = "") -> ToolError:
        span = span_of(self._source, node)
        return OverlayError.of("OVL0011", message, span, hint)


def read_document(source: SourceFile, kind: str) -> Fields:
    """Read the one document of a file and check its apiVersion and kind.

    Raises: OverlayError OVL0010 not YAML, OVL0011 wrong shape, OVL0016 conflict
    markers, OVL0017 another version or kind.
    """
    conflict = _CONFLICT.search(source.text)
    if conflict:
        line = source.text.count("\n", 0, conflict.start())
        span = _point(source, line, 0)
        raise OverlayError.of("OVL0016", "the file has conflict markers", span)
    fields = Fields(source, _compose(source), "the file")
    for name, expected in (("apiVersion", API_VERSION), ("kind", kind)):
        found = fields.text(name)
        if found != expected:
            message = f'{name} is "{found}", not "{expected}"'
            raise OverlayError.of("OVL0017", message, fields.span_of(name))
    return fields


def span_of(source: SourceFile, node: yaml.Node) -> Span:
    """Return where a node is, cut at the end of its first line."""
    start = Position(node.start_mark.line, node.start_mark.column)
    end = Position(node.end_mark.line, node.end_mark.column)
    if end.line > start.line:
        end = Position(start.line, max(start.column + 1, len(source.line(start.line))))
    return source.span(start, end)


def _compose(source: SourceFile) -> yaml.Node:
    try:
        node = compose_rows(source.text, partial(_compose_text, source))
        node = node or _compose_text(source, source.text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        span = _point(source, mark.line, mark.column) if mark else None
        message = f"not YAML: {error.problem or error.context}"
        raise OverlayError.of("OVL0010", message, span) from None
    except yaml.YAMLError as error:
        message = f"not YAML: {str(error).splitlines()[0]}"
        raise OverlayError.of("OVL0010", message, _point(source, 0, 0)) from None
    if node is None:
        raise OverlayError.of("OVL0011", "the file is empty", _point(source, 0, 0))
    return node


def _compose_text(source: SourceFile, text: str) -> yaml.Node | None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            message = "not the YAML that pepmesh writes: nested too deeply"
            mark = event.start_mark
            span = _point(source, mark.line, mark.column) if mark else None
            raise OverlayError.of("OVL0010", message, span)
    return yaml.compose(text, Loader=_LOADER)


def _point(source: SourceFile, line: int, column: int) -> Span:
    last = max(0, len(source.lines) - 1)
    if line > last:  # YAML's end of file is a line of its own
        line, column = last, len(source.line(last))
    return source.span(Position(line, column), Position(line, column + 1))

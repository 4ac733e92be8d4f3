"""YAML and JSON text to trees whose every node knows its place.

First step of reading manifests: `SourceFile -> one tree per document`. Works on
libyaml's events rather than PyYAML's composer: scalars are classified only when
somebody reads them, which halves the time of a large load, and nesting has a limit
instead of a crash.

Guarantees: keys of a mapping are scalars and unique; aliases are shared nodes and
never cycles; merge keys (`<<`) are resolved, explicit keys win; empty documents are
left out. Plain scalars stay text: `scalars.py` knows what `yes` or `010` mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NoReturn, Protocol

import yaml

from generator.errors import Note, PolicyError, ToolError
from generator.policy.findings import Findings
from generator.policy.nodes import (
    LINE,
    Document,
    Mapping,
    Node,
    Place,
    Scalar,
    Sequence,
    span_of,
)
from generator.policy.plain_lines import read_plain
from generator.policy.yaml_errors import MAX_DEPTH, bad_character, not_yaml, too_deep
from generator.source import SourceFile, Span

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE: Final = "tag:yaml.org,2002:"
_TEXT_TAGS: Final = frozenset({"!", _CORE + "str"})
_PLAIN_TAGS: Final = frozenset(
    _CORE + name for name in ("int", "bool", "null", "float")
)
_COLLECTION_TAGS: Final = frozenset({"!", _CORE + "map", _CORE + "seq"})
_SURROGATES: Final = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)


_OTHER_BREAKS: Final = ("\r", "\x85", "\u2028", "\u2029")
"""Line ends of YAML that are not counted here."""


class Mark(Protocol):
    """A place as libyaml gives it: line and column from 0, in characters."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class Event(Protocol):
    """What the events of a tree have; which of it depends on the event's class."""

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: str | None
    value: str
    implicit: tuple[bool, bool]


def read_documents(source: SourceFile, findings: Findings) -> Iterator[Document]:
    """Yield every document that is not empty.

    Duplicate keys are added to `findings` and reading goes on.
    Raises: PolicyError INP0003 where the text stops being YAML, INP0006 if it is
    nested too deeply, INP0007 for tags and aliases that no manifest needs.
    """
    text = _in_yaml_escapes(source.text)
    try:
        for start, document in _split(text):
            plain = read_plain(source.name, start, document)
            if plain is not None:
                yield plain
            else:
                yield from _read_events(document, start, source.name, findings)
    except yaml.YAMLError:
        raise _refusal(source, text) from None


def _split(text: str) -> Iterator[tuple[Place, str]]:
    """Yield the documents of a text, with their places.

    A line of three dashes ends a document wherever it stands; only directives have to
    do with what comes after them. Some of what is yielded may be several documents.
    """
    if text.startswith("%") or "\n%" in text or _has_other_breaks(text):
        yield 0, text
        return
    start = 0
    *documents, last = text.removeprefix("---\n").split("\n---\n")
    start = LINE if text.startswith("---\n") else 0
    for document in documents:
        # With its line end, so that what ends here ends where the next one starts.
        yield start, document + "\n"
        start += (document.count("\n") + 2) * LINE
    yield start, last


def _has_other_breaks(text: str) -> bool:
    return any(line_end in text for line_end in _OTHER_BREAKS)


def _read_events(
    text: str, start: Place, file: str, findings: Findings
) -> Iterator[Document]:
    loader = _LOADER(text)
    try:
        yield from _Builder(file, start, findings).documents(loader.get_event)
    finally:
        loader.dispose()


def _refusal(source: SourceFile, text: str) -> ToolError:
    """Say why a text is no YAML: the whole text, so that words and places fit."""
    try:
        for _ in yaml.parse(text, Loader=_LOADER):
            pass
    except yaml.MarkedYAMLError as error:
        return not_yaml(source, text, error, _LOADER)
    except yaml.reader.ReaderError as error:
        return bad_character(source, error)
    raise AssertionError("a document is no YAML, but all of them are")


def _in_yaml_escapes(text: str) -> str:
    return _SURROGATES.sub(_join_surrogates, text) if "\\u" in text else text


def _join_surrogates(match: re.Match[str]) -> str:
    """Rewrite JSON's escape of a character beyond U+FFFF, which YAML lacks."""
    high, low = int(match[2], 16), int(match[3], 16)
    code_point = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
    return f"{match[1]}\\U{code_point:08x}"


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet: a mapping if there are no `items`."""

    start: Place
    anchor: str | None
    items: list[Node] | None
    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Scalar] = field(default_factory=dict)
    key: Scalar | None = None
    merges: list[Node] | None = None


class _Builder:
    """Turns the events of one file into trees, without recursion."""

    def __init__(self, file: str, start: Place, findings: Findings) -> None:
        self._file = file
        self._first = start
        self._findings = findings
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._texts: list[str] = []
        self._root: Node | None = None

    def documents(self, next_event: Callable[[], Event | None]) -> Iterator[Document]:
        """Yield every document that is not empty."""
        while (event := next_event()) is not None:
            kind: type = type(event)
            if kind is yaml.ScalarEvent:
                self._place(self._scalar(event))
            elif kind is yaml.MappingStartEvent:
                self._push(event, None)
            elif kind is yaml.SequenceStartEvent:
                self._push(event, [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._place(self._close(event))
            elif kind is yaml.AliasEvent:
                self._place(self._alias(event))
            elif kind is yaml.DocumentEndEvent:
                yield from self._finish_document()

    def _finish_document(self) -> Iterator[Document]:
        """Yield the document that just ended, unless it is empty."""
        root, self._root = self._root, None
        texts, self._texts = self._texts, []
        self._anchors = {}
        if isinstance(root, Scalar) and root.is_plain and texts == [""]:
            return
        if root is not None:
            yield Document(self._file, self._first, texts, root)

    def _scalar(self, event: Event) -> Scalar:
        is_plain = event.implicit[0]
        if event.tag is not None:
            is_plain = event.tag in _PLAIN_TAGS
            if not is_plain and event.tag not in _TEXT_TAGS:
                self._refuse(event, f"the tag {event.tag} has no meaning here")
        start, end = _places(event)
        number, text = len(self._texts), event.value
        self._texts.append(text)
        node = Scalar(number, is_plain, start, end - start - len(text))
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Event) -> Node:
        name = event.anchor or ""
        if name not in self._anchors:
            self._refuse(event, f"*{name} refers to no anchor before it")
        node = self._anchors[name]
        if node is None:
            self._refuse(event, f"*{name} refers to what contains it")
        return node

    def _push(self, event: Event, items: list[Node] | None) -> None:
        if event.tag is not None and event.tag not in _COLLECTION_TAGS:
            self._refuse(event, f"the tag {event.tag} has no meaning here")
        if len(self._open) == MAX_DEPTH:
            raise too_deep(self._span(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        start, _ = _places(event)
        self._open.append(_Open(start, event.anchor, items))

    def _close(self, event: Event) -> Node:
        done = self._open.pop()
        _, end = _places(event)
        node: Node
        if done.items is None:
            self._merge(done, done.merges or ())
            node = Mapping(done.entries, done.keys, done.start, end)
        else:
            node = Sequence(done.items, done.start, end)
        if done.anchor is not None:
            self._anchors[done.anchor] = node
        return node

    def _place(self, node: Node) -> None:
        """Put a finished node where it belongs: root, item, key or value."""
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if parent.items is not None:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = self._as_key(node)
        else:
            self._enter(parent, parent.key, node)
            parent.key = None

    def _as_key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        message = "a key must be text, not a mapping or a list"
        raise PolicyError.of("INP0003", f"not a manifest: {message}", self._at(node))

    def _enter(self, parent: _Open, key: Scalar, value: Node) -> None:
        name = self._texts[key.number]
        if name == "<<" and key.is_plain:
            parent.merges = [*(parent.merges or ()), value]
            return
        first = parent.keys.get(name)
        if first is None:
            parent.keys[name] = key
            parent.entries[name] = value
            return
        self._findings.add(
            "INP0004",
            f'the key "{name}" is there twice',
            self._at(key),
            notes=(Note("first here", self._at(first)),),
        )

    def _merge(self, into: _Open, merges: Iterable[Node]) -> None:
        """Add the entries of `<<` values that a mapping does not have itself."""
        for merged in merges:
            sources = merged.items if isinstance(merged, Sequence) else [merged]
            for source in sources:
                if not isinstance(source, Mapping):
                    message = "not YAML: << takes a mapping or a list of mappings"
                    raise PolicyError.of("INP0003", message, self._at(source))
                for name, value in source.entries.items():
                    into.entries.setdefault(name, value)
                    into.keys.setdefault(name, source.keys[name])

    def _refuse(self, event: Event, message: str) -> NoReturn:
        raise PolicyError.of("INP0007", message, self._span(event))

    def _at(self, node: Node) -> Span:
        """Return where a node of the document that is read now is."""
        return Document(self._file, self._first, self._texts, node).span_of(node)

    def _span(self, event: Event) -> Span:
        start, end = _places(event)
        return span_of(self._file, self._first + start, self._first + end)


def _places(event: Event) -> tuple[Place, Place]:
    start, end = event.start_mark, event.end_mark
    return start.line * LINE + start.column, end.line * LINE + end.column

"""Read the plain part of YAML by shapes of documents: most of most manifests.

Where in the pipeline: a short cut of `yaml_tree`, which reads events otherwise. It
takes documents of block mappings and lists whose every line is one of these, in ASCII
and with one space where there is one here:

    key:    key: plain text    key: "text"    key: 'text'    key: {}    key: []
    - key: ...                 - plain text   - "text"       # comment

A document with any other line, with a key that is there twice, or with indentation that
YAML does not allow: None, and libyaml says what it is. So nothing is refused here, and
what is taken gives the tree that libyaml's events give, places included.

A shape is a document with `x` for each of its texts:

    kind: Service                        kind: x
    metadata:                            metadata:
      name: "cart"      has the shape      name: 'x'      and the texts Service, cart

A mesh has many documents and few shapes. A shape is made a tree once, for all documents
that have it; and lines repeat too, so that a line is taken apart once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from sys import intern
from typing import Final, NamedTuple

from generator.policy.nodes import (
    LINE,
    Document,
    Mapping,
    Node,
    Place,
    Scalar,
    Sequence,
)
from generator.policy.yaml_errors import MAX_DEPTH

_WORD: Final = r"[A-Za-z0-9_./@=+,;(){}*%-]"
_PLAIN: Final = (
    # No indicator opens a plain text, and no ": " and no " #" is in it.
    rf"(?:[A-Za-z0-9_/.]|-(?=[A-Za-z0-9-])){_WORD}*(?:[: ]{_WORD}+)*"
)
_OTHER: Final = r"""\"[ !#-\[\]-~]*\"|'[ -&(-~]*'|\{\}|\[\]"""
_KEY: Final = r"[A-Za-z0-9_.][A-Za-z0-9_./-]{0,250}"
_LINE: Final = re.compile(
    rf"( *)(- )?(?:({_KEY}):(?: ({_PLAIN}|{_OTHER}))?|({_PLAIN}|{_OTHER}))"
    r"|[ ]*(?:#[ -~]*)?"
)

_new = tuple.__new__
"""Makes a named tuple as its class does, in half the time."""

# What is kept is bounded. A longer line is left to libyaml; the tree of a longer shape,
# of about 100 KB, is made for each document.
_LONGEST_LINE: Final = 2000
_LONGEST_SHAPE: Final = 500
_LINES_KEPT: Final = 1 << 15
_SHAPES_KEPT: Final = 1 << 10


class _NotPlain(Exception):
    """A line is none of the plain ones."""


def read_plain(file: str, start: Place, text: str) -> Document | None:
    """Read the document whose first line is at `start`."""
    try:
        forms, texts = zip(*map(_take_apart, text.split("\n")), strict=True)
    except _NotPlain:
        return None
    make_tree = _make_tree if len(forms) > _LONGEST_SHAPE else _known_tree
    tree = make_tree(forms)
    if tree is None:
        return None
    root, keys, known = tree
    return _new(Document, (file, start, texts + keys, root, known))


@lru_cache(_LINES_KEPT)
def _take_apart(line: str) -> tuple[str, str]:
    """Return the form of a line, which is a line with `x` for its text, and the text.

    Comments and empty lines differ only in what the end of a document depends on: the
    line behind the last line end is the only one whose form is empty.
    Raises: _NotPlain.
    """
    match = _LINE.fullmatch(line) if len(line) <= _LONGEST_LINE else None
    if match is None:
        raise _NotPlain
    _, _, name, value, item = match.groups("")
    text = value or item
    if not text:
        return intern(line if name else line[:1]), ""
    before = line[: -len(text)]
    match text[0]:
        case "{" | "[":
            return intern(line), ""
        case '"' | "'":
            return intern(f"{before}'x'"), text[1:-1]
        case _:
            return intern(f"{before}x"), text


@lru_cache(_LINES_KEPT)
def _parts(form: str) -> tuple[int, bool, str, str, str]:
    """Return column, whether it is an item, its key with its value, or its value."""
    match = _LINE.fullmatch(form)
    assert match, "what is no line has no form"
    spaces, dash, name, value, item = match.groups("")
    return len(spaces), bool(dash), name, value, item


class _Tree(NamedTuple):
    """What documents of a shape share. Their keys follow the texts of their lines."""

    root: Node
    keys: tuple[str, ...]
    known: dict[object, object]


def _make_tree(forms: tuple[str, ...]) -> _Tree | None:
    """Return the tree of a shape, or None if it is not plain YAML."""
    return _Reader(len(forms)).read(forms)


_known_tree = lru_cache(_SHAPES_KEPT)(_make_tree)


class _Open(NamedTuple):
    """A collection whose end has not come yet: a mapping if there are no `items`.

    `key` is what it is the value of, in the mapping around it.
    """

    column: int
    start: Place
    key: str
    items: list[Node] | None
    entries: dict[str, Node]
    keys: dict[str, Scalar]


class _Reader:
    """Holds the open collections of one shape, the innermost one last."""

    def __init__(self, lines: int) -> None:
        self.lines = lines
        self.keys: list[str] = []
        self.open: list[_Open] = []
        self.waiting = ""
        """A key of the innermost mapping whose value has not come yet."""

    def read(self, forms: tuple[str, ...]) -> _Tree | None:
        """Return the tree; None if this is not plain YAML, or has only comments."""
        for number, form in enumerate(forms):
            column, is_item, name, value, item = _parts(form)
            if not name and not item:
                continue
            here = number * LINE + column
            if not self._indent(column, is_item, here):
                return None
            if item:
                items = self.open[-1].items
                if items is None:
                    return None
                items.append(_leaf(item, number, here + 2))
            elif not self._enter(name, value, number, here + 2 * is_item):
                return None
        # What is open ends where the last line ends.
        return self._finish(LINE * (self.lines - (forms[-1] == "")))

    def _indent(self, column: int, is_item: bool, here: Place) -> bool:
        """Open or close collections, until a line of this column is in the last one.

        Tell false if none is right.
        """
        top = self.open[-1] if self.open else None
        if (
            top is None
            or column > top.column
            or (self.waiting and is_item and column == top.column)
        ):
            if not self.waiting and (top or column or is_item):
                return False
            if len(self.open) >= MAX_DEPTH - 1:
                return False
            self._begin(column, [] if is_item else None, here)
            return True
        self._end_waiting()
        while column < top.column or (top.items is not None and not is_item):
            self._close(here)
            top = self.open[-1]
        return column == top.column and is_item == (top.items is not None)

    def _enter(self, name: str, value: str, number: int, here: Place) -> bool:
        """Take a key. Tell false if it was there before."""
        top = self.open[-1]
        if top.items is not None:
            self._begin(here % LINE, None, here)
            top = self.open[-1]
        if name in top.keys:
            return False
        top.keys[name] = Scalar(self.lines + len(self.keys), True, here, 0)
        self.keys.append(name)
        if value:
            top.entries[name] = _leaf(value, number, here + len(name) + 2)
        else:
            self.waiting = name
        return True

    def _begin(self, column: int, items: list[Node] | None, start: Place) -> None:
        self.open.append(_Open(column, start, self.waiting, items, {}, {}))
        self.waiting = ""

    def _end_waiting(self) -> None:
        """Give a key with nothing behind its colon its value: null."""
        if self.waiting:
            top = self.open[-1]
            place = top.keys[self.waiting].start + len(self.waiting) + 1
            # The text of the key's own line is empty.
            top.entries[self.waiting] = Scalar(place // LINE, True, place, 0)
            self.waiting = ""

    def _close(self, end: Place) -> Node:
        """End the innermost collection and put it where it belongs."""
        _, start, key, items, entries, keys = self.open.pop()
        node: Node
        if items is None:
            node = Mapping(entries, keys, start, end)
        else:
            node = Sequence(items, start, end)
        if self.open:
            around = self.open[-1]
            if around.items is None:
                around.entries[key] = node
            else:
                around.items.append(node)
        return node

    def _finish(self, end: Place) -> _Tree | None:
        """End everything; there is no root if there was nothing but comments."""
        self._end_waiting()
        root: Node | None = None
        while self.open:
            root = self._close(end)
        return None if root is None else _Tree(root, tuple(self.keys), {})


def _leaf(form: str, number: int, start: Place) -> Node:
    """Return a value that is all on one line, by its form."""
    match form:
        case "{}":
            return Mapping({}, {}, start, start + len(form))
        case "[]":
            return Sequence([], start, start + len(form))
        case "x":
            return Scalar(number, True, start, 0)
        case _:
            return Scalar(number, False, start, len("''"))

"""Read the plain part of YAML line by line: most lines of most manifests.

Where in the pipeline: a short cut of `yaml_tree`, which reads events otherwise. It
takes documents of block mappings and lists whose every line is one of these, in ASCII
and with one space where there is one here:

    key:    key: plain text    key: "text"    key: 'text'    key: {}    key: []
    - key: ...                 - plain text   - "text"       # comment

A document with any other line, with a key that is there twice, or with indentation that
YAML does not allow: None, and libyaml says what it is. So nothing is refused here, and
what is taken gives the tree that libyaml's events give, places included.
"""

from __future__ import annotations

import re
from typing import Final

from generator.policy.nodes import LINE, Entry, Mapping, Node, Place, Scalar, Sequence
from generator.policy.yaml_errors import MAX_DEPTH

_WORD: Final = r"[A-Za-z0-9_./@=+,;(){}*%-]"
_PLAIN: Final = (
    # No indicator opens a plain text, and no ": " and no " #" is in it.
    rf"(?:[A-Za-z0-9_/.]|-(?=[A-Za-z0-9-])){_WORD}*(?:[: ]{_WORD}+)*"
)
_OTHER: Final = r"""\"[ !#-\[\]-~]*\"|'[ -&(-~]*'|\{\}|\[\]"""
_KEY: Final = r"[A-Za-z0-9_.][A-Za-z0-9_./-]{0,250}"
_LINE: Final = re.compile(
    rf"^( *)(?:(- )?(?:({_KEY}):(?: (?:({_PLAIN})|({_OTHER})))?|({_PLAIN}|{_OTHER}))"
    r"|#[ -~]*)?$",
    re.MULTILINE,
)
_Line = tuple[str, str, str, str, str, str]
"""Spaces, dash, key, its value if plain, its value if not, or text without a key."""

_new = tuple.__new__
"""Makes a node as its class does, in half the time."""


def read_plain(text: str, start: Place) -> Node | None:
    """Return the tree of one document; `start` is the place of its first line."""
    lines: list[_Line] = _LINE.findall(text)
    breaks = text.count("\n")
    if len(lines) != breaks + 1:
        return None
    end = start + (breaks if text.endswith("\n") else breaks + 1) * LINE
    return _Reader().read(lines, start, end)


_Open = tuple[
    int, "dict[str, Entry] | None", "list[Node] | None", Place, "Scalar | None"
]
"""A collection whose end has not come yet: its column, either its entries or its items,
where it starts, and the key in the mapping around it that it is the value of."""


class _Reader:
    """Holds the open collections of one document, the innermost one last."""

    def __init__(self) -> None:
        self.open: list[_Open] = []

    def read(self, lines: list[_Line], start: Place, end: Place) -> Node | None:
        """Return the root, or None if the lines are not plain YAML."""
        column = -1
        entries: dict[str, Entry] | None = None
        items: list[Node] | None = None
        waiting: Scalar | None = None  # a key whose value has not come yet
        place = start - LINE
        for spaces, dash, name, plain, other, text in lines:
            place += LINE
            if not name and not text:
                continue
            indent = len(spaces)
            here = place + indent
            if indent > column or (waiting and dash and indent == column):
                if waiting is None and (self.open or indent or dash):
                    return None
                if len(self.open) >= MAX_DEPTH - 1:
                    return None
                column, entries, items = indent, *((None, []) if dash else ({}, None))
                self.open.append((column, entries, items, here, waiting))
            else:
                if waiting and entries is not None:
                    entries[waiting.text] = _without_value(waiting)
                while indent < column or (items is not None and not dash):
                    self._close(here)
                    column, entries, items, _, _ = self.open[-1]
                if indent != column or (dash and items is None):
                    return None
            waiting = None
            if items is not None:
                if text:
                    items.append(_leaf(text, here + 2))
                    continue
                column, entries, items, here = indent + 2, {}, None, here + 2
                self.open.append((column, entries, items, here, None))
            if entries is None or not name or name in entries:
                return None
            after = here + len(name)
            key = _new(Scalar, (name, True, here, after))
            if plain:
                after += 2
                leaf = _new(Scalar, (plain, True, after, after + len(plain)))
                entries[name] = _new(Entry, (key, leaf))
            elif other:
                entries[name] = _new(Entry, (key, _leaf(other, after + 2)))
            else:
                waiting = key
        return self._finish(waiting, end)

    def _close(self, end: Place) -> Node:
        """End the innermost collection and put it where it belongs."""
        _, entries, items, start, key = self.open.pop()
        node: Node
        if entries is not None:
            node = _new(Mapping, (entries, start, end))
        else:
            node = _new(Sequence, (items, start, end))
        if self.open:
            _, outer, around, _, _ = self.open[-1]
            if around is not None:
                around.append(node)
            elif outer is not None and key is not None:
                outer[key.text] = _new(Entry, (key, node))
        return node

    def _finish(self, waiting: Scalar | None, end: Place) -> Node | None:
        """End everything; the root is None if there was nothing but comments."""
        root: Node | None = None
        if waiting is not None:
            _, entries, _, _, _ = self.open[-1]
            assert entries is not None, "a key is in a mapping"
            entries[waiting.text] = _without_value(waiting)
        while self.open:
            root = self._close(end)
        return root


def _without_value(key: Scalar) -> Entry:
    """A key with nothing behind its colon: null."""
    return Entry(key, Scalar("", True, key.end + 1, key.end + 1))


def _leaf(text: str, start: Place) -> Node:
    """Return a value that is all on one line."""
    end = start + len(text)
    match text[0]:
        case '"' | "'":
            return Scalar(text[1:-1], False, start, end)
        case "{":
            return Mapping({}, start, end)
        case "[":
            return Sequence([], start, end)
        case _:
            return Scalar(text, True, start, end)

"""Typed reading of a YAML tree: every value knows its place and its path.

Where in the pipeline: between `yaml_tree` and everything that knows a Kubernetes
kind. A field that is absent and a field that is null are the same thing, as they are
to the API server. A value of the wrong type is a located error, never a guess.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import NamedTuple

from generator.errors import PolicyError, ToolError
from generator.policy.findings import Findings
from generator.policy.nodes import Mapping, Node, Scalar, Sequence, span_of
from generator.policy.scalars import DECIMAL, NULL, TRUE, ScalarKind, classify
from generator.source import Span

_new = tuple.__new__
"""Makes a value as its class does, in half the time."""


class Value(NamedTuple):
    """A node of a file, and the path that leads to it from its document's root."""

    node: Node
    file: str
    path: str

    @property
    def span(self) -> Span:
        return span_of(self.file, self.node.start, self.node.end)

    @property
    def is_number(self) -> bool:
        return self._scalar_kind() == "number"

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, Sequence)

    def error(self, code: str, message: str, hint: str = "") -> ToolError:
        """Make an error that points here."""
        text = f"{self.path}: {message}" if self.path else message
        return PolicyError.of(code, text, self.first_line, hint)

    def text(self) -> str:
        """Return a text. A number or a boolean without quotes is not one."""
        node = self.node
        if type(node) is Scalar and (
            not node.is_plain or classify(node.text) == "text"
        ):
            return node.text
        kind = self._scalar_kind()
        if isinstance(self.node, Scalar) and kind != "null":
            shown = f"{kind} {self.node.text}"
            hint = f'write "{self.node.text}" in quotes'
            raise self.error("INP0005", f"expected text, found the {shown}", hint)
        raise self._unlike("text")

    def integer(self) -> int:
        """Return a whole number, written in decimal and without quotes."""
        if isinstance(self.node, Scalar) and self.is_number:
            if DECIMAL.fullmatch(self.node.text):
                return int(self.node.text)
            message = f"expected a whole number, found {self.node.text}"
            hint = "write it in decimal, without leading zeros"
            raise self.error("INP0005", message, hint)
        raise self._unlike("a whole number")

    def boolean(self) -> bool:
        """Return true or false."""
        if isinstance(self.node, Scalar) and self._scalar_kind() == "boolean":
            return self.node.text in TRUE
        raise self._unlike("true or false")

    def items(self) -> list[Value]:
        """Return the items of a list."""
        node, file, path = self
        if not isinstance(node, Sequence):
            raise self._unlike("a list")
        return [
            _new(Value, (item, file, f"{path}[{number}]"))
            for number, item in enumerate(node.items)
        ]

    def get(self, name: str) -> Value | None:
        """Return a field of a mapping, or None if it is absent or null."""
        found, file, path = self
        if type(found) is not Mapping:
            raise self._unlike("a mapping")
        entry = found.entries.get(name)
        if entry is None:
            return None
        node = entry.value
        if type(node) is Scalar and node.is_plain and node.text in NULL:
            return None
        return _new(Value, (node, file, f"{path}.{name}" if path else name))

    def require(self, name: str) -> Value:
        """Return a field that must be there and not null."""
        value = self.get(name)
        if value is None:
            message = f"{self._path_of(name)} is missing"
            raise PolicyError.of("INP0008", message, self.first_line)
        return value

    def items_of(self, name: str) -> list[Value]:
        """Return the items of a list field; an absent one has none."""
        value = self.get(name)
        return [] if value is None else value.items()

    def text_of(self, name: str, default: str = "") -> str:
        """Return a text field; absent and empty give the default."""
        value = self.get(name)
        return default if value is None else value.text() or default

    def pairs(self) -> Iterator[tuple[Value, Value]]:
        """Yield keys and values of a mapping whose keys people choose."""
        for name, entry in self._mapping().entries.items():
            yield (
                Value(entry.key, self.file, self.path),
                Value(entry.value, self.file, f"{self.path}[{name}]"),
            )

    def refuse_unknown(self, known: Collection[str], findings: Findings) -> None:
        """Report every field that is not known.

        Fail closed: a misspelt `podSelector` would otherwise select everything.
        """
        for name, entry in self._mapping().entries.items():
            if name in known:
                continue
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f'did you mean "{close[0]}"?' if close else ""
            where = span_of(self.file, entry.key.start, entry.key.end)
            message = f'unknown field "{name}" in {self.path or "the document"}'
            findings.add("POL0001", message, where, hint)

    @property
    def first_line(self) -> Span:
        """The place where a mapping or list starts: its first key or item."""
        if isinstance(self.node, Mapping) and self.node.entries:
            entry = next(iter(self.node.entries.values()))
            return span_of(self.file, entry.key.start, entry.key.end)
        return self.span

    def _path_of(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _mapping(self) -> Mapping:
        if not isinstance(self.node, Mapping):
            raise self._unlike("a mapping")
        return self.node

    def _scalar_kind(self) -> ScalarKind | None:
        if not isinstance(self.node, Scalar):
            return None
        return classify(self.node.text) if self.node.is_plain else "text"

    def _unlike(self, wanted: str) -> ToolError:
        match self.node:
            case Mapping():
                found = "a mapping"
            case Sequence():
                found = "a list"
            case Scalar():
                kind = self._scalar_kind()
                found = "null" if kind == "null" else f"the {kind} {self.node.text!r}"
        return self.error("INP0005", f"expected {wanted}, found {found}")

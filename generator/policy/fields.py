"""Typed reading of a YAML tree: every value knows its place and its path.

Where in the pipeline: between `yaml_tree` and everything that knows a Kubernetes
kind. A field that is absent and a field that is null are the same thing, as they are
to the API server. A value of the wrong type is a located error, never a guess.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar, cast

from generator.errors import PolicyError, ToolError
from generator.policy.findings import Findings
from generator.policy.nodes import LINE, Document, Mapping, Node, Scalar, Sequence
from generator.policy.scalars import DECIMAL, NULL, TRUE, ScalarKind, classify
from generator.source import Span

_new = tuple.__new__
"""Makes a value as its class does, in half the time."""

_MOST_KNOWN: Final = 1 << 12
"""How many parts of documents of one shape are remembered."""

_kind_of: Final = lru_cache(1 << 14)(classify)
"""Texts repeat."""


@lru_cache(1 << 14)
def _decimal(text: str) -> int | None:
    return int(text) if DECIMAL.fullmatch(text) else None


T = TypeVar("T")


class Value(NamedTuple):
    """A node of a document, and how it was found: in which value, by which step.

    A step is the name of a field, the number of an item, or empty: from a mapping to
    one of its keys, and from a key to what it stands for.
    """

    node: Node
    document: Document
    around: Value | None = None
    step: str | int = ""

    @classmethod
    def of(cls, document: Document) -> Value:
        """Return the root of a document."""
        return _new(Value, (document.root, document, None, ""))

    @property
    def path(self) -> str:
        """The way from the root; a key has the path of its mapping."""
        if self.around is None:
            return ""
        before = self.around.path
        if isinstance(self.step, int):
            return f"{before}[{self.step}]"
        if self.step:
            return f"{before}.{self.step}" if before else self.step
        key = self.around.literal
        return before if key is None else f"{before}[{key}]"

    @property
    def span(self) -> Span:
        return self.document.span_of(self.node)

    @property
    def is_number(self) -> bool:
        return self._scalar_kind() == "number"

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, Sequence)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, Mapping)

    @property
    def literal(self) -> str | None:
        """The text of a scalar, whatever it stands for; None if it is none."""
        node = self.node
        return self.document.text_of(node) if isinstance(node, Scalar) else None

    def error(self, code: str, message: str, hint: str = "") -> ToolError:
        """Make an error that points here."""
        text = f"{self.path}: {message}" if self.path else message
        return PolicyError.of(code, text, self.first_line, hint)

    def text(self) -> str:
        """Return a text. A number or a boolean without quotes is not one."""
        node = self.node
        if type(node) is Scalar:
            text = self.document.texts[node.number]
            if not node.is_plain or _kind_of(text) == "text":
                return text
        kind, shown = self._scalar_kind(), self.literal
        if shown is not None and kind != "null":
            hint = f'write "{shown}" in quotes'
            raise self.error(
                "INP0005", f"expected text, found the {kind} {shown}", hint
            )
        raise self._unlike("text")

    def integer(self) -> int:
        """Return a whole number, written in decimal and without quotes."""
        node = self.node
        if type(node) is Scalar and node.is_plain:
            text = self.document.texts[node.number]
            number = _decimal(text)
            if number is not None:
                return number
            if _kind_of(text) != "number":
                raise self._unlike("a whole number")
            message = f"expected a whole number, found {text}"
            hint = "write it in decimal, without leading zeros"
            raise self.error("INP0005", message, hint)
        raise self._unlike("a whole number")

    def boolean(self) -> bool:
        """Return true or false."""
        node = self.node
        if type(node) is Scalar and self._scalar_kind() == "boolean":
            return self.document.text_of(node) in TRUE
        raise self._unlike("true or false")

    def items(self) -> list[Value]:
        """Return the items of a list."""
        node, document, _, _ = self
        if not isinstance(node, Sequence):
            raise self._unlike("a list")
        return [
            _new(Value, (item, document, self, number))
            for number, item in enumerate(node.items)
        ]

    def get(self, name: str) -> Value | None:
        """Return a field of a mapping, or None if it is absent or null."""
        mapping, document, _, _ = self
        if type(mapping) is not Mapping:
            raise self._unlike("a mapping")
        node = mapping.entries.get(name)
        if node is None or (
            type(node) is Scalar
            and node.is_plain
            and document.texts[node.number] in NULL
        ):
            return None
        return _new(Value, (node, document, self, name))

    def require(self, name: str) -> Value:
        """Return a field that must be there and not null."""
        value = self.get(name)
        if value is None:
            missing = Value(self.node, self.document, self, name)
            message = f"{missing.path} is missing"
            raise PolicyError.of("INP0008", message, self.first_line)
        return value

    def items_of(self, name: str) -> list[Value]:
        """Return the items of a list field; an absent one has none."""
        value = self.get(name)
        return [] if value is None else value.items()

    def text_of(self, name: str, default: str = "") -> str:
        """Return a text field; absent and empty give the default."""
        mapping, document, _, _ = self
        if type(mapping) is Mapping:
            # What nearly all fields are, without a value for them.
            node = mapping.entries.get(name)
            if node is None:
                return default
            if type(node) is Scalar:
                text = document.texts[node.number]
                if not node.is_plain or _kind_of(text) == "text":
                    return text or default
        value = self.get(name)
        return default if value is None else value.text() or default

    def recall(self, read: Callable[[Value], T]) -> T:
        """Return what `read` says of a collection, or said of an equal one before.

        Equal: in a document of the same shape, at the same place, with the same texts.
        So `read` must be a function whose result has no places in it, and depends on
        nothing around the collection; nobody may change its result.
        """
        node, document, _, _ = self
        known = document.known
        if known is None or isinstance(node, Scalar):
            return read(self)
        texts = document.texts[node.start // LINE : node.end // LINE]
        found = known.get((read, node.start, texts))
        if found is None:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            found = known[read, node.start, texts] = read(self)
        return cast(T, found)

    def span_of_key(self, name: str) -> Span:
        return self.document.span_of(self._mapping().keys[name])

    def names(self) -> AbstractSet[str]:
        """Return the keys of a mapping, whatever they stand for."""
        return self._mapping().entries.keys()

    def pairs(self) -> Iterator[tuple[Value, Value]]:
        """Yield keys and values of a mapping whose keys people choose."""
        _, document, _, _ = self
        entries, keys, _, _ = self._mapping()
        for name, node in entries.items():
            key = _new(Value, (keys[name], document, self, ""))
            yield key, _new(Value, (node, document, key, ""))

    def refuse_unknown(self, known: Collection[str], findings: Findings) -> None:
        """Report every field that is not known.

        Fail closed: a misspelt `podSelector` would otherwise select everything.
        """
        entries = self._mapping().entries
        if all(map(known.__contains__, entries)):
            return
        for name in entries:
            if name in known:
                continue
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f'did you mean "{close[0]}"?' if close else ""
            where = self.span_of_key(name)
            message = f'unknown field "{name}" in {self.path or "the document"}'
            findings.add("POL0001", message, where, hint)

    @property
    def first_line(self) -> Span:
        """The place where a mapping or list starts: its first key or item."""
        node = self.node
        if type(node) is Mapping:
            for key in node.keys.values():
                return self.document.span_of(key)
        return self.span

    def _mapping(self) -> Mapping:
        if not isinstance(self.node, Mapping):
            raise self._unlike("a mapping")
        return self.node

    def _scalar_kind(self) -> ScalarKind | None:
        if not isinstance(self.node, Scalar):
            return None
        return (
            _kind_of(self.document.text_of(self.node)) if self.node.is_plain else "text"
        )

    def _unlike(self, wanted: str) -> ToolError:
        match self.node:
            case Mapping():
                found = "a mapping"
            case Sequence():
                found = "a list"
            case Scalar():
                kind = self._scalar_kind()
                found = "null" if kind == "null" else f"the {kind} {self.literal!r}"
        return self.error("INP0005", f"expected {wanted}, found {found}")

"""Split files into Kubernetes objects: the kind, the name, where they are.

Where in the pipeline: `SourceFile -> trees -> manifests -> model`. Lists (`List` and
`...List`, also within each other) are opened; an item without a kind takes it from
its list, as the API's own lists leave it out. Nothing here knows what a kind means.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.labels import read_namespace_name, read_object_name
from generator.policy.yaml_tree import read_documents
from generator.source import SourceFile, Span


class Manifest(NamedTuple):
    """One object, whatever its kind."""

    api_version: str
    kind: str
    body: Value
    given_metadata: Value | None

    @property
    def span(self) -> Span:
        """Where the name is, or the start of an object without a name."""
        metadata = self.given_metadata
        name = metadata.get("name") if metadata else None
        return name.span if name else self.body.first_line

    @property
    def metadata(self) -> Value:
        """Return the metadata, which must be there."""
        return self.given_metadata or self.body.require("metadata")

    def name(self) -> str:
        return read_object_name(self.metadata.require("name"))

    def namespace(self, default: str) -> str:
        """Return the namespace; an object without one is in the default one."""
        value = self.metadata.get("namespace")
        if value is None or value.literal == "":
            return default
        return read_namespace_name(value)


def read_manifests(source: SourceFile, findings: Findings) -> Iterator[Manifest]:
    """Yield the objects of one file; objects that are none go into `findings`."""
    with findings.collect():
        for document in read_documents(source, findings):
            yield from _open(Value.of(document), _NO_LIST, set(), findings)


class _List(NamedTuple):
    """What a list says of an item that does not say it itself."""

    kind: str
    api_version: str


_NO_LIST: Final = _List("", "")


def _open(
    value: Value, around: _List, opened: set[int], findings: Findings
) -> Iterator[Manifest]:
    """Yield an object, or the objects of a list.

    `opened` holds the items already seen: an alias repeats nothing, so that a small
    file cannot stand for a huge one.
    """
    with findings.collect():
        kind = value.text_of("kind", around.kind)
        api_version = value.text_of("apiVersion", around.api_version)
        items = value.get("items") if kind.endswith("List") else None
        if items is None:
            yield _manifest(value, kind, api_version)
            return
        kind = kind.removesuffix("List")
        inner = _List(kind, api_version if kind else around.api_version)
        for item in items.items():
            if id(item.node) not in opened:
                opened.add(id(item.node))
                yield from _open(item, inner, opened, findings)


def _manifest(value: Value, kind: str, api_version: str) -> Manifest:
    if not kind or not api_version:
        name = "apiVersion" if kind else "kind"
        message = f"not a Kubernetes object: it has no {name}"
        raise value.error("INP0011", message)
    return Manifest(api_version, kind, value, value.get("metadata"))

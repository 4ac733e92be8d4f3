"""Split files into Kubernetes objects: the kind, the name, where they are.

Where in the pipeline: `SourceFile -> trees -> manifests -> model`. Lists (`List` and
`...List`, also within each other) are opened; an item without a kind takes it from
its list, as the API's own lists leave it out. Nothing here knows what a kind means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.labels import read_namespace_name, read_object_name
from generator.policy.yaml_tree import read_documents
from generator.source import SourceFile, Span


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object, whatever its kind."""

    api_version: str
    kind: str
    body: Value

    @property
    def span(self) -> Span:
        """Where the name is, or the start of an object without a name."""
        metadata = self.body.get("metadata")
        name = metadata.get("name") if metadata else None
        return name.span if name else self.body.first_line

    @property
    def metadata(self) -> Value:
        return self.body.require("metadata")

    def name(self) -> str:
        return read_object_name(self.metadata.require("name"))

    def namespace(self, default: str) -> str:
        """Return the namespace; an object without one is in the default one."""
        value = self.metadata.get("namespace")
        if value is None or value.text() == "":
            return default
        return read_namespace_name(value)


def read_manifests(source: SourceFile, findings: Findings) -> Iterator[Manifest]:
    """Yield the objects of one file; objects that are none go into `findings`."""
    opened: set[int] = set()
    with findings.collect():
        for node in read_documents(source, findings):
            value = Value(node, source.name, "")
            yield from _open(_Found(value, "", ""), opened, findings)
            opened.clear()


@dataclass(frozen=True, slots=True)
class _Found:
    """Something that should be an object, and what its list says it is."""

    value: Value
    kind: str
    api_version: str


def _open(found: _Found, opened: set[int], findings: Findings) -> Iterator[Manifest]:
    """Yield an object, or the objects of a list.

    `opened` holds the lists and items already seen: an alias repeats nothing, so
    that a small file cannot stand for a huge one.
    """
    if id(found.value.node) in opened:
        return
    opened.add(id(found.value.node))
    with findings.collect():
        kind = found.value.text_of("kind", found.kind)
        api_version = found.value.text_of("apiVersion", found.api_version)
        items = found.value.get("items")
        if kind.endswith("List") and items is not None:
            inner = replace(found, kind=kind.removesuffix("List"))
            if inner.kind:
                inner = replace(inner, api_version=api_version)
            for item in items.items():
                yield from _open(replace(inner, value=item), opened, findings)
            return
        yield _manifest(found.value, kind, api_version)


def _manifest(value: Value, kind: str, api_version: str) -> Manifest:
    for name, text in (("kind", kind), ("apiVersion", api_version)):
        if not text:
            message = f"not a Kubernetes object: it has no {name}"
            raise value.error("INP0011", message)
    return Manifest(api_version, kind, value)

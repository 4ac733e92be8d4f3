"""Which Kubernetes object stands at a place: for suppressions, and for readers.

Files are read again, only those that somebody asks about, and only once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from generator.errors import PolicyError
from generator.policy.dialects import DIALECTS
from generator.policy.documents import Manifest, read_manifests
from generator.policy.findings import Findings
from generator.policy.load import DEFAULT_NAMESPACE
from generator.source import Position, SourceFile, Span

_CLUSTER_WIDE: Final = frozenset({"Namespace", "Node", *DIALECTS})


@dataclass(frozen=True, slots=True)
class ObjectName:
    """An object as people write it: `NetworkPolicy shop/cart`."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        prefix = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {prefix}{self.name}"


@dataclass
class Objects:
    """Finds the object at a place in some texts."""

    sources: Mapping[str, SourceFile]
    _known: dict[str, list[tuple[Position, Position, ObjectName]]] = field(
        default_factory=dict
    )

    def at(self, span: Span | None) -> ObjectName | None:
        """Return the object that holds the start of a span."""
        if span is None or span.file not in self.sources:
            return None
        if span.file not in self._known:
            self._known[span.file] = list(_extents(self.sources[span.file]))
        for start, end, name in self._known[span.file]:
            if start <= span.start < end:
                return name
        return None


def _extents(source: SourceFile) -> Iterator[tuple[Position, Position, ObjectName]]:
    for manifest in read_manifests(source, Findings()):
        span = manifest.body.span
        yield span.start, span.end, _name_of(manifest)


def _name_of(manifest: Manifest) -> ObjectName:
    """Return what an object is called; faults in it were reported already."""
    try:
        name = manifest.name()
    except PolicyError:
        name = ""
    if manifest.kind in _CLUSTER_WIDE:
        return ObjectName(manifest.kind, "", name)
    try:
        namespace = manifest.namespace(DEFAULT_NAMESPACE)
    except PolicyError:
        namespace = ""
    return ObjectName(manifest.kind, namespace, name)

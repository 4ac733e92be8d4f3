"""Compare meshes made of texts, and say shortly what came out."""

from __future__ import annotations

from generator.analysis.diff.changes import Change
from generator.analysis.diff.diff import Difference, compare
from generator.analysis.diff.sentences import what_text
from generator.analysis.diff.sides import Side, mesh_side, module_side
from tests.support.meshes import BuiltMesh, mesh_of

Line = tuple[str, str, str, str]
"""Gained, lost or changed; source; destination; ports and levels."""


def side_of(mesh: BuiltMesh, title: str = "side") -> Side:
    return mesh_side(title, mesh.engine, mesh.built.overlay)


def module_of(text: str, title: str = "module.wasm") -> Side:
    """A side that knows nothing but the module."""
    return module_side(title, mesh_of(text).engine)


def difference(before: str, after: str) -> Difference:
    """Compare two texts of manifests."""
    return compare(side_of(mesh_of(before), "old"), side_of(mesh_of(after), "new"))


def line_of(change: Change) -> Line:
    flow = change.flow
    return change.kind.value, flow.source, flow.destination, what_text(change)


def lines_of(found: Difference) -> set[Line]:
    return {line_of(change) for change in found.changes}


def overlay_policy(
    name: str, rules: str, *, app: str = "cart", namespace: str = "shop", more: str = ""
) -> str:
    """An OverlayPolicy about the pods of an app; `rules` is YAML in flow style."""
    return f"""\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  subject: {{pods: {{podSelector: {{matchLabels: {{app: {app}}}}}}}}}
  ingress: [{rules}]
{more}---
"""


def http_rule(http: str, *, source: str = "web", port: int = 80) -> str:
    """A rule for requests from the pods of an app; empty `http`: for all flows."""
    entries = f", http: [{http}]" if http else ""
    peers = f"[{{pods: {{podSelector: {{matchLabels: {{app: {source}}}}}}}}}]"
    return f"{{from: {peers}, ports: [{{port: {port}, protocol: TCP}}]{entries}}}"

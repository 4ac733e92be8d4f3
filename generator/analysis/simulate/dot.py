"""Allowed flows as a graph in the dot language of Graphviz.

One edge per pair of ends. Namespaces are clusters; ranges of addresses outside stand
beside them. Dashed edges: all of it depends on the request. Same flows, same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from generator.analysis.simulate.pairs import Pair, pairs_of
from generator.analysis.simulate.simulation import Connection

_HEAD: Final = (
    "digraph pepmesh {",
    '  graph [rankdir=LR, fontname="sans-serif"];',
    '  node [shape=box, style="rounded,filled", fillcolor=white, '
    'fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10, color="#555555"];',
)


def simulation_dot(owners: Sequence[str], connections: Iterable[Connection]) -> str:
    """Return the flows as a graph; `owners` names all workloads, sorted."""
    pairs = pairs_of(connections)
    ends = {end for pair in pairs for end in (pair.source, pair.destination)}
    lines = [*_HEAD, *_clusters(owners)]
    for end in sorted(ends - set(owners)):
        lines.append(f"  {quote(end)} [style=dashed];")
    lines += [_edge(pair) for pair in pairs]
    return "\n".join([*lines, "}"])


def quote(text: str) -> str:
    """Quote a text, so that it is a name or label and nothing else."""
    safe = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{safe}"'


def _clusters(owners: Sequence[str]) -> Iterator[str]:
    groups = groupby(owners, key=lambda name: name.partition("/")[0])
    for number, (namespace, names) in enumerate(groups):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={quote(namespace)};"
        yield '    color="#bbbbbb";'
        for name in names:
            yield f"    {quote(name)} [label={quote(name.partition('/')[2])}];"
        yield "  }"


def _edge(pair: Pair) -> str:
    lines = [pair.ports] if pair.ports else []
    for each in pair.by_request:
        lines += [f"{each.ports}:", *each.rules]
    style = "" if pair.ports else ", style=dashed"
    label = quote("\n".join(lines))
    ends = f"{quote(pair.source)} -> {quote(pair.destination)}"
    return f"  {ends} [label={label}{style}];"

"""Read the part of the dot language that Graphviz's grammar calls a graph.

Independent of what writes it: a tokenizer and the productions graph, stmt_list, stmt
(node, edge, attribute, subgraph, ID = ID) of https://graphviz.org/doc/info/lang.html,
without ports and HTML strings. Anything else is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(
    r'\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z_][A-Za-z0-9_]*)|(-?\d+(?:\.\d+)?)|(->|[{}\[\];,=]))'
)

Attributes = dict[str, str]


@dataclass
class Dot:
    """What a graph says. Nodes of a cluster are under the cluster's label."""

    nodes: dict[str, Attributes] = field(default_factory=dict)
    edges: dict[tuple[str, str], Attributes] = field(default_factory=dict)
    clusters: dict[str, list[str]] = field(default_factory=dict)


def read_dot(text: str) -> Dot:
    """Read a directed graph. Fails on whatever is no dot."""
    reader = _Reader(_tokens(text))
    reader.take("digraph")
    reader.name()
    reader.statements("")
    assert not reader.tokens, f"after the graph: {reader.tokens[:5]}"
    return reader.dot


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match, f"no token of dot: {text[at : at + 30]!r}"
        found.append(match.group(0).strip())
        at = match.end()
    return found


@dataclass
class _Reader:
    tokens: list[str]
    dot: Dot = field(default_factory=Dot)

    def take(self, wanted: str) -> None:
        assert self.tokens and self.tokens[0] == wanted, (wanted, self.tokens[:5])
        self.tokens.pop(0)

    def is_next(self, token: str) -> bool:
        return bool(self.tokens) and self.tokens[0] == token

    def name(self) -> str:
        token = self.tokens.pop(0)
        assert re.match(r'["\w-]', token) and token != "->", f"no name: {token}"
        if token.startswith('"'):
            return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        return token

    def statements(self, cluster: str) -> None:
        self.take("{")
        members: list[str] = []
        title = cluster
        while not self.is_next("}"):
            if self.is_next("subgraph"):
                self.take("subgraph")
                self.statements(self.name())
            else:
                found = self._statement(members)
                title = found or title
            if self.is_next(";"):
                self.take(";")
        self.take("}")
        if cluster:
            self.dot.clusters[title] = members

    def _statement(self, members: list[str]) -> str:
        """Read a node, an edge, or an attribute; return the label of a cluster."""
        name = self.name()
        if self.is_next("="):
            self.take("=")
            value = self.name()
            return value if name == "label" else ""
        if self.is_next("->"):
            self.take("->")
            edge = name, self.name()
            assert edge not in self.dot.edges, f"twice: {edge}"
            self.dot.edges[edge] = self._attributes()
            return ""
        attributes = self._attributes()
        if name not in ("graph", "node", "edge"):
            assert name not in self.dot.nodes, f"twice: {name}"
            self.dot.nodes[name] = attributes
            members.append(name)
        return ""

    def _attributes(self) -> Attributes:
        found: Attributes = {}
        if not self.is_next("["):
            return found
        self.take("[")
        while not self.is_next("]"):
            name = self.name()
            self.take("=")
            found[name] = self.name()
            if self.is_next(","):
                self.take(",")
        self.take("]")
        return found

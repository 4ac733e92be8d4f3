"""Compose a YAML file that has one JSON row per line, without composing the rows.

Where in the pipeline: under `nodes`, as a short cut: a lock file of 10,000 workloads
takes libyaml seconds. JSON in flow style is YAML, so the nodes are the same; only the
places are coarser, a row instead of a field. The rest of the file goes through YAML
with the rows blanked out. Any line that is not as we write it: None, compose it all.

Rows become nodes one at a time, when they are asked for: all at once would cost as
much again in garbage collection.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml

_ROW: Final = "- {"
_OPENS_ROWS: Final = re.compile(r"[A-Za-z]+:")
_TAG: Final = "tag:yaml.org,2002:"
_KINDS: Final[dict[type, str]] = {str: "str", int: "int", bool: "bool"}

ComposeRest = Callable[[str], yaml.Node | None]
_Value = str | int | bool | dict[str, "_Value"]


def compose_rows(text: str, compose_rest: ComposeRest) -> yaml.Node | None:
    """Return the node of a file, or None if it is not made of one-line rows."""
    lines = text.split("\n")
    try:
        sections = _take_rows(lines)
    except (ValueError, RecursionError):
        return None
    root = compose_rest("\n".join(lines)) if sections else None
    if not isinstance(root, yaml.MappingNode):
        return None
    root.value = [(key, sections.pop(key.value, value)) for key, value in root.value]
    return None if sections else root


@dataclass(slots=True)
class _Rows:
    """The rows of a section, with their line numbers."""

    lines: list[str]
    found: list[tuple[int, dict[str, _Value]]] = field(default_factory=list)

    def __iter__(self) -> Iterator[yaml.Node]:
        for number, values in self.found:
            start = yaml.Mark("", 0, number, 2, "", 0)
            end = yaml.Mark("", 0, number, len(self.lines[number]), "", 0)
            yield _node(values, start, end)


def _take_rows(lines: list[str]) -> dict[str, yaml.Node]:
    """Blank out all rows and return them by section. Raises: ValueError."""
    written = list(lines)
    sections: dict[str, yaml.Node] = {}
    rows: _Rows | None = None
    for number, line in enumerate(written):
        if line.startswith(_ROW):
            if rows is None:
                raise ValueError("a row is outside a section")
            rows.found.append((number, _read_row(line)))
            lines[number] = ""
        elif _OPENS_ROWS.fullmatch(line) and line[:-1] not in sections:
            rows = _Rows(written)
            mark = yaml.Mark("", 0, number, 0, "", 0)
            sections[line[:-1]] = yaml.SequenceNode(_TAG + "seq", rows, mark, mark)
        else:
            rows = None
    return {name: node for name, node in sections.items() if node.value.found}


def _read_row(line: str) -> dict[str, _Value]:
    values: dict[str, _Value] = json.loads(line[2:], object_pairs_hook=_read_pairs)
    return values


def _read_pairs(pairs: list[tuple[str, _Value]]) -> dict[str, _Value]:
    values = dict(pairs)
    kinds = {*_KINDS, dict}
    if len(values) < len(pairs) or any(type(v) not in kinds for v in values.values()):
        raise ValueError("a key is repeated, or a value is of another kind")
    return values


def _node(value: _Value, start: yaml.Mark, end: yaml.Mark) -> yaml.Node:
    if isinstance(value, dict):
        pairs = [(_node(k, start, end), _node(v, start, end)) for k, v in value.items()]
        return yaml.MappingNode(_TAG + "map", pairs, start, end)
    text = value if isinstance(value, str) else json.dumps(value)
    return yaml.ScalarNode(_TAG + _KINDS[type(value)], text, start, end)

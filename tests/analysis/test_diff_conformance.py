"""netpol-analyzer's own differences between folders, by `diff`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from generator.analysis.diff.diff import Difference, compare
from generator.policy.model import Protocol
from generator.table.ports import key_of
from tests.conformance.netpol_analyzer import as_netpol_analyzer, load_case
from tests.support.connlist import ANALYZER, parse_line
from tests.support.differences import side_of
from tests.support.meshes import build_model

DIFF_FILES: Final = sorted((ANALYZER / "test_outputs" / "diff").glob("*.txt"))
_NAME: Final = re.compile(r"diff_between_(.+)_and_(.+)\.txt")
_CHANGE: Final = re.compile(
    r"diff-type: \w+, source: (.+)\[\w+\], destination: (.+)\[\w+\], "
    r"ref1: (.+), ref2: (.+)"
)

Keys = set[int]


def keys_of(source: str, destination: str, text: str) -> Keys:
    return {
        key_of(Protocol(c["protocol"]), port)
        for c in parse_line(source, destination, text)
        for first, last in c["ports"]
        for port in range(first, last + 1)
    }


def found_keys(found: Difference, kind: str) -> dict[tuple[str, str], Keys]:
    keys: dict[tuple[str, str], Keys] = {}
    for change in found.changes:
        if change.kind == kind:
            mine = keys.setdefault((change.flow.source, change.flow.destination), set())
            mine |= {k for first, last in change.keys for k in range(first, last + 1)}
    return keys


def test_there_are_differences_of_netpol_analyzer() -> None:
    assert len(DIFF_FILES) == 5


@pytest.mark.parametrize("path", DIFF_FILES, ids=lambda path: path.stem[-40:])
def test_differences_are_those_of_netpol_analyzer(path: Path) -> None:
    """Pairs, protocols and ports that were gained and lost: all, and no more."""
    match = _NAME.fullmatch(path.name)
    assert match
    expected: dict[str, dict[tuple[str, str], Keys]] = {"gained": {}, "lost": {}}
    for source, destination, first, second in _CHANGE.findall(path.read_text()):
        old, new = (keys_of(source, destination, t) for t in (first, second))
        for kind, keys in (("gained", new - old), ("lost", old - new)):
            if keys:
                expected[kind][source, destination] = keys
    before, after = (
        side_of(build_model(as_netpol_analyzer(load_case(case).model)))
        for case in (match[2], match[1])
    )
    found = compare(before, after)
    for kind, wanted in expected.items():
        assert found_keys(found, kind) == wanted
    assert all(change.turns for change in found.changes)

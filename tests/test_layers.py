"""Who may import whom, and which third-party packages at all."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# design: `generator` may import `filters` and `istio`; those two import neither.
OWN = {"filters", "generator", "istio"}
ALLOWED_OWN = {
    "filters": {"filters"},
    "istio": {"istio"},
    "generator": {"generator", "filters", "istio"},
}

# A new dependency is a decision: it stands here and, with a reason, in pyproject.toml.
ALLOWED_THIRD_PARTY = {
    "filters": set[str](),
    "istio": set[str](),
    "generator": {"click", "cryptography", "jinja2", "rich", "wasmtime", "yaml"},
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("package", sorted(OWN))
def test_imports_go_one_way(package: str) -> None:
    allowed = ALLOWED_OWN[package] | ALLOWED_THIRD_PARTY[package]
    for path in sorted((ROOT / package).rglob("*.py")):
        for name in imported(path):
            known = name in sys.stdlib_module_names or name in allowed
            assert known, f"{path.relative_to(ROOT)} imports {name}"


def test_every_dependency_is_used() -> None:
    used = {
        name
        for package in OWN
        for path in (ROOT / package).rglob("*.py")
        for name in imported(path)
    }
    assert set.union(*ALLOWED_THIRD_PARTY.values()) <= used

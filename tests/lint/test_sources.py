"""Lint over manifests that others wrote, and over the example shop."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from generator.policy.load import LoadError, load_model
from generator.reports.objects import Objects
from generator.validation import Validation, validate
from tests.support.connlist import CONFORMANCE

SHOP = Path(__file__).parents[2] / "e2e" / "shop"


@cache
def folders() -> list[Path]:
    """Every folder of the conformance sources that has manifests."""
    return [
        folder
        for folder in sorted(CONFORMANCE.rglob("*"))
        if folder.is_dir()
        and any(file.suffix in {".yaml", ".yml", ".json"} for file in folder.iterdir())
    ]


def check(folder: Path) -> Validation | None:
    try:
        return validate(lambda: load_model([str(folder)]), is_strict=True)
    except LoadError:
        return None


def test_the_sources_are_there() -> None:
    assert len(folders()) > 50


@pytest.mark.parametrize("folder", folders(), ids=lambda f: str(f.name))
def test_findings_have_a_place_and_rules_a_row(folder: Path) -> None:
    found = check(folder)
    assert found is not None
    lints = [d for d in found.diagnostics if d.code.startswith("LNT")]
    objects = Objects(found.sources)
    for finding in lints:
        assert finding.span is not None
        assert objects.at(finding.span) is not None
    if found.rows is None:
        assert not lints
        assert any(d.severity == "error" for d in found.diagnostics)
    else:
        assert len({row.name for row in found.rows}) == len(found.rows)


def test_the_shop_has_nothing_to_find() -> None:
    found = validate(lambda: load_model([str(SHOP)]), is_strict=True)
    assert found.diagnostics == ()
    assert found.rows

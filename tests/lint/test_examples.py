"""Every lint code has an example, which triggers it and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

import generator.lint as package
from generator.codes import CODES
from generator.enforcement.report import enforcement
from generator.lint.ground import Ground
from generator.lint.run import lint
from generator.policy.load import load_sources
from generator.source import SourceFile
from tests.support.loading import pointed_at

EXAMPLES: Final = Path(package.__file__).parent / "examples"
LINTS: Final = [code for code in sorted(CODES) if code.startswith("LNT")]
_POINTS: Final = re.compile(r"^# points at: (.+)$", re.MULTILINE)


def test_examples_are_those_of_all_codes() -> None:
    assert sorted(path.stem for path in EXAMPLES.iterdir()) == LINTS


@pytest.mark.parametrize("code", LINTS)
def test_example_triggers_its_code_only(code: str) -> None:
    text = (EXAMPLES / f"{code}.yaml").read_text()
    loaded = load_sources([SourceFile("example.yaml", text)])
    assert not loaded.diagnostics
    ground = Ground(loaded.model)
    found = lint(ground, enforcement(ground))
    assert [finding.code for finding in found] == [code], found
    (place,) = _POINTS.findall(text)
    (finding,) = found
    assert finding.span is not None
    assert place in text.splitlines()[finding.span.start.line]
    assert pointed_at(text, finding.span).partition(":")[0] in place

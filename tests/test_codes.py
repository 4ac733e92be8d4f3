"""Every diagnostic code is triggered by some test, and means one thing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator.codes import CODES

ROOT = Path(__file__).parent.parent
FIXTURES = "\n".join(
    path.read_text()
    for path in sorted((ROOT / "tests").rglob("*"))
    if path.suffix in {".py", ".yaml", ".txt"} and path.name != Path(__file__).name
)
SOURCES = "\n".join(
    path.read_text()
    for path in sorted((ROOT / "generator").rglob("*.py"))
    if path.name != "codes.py"
)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_fixture_and_a_use(code: str) -> None:
    assert re.fullmatch(r"(INP|POL|LNT|OVL|TBL|GST|RUN)\d{4}", code)
    assert CODES[code].meaning
    assert code in SOURCES, "nothing reports it"
    assert code in FIXTURES, "no test triggers it"


def test_every_code_in_use_is_declared() -> None:
    used = set(re.findall(r'"((?:INP|POL|LNT|OVL|TBL|GST|RUN)\d{4})"', SOURCES))
    assert used <= set(CODES)

"""Fuzzing counts its examples, keeps its time, and fails with the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import fuzz

PROPERTY = """\
from hypothesis import given, settings, strategies as st

@settings(max_examples=7)
@given(st.integers(0, 1000))
def test_property(number):
    assert number {}
"""


def run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], holds: str, seconds: float
) -> tuple[int, str]:
    path = tmp_path / "test_property.py"
    path.write_text(PROPERTY.format(holds))
    code = fuzz.fuzz(seconds, (str(path),))
    return code, capsys.readouterr().out


def test_a_round_is_run_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(tmp_path, capsys, ">= 0", 0)
    assert code == 0
    assert len(said.splitlines()) == 1
    assert said.startswith("round 1, seed ") and ": 7 examples in " in said


def test_rounds_go_on_until_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with a seed of its own; what is passed is added up."""
    seeds = []

    def run_round(files: object, seed: int) -> tuple[int, str]:
        seeds.append(seed)
        return 0, "    - 3 passing, 0 failing\n    - 4 passing, 0 failing\n"

    clock = iter((100.0, 104.0, 109.0, 110.0))
    monkeypatch.setattr(fuzz, "run_round", run_round)
    monkeypatch.setattr(fuzz, "monotonic", lambda: next(clock))
    assert fuzz.fuzz(10) == 0
    assert len(set(seeds)) == 3
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"round 3, seed {seeds[2]}: 21 examples in 10 s"


def test_a_failure_is_shown_and_ends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(tmp_path, capsys, "< 0", 600)
    assert code == 1
    assert "round 2" not in said
    assert "Falsifying example" in said or "AssertionError" in said

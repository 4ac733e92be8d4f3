"""The commands `e2e.bench` and `e2e.bench.render`: one record, told twice alike."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from e2e.bench import __main__ as command
from e2e.bench import machine, render
from e2e.bench.results import CannotMeasure, Part, Record, Table
from tests.bench.test_report import MACHINE
from tests.bench.test_svg import BARS


def table(own: Record) -> list[Table]:
    return [Table("What", ("is", "quick"), (("it", str(own["quick"])),))]


def quick(is_quick: bool) -> Record:
    return {"quick": is_quick}


def unable(is_quick: bool) -> Record:
    raise CannotMeasure("install wrk")


PARTS = (
    Part("sizes", "Size", quick, table, lambda own: [BARS]),
    Part("load", "Load", unable, table),
)


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PARTS", PARTS)
    monkeypatch.setattr(render, "PARTS", PARTS)
    monkeypatch.setattr(machine, "describe", lambda: MACHINE)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
    return command.main()


def test_a_record_tells_what_the_run_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record, first, second = (tmp_path / "made" / name for name in ("r", "a", "b"))
    options = ("--only", "sizes", "--quick", "--json", record)
    assert run(monkeypatch, *options, "--markdown", first, "--svg", tmp_path) == 0
    assert "| it | True |" in first.read_text()
    assert (tmp_path / "bars.svg").read_text().startswith("<svg")
    arguments = ["render", str(record), "--markdown", str(second)]
    monkeypatch.setattr(sys, "argv", arguments)
    assert render.main() == 0
    assert second.read_text() == first.read_text()


def test_what_was_measured_before_a_failure_is_kept(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = tmp_path / "r"
    assert run(monkeypatch, "--json", record) == 2
    assert "install wrk" in capsys.readouterr().err
    assert list(json.loads(record.read_text())["parts"]) == ["sizes"]


def test_unknown_parts_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, "--only", "sizes,colours")
    assert "no such part: colours" in capsys.readouterr().err

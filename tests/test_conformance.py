"""All cases of others, and our own, through the built module (`tests/conformance`).

The counts are written down, so that a loss shows; every difference has its reason.
"""

from __future__ import annotations

import json

import pytest

from tests.conformance import files
from tests.conformance.files import account
from tests.conformance.report import as_json, as_markdown, as_table, count, sum_up
from tests.conformance.result import Outcome, Result
from tests.conformance.run import is_clean, run_all
from tests.policy.test_conformance import COUNTS
from tests.support.connlist import CONFORMANCE


@pytest.fixture(scope="module")
def results() -> list[Result]:
    assert CONFORMANCE.is_dir(), f"{CONFORMANCE} is missing"
    return run_all("module")


def test_every_difference_has_a_reason(results: list[Result]) -> None:
    assert [r for r in results if r.outcome is Outcome.FAILED] == []
    assert is_clean(results)
    silent = {Outcome.DIFFERS, Outcome.NOT_APPLICABLE}
    assert [r for r in results if r.outcome in silent and not r.reason] == []


def test_counts(results: list[Result]) -> None:
    # Three more of ours differ: what an overlay address cannot say of IPv6.
    assert count(results) == {**COUNTS, "ours: probes": (450, 4, 0)}


def test_the_report_says_so_in_every_form(results: list[Result]) -> None:
    document = json.loads(as_json(results))
    assert document["kind"] == "ConformanceReport"
    for line in sum_up(results):
        (row,) = [s for s in document["sources"] if s["source"] == line.source]
        assert (row["cases"], row["differ"]) == (line.cases, line.differ)
        assert f"| {line.source} | {line.cases} |" in as_markdown(results)
    table = as_table(results)
    assert table.endswith("Every difference has a reason.")
    for result in results:
        if result.outcome is not Outcome.AGREES:
            assert result.case in table and result.reason in table


def test_a_difference_without_a_reason_shows() -> None:
    bad = Result("somewhere", "case", Outcome.FAILED, "one flow too many")
    assert not is_clean([bad])
    for text in (as_table([bad]), as_markdown([bad])):
        assert "nobody has said why" in text and "one flow too many" in text
        assert "1 differ without a reason" in text
    assert json.loads(as_json([bad]))["sources"][0]["unexplained"] == 1


def test_a_file_that_no_case_reads_shows(
    results: list[Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = [r for r in results if r.case != "cyclonus/networkpolicies/allow-all.yaml"]
    failed = [r for r in account(fewer) if r.outcome is Outcome.FAILED]
    assert [r.case for r in failed] == ["cyclonus/networkpolicies/allow-all.yaml"]
    listed = {**files.LISTED, "no/such/file": "a reason"}
    monkeypatch.setattr(files, "LISTED", listed)
    failed = [r for r in account(results) if r.outcome is Outcome.FAILED]
    assert [r.case for r in failed] == ["no/such/file"]

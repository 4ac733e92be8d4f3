"""The same cases through the oracle, which the module is compared with elsewhere.

The oracle shares no code with the table, the compiler or the filter; so where both
agree with a case of others, three readings of the API agree.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.conformance.netpol_analyzer import CONVENTIONS, REFUSALS, refused_rows
from tests.conformance.report import count
from tests.conformance.result import Outcome, Result
from tests.conformance.run import run_all

# By source: cases that agree, that differ, that do not apply.
COUNTS: Final = {
    "netpol-analyzer connlist": (35, 2, 0),
    "netpol-analyzer diff": (5, 0, 0),
    "netpol-analyzer must refuse": (17, 1, 0),
    "network-policy-api probes": (86, 0, 0),
    "network-policy-api manifests": (5, 0, 0),
    # Off the diagonal 432 of 432 cells agree.
    "cyclonus matrices": (476, 10, 243),
    "cyclonus policies": (2, 0, 0),
    "ours: probes": (453, 1, 0),
    "ours: must refuse": (8, 0, 0),
    "ours: connectivity": (6, 0, 0),
    "files of the cases": (195, 0, 5),
}


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return run_all("oracle")


def test_every_difference_has_a_reason(results: list[Result]) -> None:
    assert [r for r in results if r.outcome is Outcome.FAILED] == []


def test_counts(results: list[Result]) -> None:
    assert count(results) == COUNTS


def test_the_tables_of_reasons_are_not_longer_than_the_cases() -> None:
    assert sorted(REFUSALS) == sorted(refused_rows())
    assert len(CONVENTIONS) == 2

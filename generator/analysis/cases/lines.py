"""Results of test cases line by line: TAP for harnesses, annotations for GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generator.analysis.cases.coverage import Coverage
from generator.analysis.cases.report import (
    Listing,
    coverage_sum,
    failure_lines,
    printable,
    sum_text,
)
from generator.analysis.cases.run import CaseResult, SuiteResult
from generator.analysis.workflow_commands import workflow_command


def tap_text(suites: Sequence[SuiteResult], coverage: Coverage) -> str:
    """Return the Test Anything Protocol, version 14."""
    results = [result for suite in suites for result in suite.cases]
    lines = ["TAP version 14", f"1..{len(results)}"]
    for number, result in enumerate(results, 1):
        lines += _tap_lines(number, result)
    lines += [f"# {sum_text(suites)}", f"# {coverage_sum(coverage)}"]
    return "\n".join(lines)


def _tap_lines(number: int, result: CaseResult) -> Iterator[str]:
    # "#" would begin a directive: "# SKIP" in a name would hide a failure.
    name = re.sub(r"([\\#])", r"\\\1", printable(result.case.name))
    yield f"{'ok' if result.is_passed else 'not ok'} {number} - {name}"
    if not result.is_passed:
        yield "  ---"
        yield "  message: |"
        for line in failure_lines(result):
            yield f"    {line}"
        yield "  ..."


def github_text(
    suites: Sequence[SuiteResult], coverage: Coverage, listing: Listing
) -> str:
    """Return workflow commands: an error at each failing case, then the sums.

    With `Listing.ALL` a notice at each rule that no case touches.
    """
    lines = [
        workflow_command(
            "error",
            (result.case.places.name.file, result.case.places.name.start.line + 1),
            result.case.name,
            "\n".join(failure_lines(result)),
        )
        for suite in suites
        for result in suite.failed
    ]
    if listing is Listing.ALL:
        lines += [
            workflow_command(
                "notice", (rule.file, rule.line), rule.name, "no case touches it"
            )
            for rule in coverage.untouched
        ]
    return "\n".join([*lines, sum_text(suites), coverage_sum(coverage)])

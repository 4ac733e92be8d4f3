"""Results of test cases as text for people and as JSON for programs.

FAIL  the ads see no carts
      shop_test.yaml:9: shop/ads -> shop/cart TCP 7070
      expected DENY, but it is ALLOW
      by NetworkPolicy/shop/cart/ingress/0 (policies.yaml:31)
      egress: No policy isolates shop/ads for egress, so all is allowed.
      ingress: NetworkPolicy shop/cart selects shop/cart, and ingress[0] allows ...
12 cases in 2 files: 11 pass, 1 fails
rules: 9 of 10 decide a case (90 %); no case touches
      NetworkPolicy/shop/dns/egress/0 (policies.yaml:12)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import Final

from generator.analysis.api_version import API_VERSION
from generator.analysis.cases.coverage import Coverage, CoveredRule
from generator.analysis.cases.run import (
    CaseResult,
    SuiteResult,
    deciding_sides,
)
from generator.analysis.explain.explainer import Outcome
from generator.analysis.explain.explanation import explanation_document
from generator.source import Span

_INDENT: Final = " " * 6
_SHOWN_RULES: Final = 10


class Listing(Enum):
    """Which rules a report lists."""

    ALL = auto()
    UNTOUCHED = auto()
    NONE = auto()


def report_text(
    suites: Sequence[SuiteResult], coverage: Coverage, listing: Listing
) -> str:
    """Return failing cases, the sum, and rules."""
    lines = []
    for suite in suites:
        for result in suite.failed:
            lines.append(f"FAIL  {printable(result.case.name)}")
            lines += [f"{_INDENT}{line}" for line in failure_lines(result)]
    lines.append(sum_text(suites))
    lines += _coverage_lines(coverage, listing)
    return "\n".join(lines)


def failure_lines(result: CaseResult) -> Iterator[str]:
    """Say what was asked, expected and found, and by which rules."""
    case = result.case
    yield f"{place_text(case.places.name)}: {printable(str(case.traffic))}"
    for problem in result.problems:
        yield printable(problem)
    deciding = result.explanation.deciding
    if deciding is None:
        return
    for side in deciding_sides(deciding):
        if side.rule:
            yield f"by {side.rule} ({side.file}:{side.line})"
    for side in (deciding.egress, deciding.ingress):
        yield f"{side.direction}: {printable(side.text)}"
    for side in (deciding.egress, deciding.ingress):
        for near in side.near_misses:
            yield f"nearly: {printable(near.text)} ({near.place})"
    for note in result.explanation.notes:
        yield printable(note)


def sum_text(suites: Sequence[SuiteResult]) -> str:
    """Return one line with the number of cases that pass and fail."""
    cases = sum(len(suite.cases) for suite in suites)
    failed = sum(len(suite.failed) for suite in suites)
    head = f"{_count(cases, 'case')} in {_count(len(suites), 'file')}"
    if not failed:
        return f"{head}: all pass"
    return f"{head}: {cases - failed} pass, {failed} fail{'s' if failed == 1 else ''}"


def coverage_sum(coverage: Coverage) -> str:
    """Return one line with the number of rules that some case touches."""
    total = len(coverage.rules)
    return f"rules: {coverage.touched} of {total} decide a case ({percent(coverage)})"


def percent(coverage: Coverage) -> str:
    return f"{coverage.percent:g} %"


def place_text(span: Span) -> str:
    return f"{span.file}:{span.start.line + 1}"


def printable(text: str) -> str:
    """Escape what would not be seen, or would move the cursor of a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in text
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _coverage_lines(coverage: Coverage, listing: Listing) -> Iterator[str]:
    untouched = coverage.untouched if listing is Listing.UNTOUCHED else ()
    yield coverage_sum(coverage) + ("; no case touches" if untouched else "")
    for rule in untouched[:_SHOWN_RULES]:
        yield f"{_INDENT}{rule.name} ({rule.place})"
    if len(untouched) > _SHOWN_RULES:
        yield f"{_INDENT}and {len(untouched) - _SHOWN_RULES} more: --coverage shows all"
    for rule in coverage.rules if listing is Listing.ALL else ():
        yield f"{rule.cases:5} {rule.name} ({rule.place})"


# --- JSON -----------------------------------------------------------------------------


def report_document(
    suites: Sequence[SuiteResult], coverage: Coverage, digest: str
) -> dict[str, object]:
    """Return the JSON document of `pepmesh test -o json`.

    `explanation` of a case is the document that `pepmesh explain -o json` prints.
    """
    results = [result for suite in suites for result in suite.cases]
    failed = sum(not result.is_passed for result in results)
    return {
        "apiVersion": API_VERSION,
        "kind": "PolicyTestReport",
        "digest": digest,
        "summary": {
            "files": len(suites),
            "cases": len(results),
            "passed": len(results) - failed,
            "failed": failed,
        },
        "cases": [_case_fields(result, digest) for result in results],
        "coverage": {
            "rules": len(coverage.rules),
            "touched": coverage.touched,
            "percent": coverage.percent,
            "perRule": list(_rule_fields(coverage.rules)),
        },
    }


def _case_fields(result: CaseResult, digest: str) -> dict[str, object]:
    case = result.case
    verdict = Outcome.ALLOW if case.is_allowed else Outcome.DENY
    return {
        "name": case.name,
        "file": case.places.name.file,
        "line": case.places.name.start.line + 1,
        "passed": result.is_passed,
        "problems": list(result.problems),
        "expected": {
            "verdict": verdict.value,
            "rule": case.rule or None,
            "reason": case.reason or None,
        },
        "explanation": explanation_document(result.explanation, digest),
    }


def _rule_fields(rules: Iterable[CoveredRule]) -> Iterator[dict[str, object]]:
    for rule in rules:
        yield {
            "name": rule.name,
            "file": rule.file,
            "line": rule.line,
            "cases": rule.cases,
        }

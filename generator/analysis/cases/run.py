"""Run test cases: ask the built module each question, and compare.

Where in the pipeline: `suites + explainer -> results -> text, JSON, JUnit, TAP`. A case
passes if every flow that its question stands for has the expected verdict: a MIXED
outcome is neither allow nor deny, so it fails. Questions that have no answer, such as
names that nobody has, are errors of the tests, and all of them are reported at once.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from filters.decide import Verdict
from generator.analysis.cases.reader import Case, Suite
from generator.analysis.errors import QuestionError
from generator.analysis.explain.explainer import Explainer, Explanation, Flow, Outcome
from generator.analysis.explain.explanation import BEFORE_POLICY
from generator.analysis.explain.sentences import Side
from generator.analysis.names import Names
from generator.errors import Diagnostic
from generator.source import Span
from generator.table.model import RuleTable

_MAX_FLOWS: Final = 5


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came out of a case. `problems` are sentences; none: it passes."""

    case: Case
    explanation: Explanation
    problems: tuple[str, ...]

    @property
    def is_passed(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The results of one file."""

    file: str
    cases: tuple[CaseResult, ...]

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        return tuple(result for result in self.cases if not result.is_passed)


def select_cases(
    suites: Iterable[Suite], wanted: re.Pattern[str] | None
) -> tuple[Suite, ...]:
    """Keep the cases in whose names a pattern is found; None: all of them.

    Raises: QuestionError RUN0023 if no case is left.
    """
    chosen = [
        replace(
            suite,
            cases=tuple(
                case
                for case in suite.cases
                if wanted is None or wanted.search(case.name)
            ),
        )
        for suite in suites
    ]
    chosen = [suite for suite in chosen if suite.cases]
    if not chosen:
        where = f' in whose name "{wanted.pattern}" is found' if wanted else ""
        raise QuestionError.of("RUN0023", f"there is no test case{where}")
    return tuple(chosen)


def run_suites(
    suites: Iterable[Suite], explainer: Explainer, names: Names, table: RuleTable
) -> tuple[SuiteResult, ...]:
    """Ask all questions. Raises: QuestionError with every one that has no answer."""
    rules = rule_places(table)
    errors: list[Diagnostic] = []
    results = []
    for suite in suites:
        found = []
        for case in suite.cases:
            try:
                explanation = _ask(case, explainer, names)
            except QuestionError as error:
                errors += error.diagnostics
                continue
            problems = tuple(_problems(case, explanation, rules))
            found.append(CaseResult(case, explanation, problems))
        results.append(SuiteResult(suite.file, tuple(found)))
    if errors:
        raise QuestionError(errors)
    return tuple(results)


def rule_places(table: RuleTable) -> dict[str, str]:
    """Return every rule's name, as `explain` prints it, with its file:line."""
    return {
        table.rule_name(rule): table.rule_place(rule)
        for rule in range(len(table.rules))
    }


def _ask(case: Case, explainer: Explainer, names: Names) -> Explanation:
    """Ask one question. Raises: QuestionError that points at the case."""
    faults = [
        *_name_faults(case.traffic.source, case.places.source, names),
        *_name_faults(case.traffic.destination, case.places.destination, names),
    ]
    if faults:
        raise QuestionError(faults)
    try:
        return explainer.explain(case.traffic)
    except QuestionError as error:
        raise QuestionError(_placed(error, case)) from None


def _name_faults(text: str, span: Span, names: Names) -> tuple[Diagnostic, ...]:
    try:
        names.find(text)
    except QuestionError as error:
        return tuple(replace(found, span=span) for found in error.diagnostics)
    return ()


def _placed(error: QuestionError, case: Case) -> Iterator[Diagnostic]:
    """Point at the port, at a Service that cannot send, or at the request."""
    places = {"RUN0011": case.places.port, "RUN0010": case.places.source}
    for found in error.diagnostics:
        yield replace(found, span=places.get(found.code, case.places.request))


# --- comparing ------------------------------------------------------------------------


def _problems(
    case: Case, explanation: Explanation, places: Mapping[str, str]
) -> Iterator[str]:
    expected = Outcome.ALLOW if case.is_allowed else Outcome.DENY
    found = explanation.outcome
    if found is not expected:
        yield f"expected {expected}, but it is {_outcome_text(explanation)}"
    if case.reason and found is expected and explanation.reason != case.reason:
        yield f"expected the reason {case.reason}, but it is {explanation.reason}"
    if case.rule:
        yield from _rule_problems(case.rule, explanation, places)


def _outcome_text(explanation: Explanation) -> str:
    if explanation.outcome is Outcome.ALLOW:
        return "ALLOW"
    if explanation.outcome is Outcome.DENY:
        return f"DENY ({explanation.reason})"
    flows = [
        f"{flow.source} -> {flow.destination} {flow.port} is {_verdict_text(flow)}"
        for flow in explanation.flows
    ]
    if len(flows) > _MAX_FLOWS:
        flows[_MAX_FLOWS:] = [f"and {len(flows) - _MAX_FLOWS} more"]
    return f"MIXED, as its endpoints differ: {'; '.join(flows)}"


def _verdict_text(flow: Flow) -> str:
    return "ALLOW" if flow.is_allowed else f"DENY ({flow.reason})"


def _rule_problems(
    wanted: str, explanation: Explanation, places: Mapping[str, str]
) -> Iterator[str]:
    if not any(is_named_by(rule, wanted) for rule in places):
        close = difflib.get_close_matches(wanted, places, n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        yield f"expected {wanted} to decide, but there is no such rule{meant}"
        return
    deciding = [deciding_rules(flow) for flow in explanation.flows]
    if deciding and all(any(is_named_by(r, wanted) for r in each) for each in deciding):
        return
    named = dict.fromkeys(rule for each in deciding for rule in each)
    if not named:
        yield f"expected {wanted} to decide, but no rule did"
        return
    shown = " and ".join(f"{rule} ({places.get(rule, '?')})" for rule in named)
    yield f"expected {wanted} to decide, but it was {shown}"


def is_named_by(rule: str, wanted: str) -> bool:
    """Tell whether a rule is meant: by its name, or by that without its number.

    `NetworkPolicy/shop/cart/ingress` means all of that policy's ingress rules, and
    its `default`.
    """
    return wanted in (rule, rule.rpartition("/")[0])


def deciding_rules(flow: Flow) -> tuple[str, ...]:
    """Return the rules that decided: one that denied, or those of both sides."""
    return tuple(side.rule for side in deciding_sides(flow) if side.rule)


def deciding_sides(flow: Flow) -> tuple[Side, ...]:
    """Return the side that denied, or both.

    What precedes policy, like a revoked sender, no side decided.
    """
    sides = flow.egress, flow.ingress
    if flow.is_allowed:
        return sides
    if flow.reason in BEFORE_POLICY:
        return ()
    return tuple(side for side in sides if side.verdict is Verdict.DENY)[:1]

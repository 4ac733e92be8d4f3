"""Rule coverage: which rules some test case touches.

A rule is touched if it decided a case: it denied it, or allowed it on its side. Of
several rules that allow a flow the first one decides. A rule that passes is touched
if it sent a side that decided on to the next tier. A rule of an audited policy decides
nothing, so it is touched if it would decide.

A policy's `default` is the denial of what it isolates. It counts only where a denial
can name it: of several policies that isolate a pod, one does. Rules that no flow can
reach do count, since a rule that decides nothing is worth a look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from generator.analysis.cases.run import (
    CaseResult,
    SuiteResult,
    deciding_rules,
    deciding_sides,
)
from generator.analysis.explain.explainer import Flow
from generator.analysis.explain.tier_trace import Effect
from generator.table.model import RuleTable


@dataclass(frozen=True, slots=True)
class CoveredRule:
    """A rule, where it is written, and how many cases it decided."""

    name: str
    file: str
    line: int
    cases: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """All rules that count, in order of evaluation."""

    rules: tuple[CoveredRule, ...]

    @property
    def untouched(self) -> tuple[CoveredRule, ...]:
        return tuple(rule for rule in self.rules if not rule.cases)

    @property
    def touched(self) -> int:
        return len(self.rules) - len(self.untouched)

    @property
    def percent(self) -> float:
        """Rounded down to one digit, so that 100 means all; of no rules it is 100."""
        if not self.rules:
            return 100.0
        return self.touched * 1000 // len(self.rules) / 10

    def is_at_least(self, percent: float) -> bool:
        """Compare without rounding: 2 of 3 rules are at least 66.6 %, not 66.7 %."""
        return self.touched * 100 >= percent * len(self.rules)


def measure_coverage(results: Iterable[SuiteResult], table: RuleTable) -> Coverage:
    """Count for each rule of a table the cases that it decided."""
    counts = Counter(
        rule
        for suite in results
        for result in suite.cases
        for rule in _touched_by(result)
    )
    defaults = {subject.default_rule for subject in table.subjects}
    rules = []
    for number, row in enumerate(table.rules):
        if row.number is None and number not in defaults:
            continue
        name, file = table.rule_name(number), table.policies[row.policy].file
        rules.append(CoveredRule(name, file, row.line, counts[name]))
    return Coverage(tuple(rules))


def _touched_by(result: CaseResult) -> set[str]:
    return {rule for flow in result.explanation.flows for rule in _rules_of(flow)}


def _rules_of(flow: Flow) -> Iterator[str]:
    yield from deciding_rules(flow)
    for side in deciding_sides(flow):
        for step in side.trace:
            if step.effect is Effect.PASS and step.rule:
                yield step.rule
    if flow.audit and flow.audit.rule:
        yield flow.audit.rule

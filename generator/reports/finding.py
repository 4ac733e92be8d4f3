"""A diagnostic as reports see it: with its object, and whether anybody wants it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from generator.codes import CODES
from generator.errors import Diagnostic, Severity
from generator.reports.objects import ObjectName, Objects
from generator.reports.suppression import Suppression

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")
"""Worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`suppressed_by` is the text of the option that suppresses it, or empty."""

    diagnostic: Diagnostic
    object: ObjectName | None
    suppressed_by: str = ""

    @property
    def hint(self) -> str:
        return self.diagnostic.hint or CODES[self.diagnostic.code].hint

    def is_at_least(self, severity: Severity) -> bool:
        return SEVERITIES.index(self.diagnostic.severity) <= SEVERITIES.index(severity)


def make_findings(
    diagnostics: Iterable[Diagnostic],
    objects: Objects,
    suppressions: Sequence[Suppression],
) -> tuple[Finding, ...]:
    """Return each diagnostic once, sorted by file, line and column."""
    found = []
    for diagnostic in sorted(dict.fromkeys(diagnostics), key=lambda d: d.sort_key):
        name = objects.at(diagnostic.span)
        by = next(
            (s.text for s in suppressions if s.matches(diagnostic.code, name)), ""
        )
        found.append(Finding(diagnostic, name, by))
    return tuple(found)


def count(findings: Iterable[Finding]) -> dict[str, int]:
    """Count what was found, by severity; what is suppressed counts as that only."""
    counts: dict[str, int] = dict.fromkeys((*SEVERITIES, "suppressed"), 0)
    for finding in findings:
        counts[
            "suppressed" if finding.suppressed_by else finding.diagnostic.severity
        ] += 1
    return counts


def summary(findings: Iterable[Finding]) -> str:
    """Say in a line what was found."""
    counts = count(findings)
    words = {"error": "error", "warning": "warning", "info": "remark"}
    parts = [
        f"{counts[severity]} {word}{'' if counts[severity] == 1 else 's'}"
        for severity, word in words.items()
        if counts[severity]
    ]
    parts += [f"{counts['suppressed']} suppressed"] if counts["suppressed"] else []
    return ", ".join(parts) if parts else "no findings"

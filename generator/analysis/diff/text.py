"""A difference as text for a terminal.

Access changes: 1 gained, 0 lost.

Gained
  shop/web -> shop/cart: TCP 8080
    allowed by NetworkPolicy/shop/cart/ingress/0 (after/cart.yaml:9); before, ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.analysis.diff.diff import Difference
from generator.analysis.diff.groups import About, Section, make_sections
from generator.analysis.diff.sentences import headline, what_text, why_lines

HEADINGS: Final = {
    About.BOTH: "{kind}",
    About.NEW: "New workload {workload}",
    About.GONE: "Gone workload {workload}",
    About.AUDITED: "If audited policies were enforced: {kind}",
}


def difference_text(difference: Difference) -> str:
    """Return all changes, equal ones grouped."""
    lines = [headline(difference)]
    for section in make_sections(difference):
        lines += ["", heading(section), *_section_lines(section)]
    policies = list(_policy_lines(difference))
    if policies:
        lines += ["", "Policies", *policies]
    return "\n".join(lines)


def heading(section: Section) -> str:
    kind = section.kind.value if section.kind else ""
    if section.about is About.BOTH:
        kind = kind.capitalize()
    return HEADINGS[section.about].format(kind=kind, workload=section.workload)


def _section_lines(section: Section) -> Iterator[str]:
    if not section.groups:
        yield "  reaches nobody, and nobody reaches it"
    for group in section.groups:
        yield f"  {group.title}: {what_text(group.change)}"
        for line in why_lines(group.change):
            yield f"    {line}"


def _policy_lines(difference: Difference) -> Iterator[str]:
    for mark, names in (
        ("+", difference.policies.new),
        ("-", difference.policies.gone),
    ):
        for name in names:
            yield f"  {mark} {name}"

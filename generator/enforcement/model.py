"""What the enforcement report says of each rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from generator.policy.model import Policy, PolicyRule
from generator.source import Span


class Status(Enum):
    """Whether a proxy can do what a rule says; the worst of its reasons."""

    ENFORCED = "enforced"
    APPROXIMATED = "approximated"
    IMPOSSIBLE = "impossible"

    @property
    def weight(self) -> int:
        return list(Status).index(self)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule is less than enforced, or what to check though it is enforced.

    `id` is for machines, and for ever; `text` for people.
    """

    id: str
    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One rule, or (`rule` None) what a policy of the normal tier denies by isolating.

    `name` is the one that `explain` and the access log print.
    """

    name: str
    policy: Policy
    rule: PolicyRule | None
    span: Span
    reasons: tuple[Reason, ...]

    @property
    def status(self) -> Status:
        found = [reason.status for reason in self.reasons]
        return max(found, key=lambda s: s.weight, default=Status.ENFORCED)


def part(all_of_it: bool) -> Status:
    """What a limit makes of a rule: impossible if all of the rule falls under it."""
    return Status.IMPOSSIBLE if all_of_it else Status.APPROXIMATED

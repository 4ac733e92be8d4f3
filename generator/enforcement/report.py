"""Enforcement, rule by rule: what a proxy can do about it, and why not all of it.

Where in the pipeline: `Model -> rows`, beside the build. The limits are those of
README "What is not enforced"; a limit that is gone is taken out here too.
"""

from __future__ import annotations

from collections.abc import Iterator

from generator.enforcement.ends import peers, subjects
from generator.enforcement.interception import (
    excluded_ports,
    excluded_ranges,
    init_containers,
    probes,
)
from generator.enforcement.model import Reason, Row
from generator.enforcement.protocols import other_protocols, plain_tcp
from generator.enforcement.sidecars import Fleet
from generator.lint.ground import Ground
from generator.lint.spoken import Speech
from generator.policy.model import Action, Direction, Policy, PolicyRule, Tier


def enforcement(ground: Ground) -> tuple[Row, ...]:
    """Return a row for every rule, and for every direction that a policy isolates."""
    reporter = _Reporter(ground)
    return tuple(row for policy in ground.policies for row in reporter.rows(policy))


class _Reporter:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._speech = Speech(ground)
        self._fleet = Fleet(ground.model)

    def rows(self, policy: Policy) -> Iterator[Row]:
        for direction in Direction:
            about = self._about(policy, direction)
            for rule in policy.rules:
                if rule.direction is direction:
                    reasons = (*self._of_rule(policy, rule), *about)
                    name = _name(policy, direction, str(rule.number))
                    yield Row(name, policy, rule, rule.span, reasons)
            if policy.tier is Tier.NORMAL and direction in policy.isolates:
                reasons = (*self._of_isolation(policy, direction), *about)
                name = _name(policy, direction, "default")
                yield Row(name, policy, None, policy.span, reasons)

    def _about(self, policy: Policy, direction: Direction) -> tuple[Reason, ...]:
        """What holds for everything that a policy says in a direction."""
        ground, fleet = self._ground, self._fleet
        found = [*subjects(policy, direction, ground, fleet)]
        if direction is Direction.EGRESS:
            found += init_containers(policy, ground, fleet)
        return tuple(found)

    def _of_rule(self, policy: Policy, rule: PolicyRule) -> Iterator[Reason]:
        ground, fleet = self._ground, self._fleet
        yield from other_protocols(rule)
        yield from plain_tcp(policy, rule, ground, self._speech)
        yield from peers(policy, rule, ground, fleet)
        yield from excluded_ports(policy, rule.direction, rule, ground, fleet)
        if rule.direction is Direction.EGRESS:
            yield from excluded_ranges(policy, rule, ground, fleet)
        elif rule.action is Action.DENY:
            yield from probes(policy, ground, fleet)

    def _of_isolation(self, policy: Policy, direction: Direction) -> Iterator[Reason]:
        ground, fleet = self._ground, self._fleet
        yield from other_protocols(None)
        yield from excluded_ports(policy, direction, None, ground, fleet)
        if direction is Direction.EGRESS:
            yield from excluded_ranges(policy, None, ground, fleet)
        else:
            yield from probes(policy, ground, fleet)


def _name(policy: Policy, direction: Direction, number: str) -> str:
    """Spell a rule as the access log does."""
    names = (policy.kind, policy.namespace, policy.name, direction.value, number)
    return "/".join(name for name in names if name)

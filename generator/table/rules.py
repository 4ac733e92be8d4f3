"""Number the rules: a rule's id is its place in the order of evaluation.

Where in the pipeline: `policies -> rules -> subjects -> rule table`. The result does
not depend on the order of the manifests. NetworkPolicies only add, so their order
among themselves decides nothing but which of several matching rules is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from generator.policy.model import Direction, NetworkPolicy, PolicyRule
from generator.table.model import TablePolicy, TableRule

DIRECTIONS: Final = (Direction.INGRESS, Direction.EGRESS)

RuleKey = tuple[int, Direction, int | None]
"""Place of the policy, direction, rule number; None: isolated, nothing matched."""

PortName = tuple[str, str]
"""Name and protocol of a port."""


@dataclass(frozen=True)
class Rules:
    """All policies and rules in order of evaluation."""

    policies: tuple[NetworkPolicy, ...]
    rows: tuple[TableRule, ...]
    ids: Mapping[RuleKey, int]

    def of_policy(
        self, place: int, direction: Direction
    ) -> Iterator[tuple[int, PolicyRule]]:
        """Yield the rules of one policy and direction with their ids."""
        for rule in self.policies[place].rules:
            if rule.direction is direction and (place, direction, None) in self.ids:
                yield self.ids[place, direction, rule.number], rule

    def default_of(self, places: Iterable[int], direction: Direction) -> int:
        """The rule that names the policy which isolates, of several.

        A policy without rules is there to deny, so it is what people look for; among
        equals the first in order is named.
        """

        def has_rules(place: int) -> bool:
            return any(True for _ in self.of_policy(place, direction))

        named = min(places, key=lambda place: (has_rules(place), place))
        return self.ids[named, direction, None]

    def port_names(self, direction: Direction) -> tuple[PortName, ...]:
        """The named ports that rules of one direction use, sorted."""
        return names_in(
            rule
            for policy in self.policies
            for rule in policy.rules
            if rule.direction is direction
        )

    def table_policies(self) -> tuple[TablePolicy, ...]:
        return tuple(
            TablePolicy(p.kind, p.namespace, p.name, p.span.file) for p in self.policies
        )


def names_in(rules: Iterable[PolicyRule]) -> tuple[PortName, ...]:
    """The named ports of some rules, sorted."""
    found = {
        (port.name, str(port.protocol))
        for rule in rules
        for port in rule.ports or ()
        if port.name
    }
    return tuple(sorted(found))


def number_rules(policies: Iterable[NetworkPolicy]) -> Rules:
    """Order the policies by namespace and name, and give every rule its id."""
    ordered = tuple(sorted(policies, key=lambda p: (p.namespace, p.name)))
    rows: list[TableRule] = []
    ids: dict[RuleKey, int] = {}
    for place, policy in enumerate(ordered):
        for direction in DIRECTIONS:
            if direction in policy.isolates:
                for number, line in _rules_of(policy, direction):
                    ids[place, direction, number] = len(rows)
                    rows.append(TableRule(place, direction, number, line))
    return Rules(ordered, tuple(rows), ids)


def _rules_of(
    policy: NetworkPolicy, direction: Direction
) -> Iterator[tuple[int | None, int]]:
    """Yield rule numbers and lines, and last the policy itself."""
    for rule in policy.rules:
        if rule.direction is direction:
            yield rule.number, rule.span.start.line + 1
    yield None, policy.span.start.line + 1

"""Number the rules: a rule's id is its place in the order of evaluation.

Where in the pipeline: `policies -> rules -> subjects -> rule table`. Tiers come in
order; within Admin and Baseline lower priorities first, then rules as they stand. The
result does not depend on the order of the manifests. NetworkPolicies only add, so
their order among themselves decides nothing but which of several matching rules is
named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from generator.policy.model import (
    Action,
    Direction,
    DomainPeer,
    HttpMatch,
    NodePeer,
    Policy,
    PolicyRule,
    Protocol,
    Tier,
)
from generator.table.model import TablePolicy, TableRule

DIRECTIONS: Final = (Direction.INGRESS, Direction.EGRESS)

RuleKey = tuple[int, Direction, int | None]
"""Place of the policy, direction, rule number; None: isolated, nothing matched."""

PortName = tuple[str, Protocol | None]
"""Name and protocol of a port; None: of any protocol."""


@dataclass(frozen=True)
class Rules:
    """All policies and rules in order of evaluation."""

    policies: tuple[Policy, ...]
    rows: tuple[TableRule, ...]
    ids: Mapping[RuleKey, int]

    @cached_property
    def http(self) -> Mapping[int, tuple[HttpMatch, ...]]:
        """The rules that ask about the request, by their ids."""
        return {
            self.ids[place, rule.direction, rule.number]: rule.http
            for place, policy in enumerate(self.policies)
            for rule in policy.rules
            if rule.http is not None
            and (place, rule.direction, rule.number) in self.ids
        }

    @cached_property
    def ingress_names(self) -> tuple[tuple[PortName, ...], ...]:
        """The named ports that the ingress rules of each policy use."""
        return tuple(
            names_in(rule for _, rule in self.of_policy(place, Direction.INGRESS))
            for place in range(len(self.policies))
        )

    def of_policy(
        self, place: int, direction: Direction
    ) -> Sequence[tuple[int, PolicyRule]]:
        """Return the rules of one policy and direction with their ids."""
        return self._by_policy.get((place, direction), ())

    @cached_property
    def _by_policy(
        self,
    ) -> Mapping[tuple[int, Direction], list[tuple[int, PolicyRule]]]:
        found: dict[tuple[int, Direction], list[tuple[int, PolicyRule]]] = {}
        for place, policy in enumerate(self.policies):
            for rule in policy.rules:
                number = self.ids.get((place, rule.direction, rule.number))
                if number is not None:
                    row = found.setdefault((place, rule.direction), [])
                    row.append((number, rule))
        return found

    def default_of(self, places: Iterable[int], direction: Direction) -> int:
        """The rule that names the policy which isolates, of several.

        A policy without rules is there to deny, so it is what people look for; among
        equals the first in order is named.
        """

        def has_rules(place: int) -> bool:
            return bool(self.of_policy(place, direction))

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
        (port.name, port.protocol)
        for rule in rules
        for port in rule.ports or ()
        if port.name
    }
    return sorted_names(found)


def sorted_names(names: Iterable[PortName]) -> tuple[PortName, ...]:
    return tuple(sorted(names, key=lambda name: (name[0], name[1] or "")))


def number_rules(policies: Iterable[Policy]) -> Rules:
    """Order the policies, and give every rule its id."""
    ordered = tuple(sorted(policies, key=_evaluation_order))
    rows: list[TableRule] = []
    ids: dict[RuleKey, int] = {}
    for place, policy in enumerate(ordered):
        for direction in DIRECTIONS:
            for number, line, action in _rules_of(policy, direction):
                ids[place, direction, number] = len(rows)
                rows.append(TableRule(place, direction, number, line, action))
    return Rules(ordered, tuple(rows), ids)


def _evaluation_order(policy: Policy) -> tuple[int, int, str, str, str]:
    """Ties of tier and priority are refused or warned about before; then by name."""
    place = (policy.tier, policy.priority)
    return (*place, policy.namespace, policy.name, policy.kind)


def _rules_of(
    policy: Policy, direction: Direction
) -> Iterator[tuple[int | None, int, Action]]:
    """Yield number, line and action of rules; last, if it isolates, the policy."""
    if policy.tier is Tier.NORMAL and direction not in policy.isolates:
        return
    for rule in policy.rules:
        if rule.direction is direction:
            yield rule.number, rule.span.start.line + 1, closed(rule).action
    if policy.tier is Tier.NORMAL:
        yield None, policy.span.start.line + 1, Action.DENY


def closed(rule: PolicyRule) -> PolicyRule:
    """Make a rule fail closed that asks for what cannot be told here.

    Which PEPs traffic has passed is not known, so `via`, which only accepts, matches
    nothing.
    Which addresses nodes have is not known here. Accept matches nothing by such a peer;
    Deny and Pass match every address outside the overlay, since a node is one of them,
    and Pass becomes Deny: leaving the tier might skip a Deny that comes later.
    """
    if rule.via:
        return replace(rule, peers=())
    unknown = any(isinstance(p, NodePeer | DomainPeer) for p in rule.peers or ())
    if not unknown or rule.action is Action.ACCEPT:
        return rule
    return replace(rule, action=Action.DENY)

"""What all checks stand on: the model, its members as sets, the fate of every rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from generator.lint.atoms import Atoms
from generator.lint.groups import Group, Grouper, RuleId
from generator.lint.index import MemberIndex
from generator.lint.redundant import find_redundant
from generator.lint.tiers import Fate, find_fates
from generator.policy.model import Model, Policy, PolicyRule
from generator.table.rules import in_order


@dataclass(frozen=True)
class Ground:
    """A model, and what checks ask about it; every answer is made once."""

    model: Model

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """All policies in the order of evaluation."""
        return in_order(self.model.policies)

    @cached_property
    def index(self) -> MemberIndex:
        return MemberIndex(self.model)

    @cached_property
    def atoms(self) -> Atoms:
        return Atoms(self.index)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        return tuple(Grouper(self.policies, self.atoms).groups())

    @cached_property
    def fates(self) -> dict[RuleId, Fate]:
        return find_fates(self.groups)

    @cached_property
    def redundant(self) -> dict[RuleId, set[RuleId]]:
        return find_redundant(self.groups, self.fates)

    def rules(self) -> Iterator[tuple[RuleId, Policy, PolicyRule]]:
        """Yield every rule with its policy, in the order of evaluation."""
        for place, policy in enumerate(self.policies):
            for rule in policy.rules:
                yield (place, rule.direction, rule.number), policy, rule

    def policy_and_rule(self, number: RuleId) -> tuple[Policy, PolicyRule]:
        """Return the rule of an id, and its policy."""
        place, direction, at = number
        policy = self.policies[place]
        (rule,) = (
            rule
            for rule in policy.rules
            if rule.direction is direction and rule.number == at
        )
        return policy, rule


def policy_title(policy: Policy) -> str:
    """Return how messages name a policy."""
    name = f"{policy.namespace}/{policy.name}" if policy.namespace else policy.name
    return f'{policy.kind} "{name}"'


def rule_title(policy: Policy, rule: PolicyRule) -> str:
    """Return how messages name a rule."""
    name = f' "{rule.name}"' if rule.name else ""
    place = f"{rule.direction}[{rule.number}]"
    return f"{place}{name} of {policy_title(policy)}"

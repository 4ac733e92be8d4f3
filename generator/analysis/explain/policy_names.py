"""Spell policies of the model and their rules as the table of a module spells them.

    NetworkPolicy shop/cart-in                    title, for people
    NetworkPolicy/shop/cart-in/ingress/0          the name of a rule, for programs
    policies.yaml:31                              where it is written

A module that was built from these policies has the same names: `RuleTable.rule_name`.
"""

from __future__ import annotations

from generator.policy.model import Direction, Policy, PolicyRule


def policy_title(policy: Policy) -> str:
    """Name a policy for people: Kind namespace/name; cluster-wide ones have no "/"."""
    name = f"{policy.namespace}/{policy.name}" if policy.namespace else policy.name
    return f"{policy.kind} {name}"


def policy_place(policy: Policy) -> str:
    return f"{policy.span.file}:{policy.span.start.line + 1}"


def rule_title(rule: PolicyRule) -> str:
    """Name a rule within its policy: ingress[0], and its own name if it has one."""
    name = f' "{rule.name}"' if rule.name else ""
    return f"{rule.direction}[{rule.number}]{name}"


def rule_name(policy: Policy, rule: PolicyRule) -> str:
    return _name(policy, rule.direction, str(rule.number))


def default_name(policy: Policy, direction: Direction) -> str:
    """Name what denies where a policy isolates and no rule matches."""
    return _name(policy, direction, "default")


def rule_place(policy: Policy, rule: PolicyRule) -> str:
    """A rule's line is in the file of its policy."""
    return f"{policy.span.file}:{rule.span.start.line + 1}"


def _name(policy: Policy, direction: Direction, number: str) -> str:
    names = (policy.kind, policy.namespace, policy.name, direction, number)
    return "/".join(name for name in names if name)

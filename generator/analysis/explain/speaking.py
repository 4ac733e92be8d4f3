"""Which policies speak about an end of a flow, in the order in which they are asked.

Admin and Baseline policies speak in the directions of their rules; those of the normal
tier in the directions in which they isolate. Audited policies do not count.
"""

from __future__ import annotations

from generator.analysis.explain.flow_ends import Asked
from generator.policy.model import Direction, Member, Model, Policy, PolicyRule, Tier
from generator.policy.selector import peer_selects


class Speaking:
    """The enforced policies of a model; remembers whom it has been asked about."""

    def __init__(self, model: Model) -> None:
        self._model = model
        enforced = sorted(
            (policy for policy in model.policies if not policy.is_audited),
            key=lambda p: (p.priority, p.namespace, p.name, p.kind),
        )
        self._tiers = {
            tier: [policy for policy in enforced if policy.tier is tier]
            for tier in Tier
        }
        self._known: dict[tuple[int, Direction, Tier], tuple[Policy, ...]] = {}

    def policies(self, tier: Tier, asked: Asked) -> tuple[Policy, ...]:
        """Return the policies of a tier that speak about the subject, in order."""
        member = asked.subject.member
        if member is None:
            return ()
        # The model keeps its members, so that their identities are for ever.
        key = id(member), asked.direction, tier
        if key not in self._known:
            self._known[key] = tuple(
                policy
                for policy in self._tiers[tier]
                if _speaks(policy, asked.direction) and self._selects(policy, member)
            )
        return self._known[key]

    def _selects(self, policy: Policy, member: Member) -> bool:
        return peer_selects(
            policy.subject,
            policy.namespace,
            member.namespace,
            member.labels,
            self._model,
        )


def rules_of(policy: Policy, asked: Asked) -> list[PolicyRule]:
    """Return the rules of the direction that is asked about."""
    return [rule for rule in policy.rules if rule.direction is asked.direction]


def _speaks(policy: Policy, direction: Direction) -> bool:
    if policy.tier is Tier.NORMAL:
        return direction in policy.isolates
    return any(rule.direction is direction for rule in policy.rules)

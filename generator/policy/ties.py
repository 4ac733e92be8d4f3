"""Find cluster-wide policies whose order the API leaves open.

Where in the pipeline: after loading, before anything is compiled. "If two policies
have the same tier and priority, and both match, [...] the behaviour is undefined."
pepmesh then orders them by name, which nobody should have to know: an error, unless
the person who calls says otherwise. Policies that meet at no workload are no tie.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from generator.errors import Diagnostic, Note
from generator.policy.model import Member, Model, Policy, Tier
from generator.policy.selector import peer_selects

_Rank = tuple[Tier, int]


def find_ties(model: Model) -> tuple[Diagnostic, ...]:
    """Return one POL0041 for each two policies, neighbours by name, that tie."""
    ranks: dict[_Rank, list[Policy]] = {}
    for policy in sorted(model.policies, key=lambda p: (p.name, p.kind)):
        if policy.tier is not Tier.NORMAL:
            ranks.setdefault((policy.tier, policy.priority), []).append(policy)
    found: dict[tuple[int, int], Diagnostic] = {}
    for policies in ranks.values():
        if len(policies) > 1:
            for first, second, member in _meetings(policies, model):
                key = id(first), id(second)
                found.setdefault(key, _diagnose(first, second, member))
    return tuple(sorted(found.values(), key=lambda d: d.sort_key))


def _meetings(
    policies: Sequence[Policy], model: Model
) -> Iterator[tuple[Policy, Policy, Member]]:
    """Yield neighbours among the policies of each workload."""
    for member in model.members:
        if member.host_network:
            continue
        selecting = [policy for policy in policies if _selects(policy, member, model)]
        for first, second in pairwise(selecting):
            yield first, second, member


def _selects(policy: Policy, member: Member, model: Model) -> bool:
    return peer_selects(
        policy.subject, policy.namespace, member.namespace, member.labels, model
    )


def _diagnose(first: Policy, second: Policy, member: Member) -> Diagnostic:
    tier = second.tier.name.capitalize()
    message = (
        f'{second.kind} "{second.name}" and {first.kind} "{first.name}" have tier '
        f"{tier} and priority {second.priority}, and both are about "
        f'"{member.namespace}/{member.name}"'
    )
    notes = (Note("the other one is here", first.span),)
    return Diagnostic("POL0041", message, second.span, notes=notes)

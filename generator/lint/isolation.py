"""Check: namespaces that policy forgot."""

from __future__ import annotations

from collections.abc import Iterator

from generator.errors import Diagnostic
from generator.lint.ground import Ground
from generator.lint.index import Bits
from generator.policy.model import Action, Direction, Tier


def check_isolation(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0041: workloads to which everybody has access, in all of a namespace."""
    if not ground.policies:
        return
    guarded = _guarded(ground)
    for name, members in sorted(ground.index.by_namespace.items()):
        seen = members & ~ground.index.on_host_network
        if not seen or seen & guarded:
            continue
        namespace = ground.model.namespaces[name]
        first = ground.index.members(seen)[0]
        count = seen.bit_count()
        workloads = "1 workload" if count == 1 else f"{count} workloads"
        message = f'no policy guards namespace "{name}" ({workloads})'
        yield Diagnostic("LNT0041", message, namespace.span or first.span)


def _guarded(ground: Ground) -> Bits:
    """Return who is isolated for ingress, or protected by some Deny."""
    found = 0
    for policy in ground.policies:
        denies = any(
            rule.direction is Direction.INGRESS and rule.action is Action.DENY
            for rule in policy.rules
        )
        isolates = policy.tier is Tier.NORMAL and Direction.INGRESS in policy.isolates
        if isolates or denies:
            found |= ground.index.select(policy.subject, policy.namespace)
    return found

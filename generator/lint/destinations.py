"""Where the ports of a rule are: at its subjects, or at the peers that it goes to."""

from __future__ import annotations

from functools import reduce
from operator import or_

from generator.lint.ground import Ground
from generator.lint.index import Bits
from generator.policy.model import (
    AccountPeer,
    Direction,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
)


def destinations(policy: Policy, rule: PolicyRule, ground: Ground) -> Bits:
    """Return the members whose ports a rule speaks of, as far as they are known."""
    index = ground.index
    if rule.direction is Direction.INGRESS:
        return index.select(policy.subject, policy.namespace)
    if rule.peers is None:
        return index.everybody & ~index.on_host_network
    found = [
        index.account(peer)
        if isinstance(peer, AccountPeer)
        else index.select(peer, policy.namespace)
        for peer in rule.peers
        if isinstance(peer, AccountPeer | PodPeer)
    ]
    return reduce(or_, found, 0)


def leads_outside(rule: PolicyRule) -> bool:
    """Tell whether an egress rule is also about others than known members."""
    if rule.direction is Direction.INGRESS:
        return False
    return rule.peers is None or any(
        not isinstance(peer, AccountPeer | PodPeer) for peer in rule.peers
    )


def port_text(port: PortMatch) -> str:
    """Spell a port entry."""
    protocol = port.protocol or "any protocol"
    if port.name:
        return f'"{port.name}" ({protocol})'
    if port.first is None:
        return f"all ports of {protocol}"
    if port.last in (None, port.first):
        return f"{protocol} {port.first}"
    return f"{protocol} {port.first}-{port.last}"

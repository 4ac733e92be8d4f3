"""Check: workloads that may talk to others by name, but not ask for the name.

The classic of egress isolation. Workloads that may talk to nobody, or only to
addresses, need no names; DNS is UDP port 53, or what the manifests call DNS.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.errors import Diagnostic
from generator.lint.areas import bits_on
from generator.lint.ground import Ground, policy_title
from generator.lint.groups import Group
from generator.lint.spoken import targets_of
from generator.overlay.workloads import title
from generator.policy.model import (
    Action,
    Direction,
    DomainPeer,
    Member,
    PortMatch,
    Protocol,
    Tier,
)
from generator.table.ports import key_of

DNS: Final = 53
_NAMES: Final = frozenset({"dns", "dns-udp", "domain"})
_NAMED: Final = 3


def check_dns(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0040: egress is isolated, names are needed, and nothing allows DNS."""
    keys = dns_keys(ground)
    cut_off: dict[int, list[Member]] = {}
    for group in ground.groups:
        if group.direction is Direction.INGRESS or not group.would_isolate:
            continue
        if _needs_names(group, ground) and not _may_ask(group, keys):
            place = _named_policy(group, ground)
            cut_off.setdefault(place, []).extend(group.members)
    for place, members in sorted(cut_off.items()):
        policy = ground.policies[place]
        names = ", ".join(title(member) for member in members[:_NAMED])
        more = len(members) - _NAMED
        message = (
            f"{policy_title(policy)} isolates {names}"
            f"{f' and {more} more' if more > 0 else ''} for egress, and no rule "
            "allows DNS"
        )
        yield Diagnostic("LNT0040", message, policy.span)


def dns_keys(ground: Ground) -> frozenset[int]:
    """Return the keys at which names are asked for."""
    found = {DNS}
    for member in ground.model.members:
        found |= {
            port.number
            for port in member.ports
            if port.protocol is Protocol.UDP and port.name in _NAMES
        }
    for service in ground.model.services:
        for each in service.ports:
            if (each.number, each.protocol) == (DNS, Protocol.UDP):
                targets = [targets_of(each, member) for member in ground.model.members]
                found |= {number for numbers in targets for number in numbers}
    return frozenset(key_of(Protocol.UDP, number) for number in found)


def _needs_names(group: Group, ground: Ground) -> bool:
    """Tell whether a workload may open some TCP connection to a pod or a name."""
    return any(
        row.rule.action is Action.ACCEPT
        and (
            any(isinstance(peer, DomainPeer) for peer in row.rule.peers or ())
            or any(
                area.keys[0] <= key_of(Protocol.TCP, 0xFFFF)
                and area.reached.perhaps & ground.index.everybody
                for area in row.areas
            )
        )
        for row in group.rows
        if row.policy.tier is not Tier.BASELINE
    )


def _may_ask(group: Group, keys: frozenset[int]) -> bool:
    """Tell whether a rule allows DNS, be it to somebody who is not in the manifests."""
    rules = [row for row in group.rows if row.policy.tier is not Tier.BASELINE]
    return any(
        row.rule.action is Action.ACCEPT
        and (
            any(bits_on(row.areas, key, is_certain=False) for key in keys)
            or any(_is_dns(port, keys) for port in row.rule.ports or ())
        )
        for row in rules
    )


def _is_dns(port: PortMatch, keys: frozenset[int]) -> bool:
    if port.protocol is not Protocol.UDP:
        return False
    numbers = {key & 0xFFFF for key in keys}
    return port.first in numbers or port.name in _NAMES


def _named_policy(group: Group, ground: Ground) -> int:
    """Return the policy that people look for first: one that only isolates."""

    def has_rules(place: int) -> bool:
        rules = ground.policies[place].rules
        return any(rule.direction is Direction.EGRESS for rule in rules)

    return min(group.would_isolate, key=lambda place: (has_rules(place), place))

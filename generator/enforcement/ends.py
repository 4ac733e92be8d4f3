"""Reasons that lie in who sends and receives: pods that no sidecar stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_

from generator.enforcement.model import Reason, Status, part
from generator.enforcement.sidecars import Fleet
from generator.lint.ground import Ground
from generator.lint.index import Bits
from generator.overlay.workloads import title
from generator.policy.model import (
    Action,
    Direction,
    DomainPeer,
    Member,
    NodePeer,
    PodPeer,
    Policy,
    PolicyRule,
)

_NAMED = 2


def name_some(members: Sequence[Member]) -> str:
    """Name a few members."""
    names = [title(member) for member in members[:_NAMED]]
    more = len(members) - len(names)
    return " and ".join([*names, *([f"{more} more"] if more > 0 else [])])


def subjects(
    policy: Policy, direction: Direction, ground: Ground, fleet: Fleet
) -> Iterator[Reason]:
    """The pods that a policy is about must have a sidecar that judges."""
    index = ground.index
    found = index.select_with_host_network(policy.subject, policy.namespace)
    on_host = found & index.on_host_network
    if on_host:
        text = f"{name_some(index.members(on_host))} is on the host network"
        yield Reason("host-network-subject", part(on_host == found), text)
    bare = found & ~index.on_host_network & fleet.bare
    if bare:
        other = "sender" if direction is Direction.INGRESS else "receiver"
        text = (
            f"{name_some(index.members(bare))} has no sidecar "
            f"({fleet.missing(bare)}): only the {other}'s can enforce"
        )
        yield Reason("no-sidecar-subject", Status.APPROXIMATED, text)


def peers(
    policy: Policy, rule: PolicyRule, ground: Ground, fleet: Fleet
) -> Iterator[Reason]:
    """Peers are known by their proof, which a sidecar gives; or by an address."""
    index = ground.index
    pods = [peer for peer in rule.peers or () if isinstance(peer, PodPeer)]
    every = [index.select_with_host_network(p, policy.namespace) for p in pods]
    found: Bits = reduce(or_, every, 0)
    is_only = len(pods) == len(rule.peers or ())
    on_host = found & index.on_host_network
    if on_host:
        names = name_some(index.members(on_host))
        text = f"{names} is on the host network, so only its address is known"
        yield Reason("host-network-peer", part(is_only and on_host == found), text)
    bare = found & ~index.on_host_network & fleet.bare
    if bare and rule.direction is Direction.INGRESS:
        text = (
            f"{name_some(index.members(bare))} has no sidecar "
            f"({fleet.missing(bare)}), so it cannot prove who it is"
        )
        yield Reason("no-sidecar-peer", part(is_only and bare == found), text)
    yield from _unknown(rule)


def _unknown(rule: PolicyRule) -> Iterator[Reason]:
    """Nodes, names, and PEPs on the way are not known to the filter."""
    given = rule.peers or ()
    nodes = [peer for peer in given if isinstance(peer, NodePeer)]
    names = [peer for peer in given if isinstance(peer, DomainPeer)]
    if nodes and rule.action is Action.ACCEPT:
        text = "addresses of nodes are not known, so nothing matches by them"
        yield Reason("nodes", part(len(nodes) == len(given)), text)
    elif nodes:
        text = (
            "addresses of nodes are not known, so it denies every address outside the "
            "overlay"
        )
        yield Reason("nodes", Status.APPROXIMATED, text)
    if names:
        text = "addresses of domain names are not known, so nothing matches by them"
        yield Reason("domain-names", part(len(names) == len(given)), text)
    if rule.via:
        text = "nothing checks `via` yet, so the rule matches nothing"
        yield Reason("via", Status.IMPOSSIBLE, text)

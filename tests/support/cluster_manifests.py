"""Cluster-wide policies back to manifests. Part of `manifests`.

Neighbouring blocks and domain names share a peer, as the API's lists of them may. A
rule that failed closed is written with a peer that says nothing.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

from generator.policy.dialects import CLUSTER, DIALECTS, Dialect
from generator.policy.model import (
    BlockPeer,
    Direction,
    DomainPeer,
    NodePeer,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
)
from tests.support.policy_manifests import Manifest, selector_manifest

_PEERS: Final = {Direction.INGRESS: "from", Direction.EGRESS: "to"}


def cluster_policy_spec(policy: Policy) -> Manifest:
    """Return the spec of a cluster-wide policy, in the words of its kind."""
    dialect = DIALECTS[policy.kind]
    spec: Manifest = {"subject": _pods(policy.subject)}
    if dialect.tier is None:
        spec["tier"] = policy.tier.name.capitalize()
    if dialect.has_priority:
        spec["priority"] = policy.priority
    for direction in Direction:
        rules = [rule for rule in policy.rules if rule.direction is direction]
        if rules:
            spec[direction.value] = [_rule(rule, dialect) for rule in rules]
    return spec


def _rule(rule: PolicyRule, dialect: Dialect) -> Manifest:
    words = {action: word for word, action in dialect.actions.items()}
    found: Manifest = {"action": words[rule.action]}
    if rule.name:
        found["name"] = rule.name
    found[_PEERS[rule.direction]] = _peers(rule.peers) if rule.peers else [{}]
    if rule.ports is not None:
        port = _new_port if dialect is CLUSTER else _old_port
        found[dialect.ports] = [port(each) for each in rule.ports]
    return found


def _peers(peers: tuple[Peer, ...]) -> list[Manifest]:
    found: list[Manifest] = []
    for kind, group in groupby(peers, type):
        each = list(group)
        if kind is BlockPeer:
            blocks = [str(p.cidr) for p in each if isinstance(p, BlockPeer)]
            found.append({"networks": blocks})
        elif kind is DomainPeer:
            names = [p.pattern for p in each if isinstance(p, DomainPeer)]
            found.append({"domainNames": names})
        else:
            found += [_peer(peer) for peer in each]
    return found


def _peer(peer: Peer) -> Manifest:
    if isinstance(peer, NodePeer):
        return {"nodes": selector_manifest(peer.nodes)}
    assert isinstance(peer, PodPeer)
    return _pods(peer)


def _pods(peer: PodPeer) -> Manifest:
    assert peer.namespaces is not None
    namespaces = selector_manifest(peer.namespaces)
    if peer.pods is None:
        return {"namespaces": namespaces}
    pods = selector_manifest(peer.pods)
    return {"pods": {"namespaceSelector": namespaces, "podSelector": pods}}


def _new_port(port: PortMatch) -> Manifest:
    if port.protocol is None:
        return {"destinationNamedPort": port.name}
    number: Manifest = {"number": port.first}
    if port.first != port.last:
        number = {"range": {"start": port.first, "end": port.last}}
    return {port.protocol.value.lower(): {"destinationPort": number}}


def _old_port(port: PortMatch) -> Manifest:
    if port.protocol is None:
        return {"namedPort": port.name}
    protocol = {"protocol": port.protocol.value}
    if port.first != port.last:
        return {"portRange": {**protocol, "start": port.first, "end": port.last}}
    return {"portNumber": {**protocol, "port": port.first}}

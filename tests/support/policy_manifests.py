"""NetworkPolicies and selectors back to manifests. Part of `manifests`."""

from __future__ import annotations

from typing import Any

from generator.policy.model import (
    BlockPeer,
    Direction,
    LabelSelector,
    Operator,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Requirement,
)

Manifest = dict[str, Any]


def network_policy_spec(policy: Policy) -> Manifest:
    """Return the spec of a NetworkPolicy."""
    spec: Manifest = {}
    subject = policy.subject.pods
    if subject is not None and subject.requirements:
        spec["podSelector"] = selector_manifest(subject)
    for direction in Direction:
        rules = [_rule(rule) for rule in policy.rules if rule.direction is direction]
        if rules:
            spec[direction.value] = rules
    default = {Direction.INGRESS} | ({Direction.EGRESS} if "egress" in spec else set())
    if policy.isolates != default:
        spec["policyTypes"] = [
            direction.value.capitalize()
            for direction in Direction
            if direction in policy.isolates
        ]
    return spec


def _rule(rule: PolicyRule) -> Manifest:
    found: Manifest = {}
    if rule.peers is not None:
        field = "from" if rule.direction is Direction.INGRESS else "to"
        found[field] = [_peer(peer) for peer in rule.peers]
    if rule.ports is not None:
        found["ports"] = [port_manifest(port) for port in rule.ports]
    return found


def _peer(peer: Peer) -> Manifest:
    match peer:
        case BlockPeer():
            block: Manifest = {"cidr": str(peer.cidr)}
            if peer.excepts:
                block["except"] = [str(network) for network in peer.excepts]
            return {"ipBlock": block}
        case PodPeer():
            found: Manifest = {}
            if peer.pods is not None:
                found["podSelector"] = selector_manifest(peer.pods)
            if peer.namespaces is not None:
                found["namespaceSelector"] = selector_manifest(peer.namespaces)
            return found
        case _:
            raise TypeError(peer)


def port_manifest(port: PortMatch) -> Manifest:
    """Return an entry of `ports`."""
    assert port.protocol is not None
    is_default = port.protocol is Protocol.TCP
    found: Manifest = {} if is_default else {"protocol": port.protocol.value}
    if port.name:
        found["port"] = port.name
    elif port.first is not None:
        found["port"] = port.first
        if port.last != port.first:
            found["endPort"] = port.last
    return found


def selector_manifest(selector: LabelSelector) -> Manifest:
    """Return a selector: `matchLabels` for what may be said so, in the same order."""
    rest = list(selector.requirements)
    labels: dict[str, str] = {}
    while rest and _is_match_label(rest[0]) and rest[0].key not in labels:
        first = rest.pop(0)
        labels[first.key] = first.values[0]
    found: Manifest = {"matchLabels": labels} if labels else {}
    if rest:
        found["matchExpressions"] = [_expression(requirement) for requirement in rest]
    return found


def _is_match_label(requirement: Requirement) -> bool:
    return requirement.operator is Operator.IN and len(requirement.values) == 1


def _expression(requirement: Requirement) -> Manifest:
    found: Manifest = {
        "key": requirement.key,
        "operator": requirement.operator.value,
    }
    if requirement.values:
        found["values"] = list(requirement.values)
    return found

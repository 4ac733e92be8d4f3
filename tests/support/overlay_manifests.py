"""OverlayPolicies back to manifests. Part of `manifests`.

Every field that may be left out is left out where its default is meant. Neighbours
that are entries of one list share a peer, as the lists of the API may. What `users`
and `groups` are read as is written as those.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from generator.policy.model import (
    AccountPeer,
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    HeaderKind,
    HeaderMatch,
    HttpMatch,
    LabelSelector,
    Operator,
    OverlayPeer,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    Requirement,
    Tier,
)
from tests.support.policy_manifests import Manifest, port_manifest, selector_manifest

_PEERS: Final = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
_EDGE: Final = LabelSelector((Requirement("pepmesh.dev/edge", Operator.IN, ("true",)),))
_GROUP: Final = "group.pepmesh.dev/"


def overlay_policy_spec(policy: Policy) -> Manifest:
    """Return the spec of an OverlayPolicy."""
    spec: Manifest = {"subject": _pods(policy.subject)}
    if policy.tier is not Tier.NORMAL:
        spec |= {"tier": policy.tier.name.capitalize(), "priority": policy.priority}
    if policy.is_audited:
        spec["mode"] = "audit"
    for direction in Direction:
        rules = [rule for rule in policy.rules if rule.direction is direction]
        if rules:
            spec[direction.value] = [_rule(rule, policy) for rule in rules]
    default = {Direction.INGRESS} | ({Direction.EGRESS} if "egress" in spec else set())
    if policy.tier is Tier.NORMAL and policy.isolates != default:
        types = [d.value.capitalize() for d in Direction if d in policy.isolates]
        spec["policyTypes"] = types
    return spec


def _rule(rule: PolicyRule, policy: Policy) -> Manifest:
    found: Manifest = {}
    if policy.tier is not Tier.NORMAL or rule.action is not Action.ACCEPT:
        found["action"] = rule.action.value
    if rule.name:
        found["name"] = rule.name
    if rule.peers is not None:
        found[_PEERS[rule.direction]] = _peers(rule.peers, policy.namespace)
    if rule.ports is not None:
        found["ports"] = [port_manifest(port) for port in rule.ports]
    if rule.http is not None:
        found["http"] = [_entry(entry) for entry in rule.http]
    if rule.via:
        found["via"] = list(rule.via)
    return found


# --- peers ----------------------------------------------------------------------------


def _peers(peers: Iterable[Peer], own: str) -> list[Manifest]:
    found: list[Manifest] = []
    for field, group in groupby((_peer(peer, own) for peer in peers), lambda p: p[0]):
        entries = [entry for _, entry in group]
        if field in ("pods", "namespaces", "users"):
            found += [{field: entry} for entry in entries]
        else:
            found.append({field: entries})
    return found


def _peer(peer: Peer, own: str) -> tuple[str, Any]:
    """Return the field of a peer, and its value or its entry in that list."""
    match peer:
        case AccountPeer():
            account = {"name": peer.name}
            if peer.namespace != own:
                account["namespace"] = peer.namespace
            return "serviceAccounts", account
        case OverlayPeer():
            return "overlayCIDRs", str(peer.cidr)
        case BlockPeer():
            return "networks", str(peer.cidr)
        case DomainPeer():
            return "domainNames", peer.pattern
        case PodPeer() if peer.namespaces == _EDGE and peer.pods is not None:
            (asked,) = peer.pods.requirements
            if asked.key.startswith(_GROUP):
                return "groups", asked.key.removeprefix(_GROUP)
            return "users", list(asked.values)
        case PodPeer():
            ((field, entry),) = _pods(peer).items()
            return field, entry
        case _:
            raise TypeError(peer)


def _pods(peer: PodPeer) -> Manifest:
    if peer.pods is None:
        assert peer.namespaces is not None
        return {"namespaces": selector_manifest(peer.namespaces)}
    pods: Manifest = {"podSelector": selector_manifest(peer.pods)}
    if peer.namespaces is not None:
        pods["namespaceSelector"] = selector_manifest(peer.namespaces)
    return {"pods": pods}


# --- http -----------------------------------------------------------------------------


def _entry(entry: HttpMatch) -> Manifest:
    lists: Manifest = {
        "methods": list(entry.methods),
        "paths": [{path.kind.value: path.pattern} for path in entry.paths],
        "hosts": list(entry.hosts),
        "headers": [_header(header) for header in entry.headers],
    }
    return {field: items for field, items in lists.items() if items}


def _header(header: HeaderMatch) -> Manifest:
    is_present = header.kind is HeaderKind.PRESENT
    value = True if is_present else header.value
    found: Manifest = {"name": header.name, header.kind.value: value}
    if header.is_negated:
        found["not"] = True
    return found

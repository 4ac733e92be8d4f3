"""Read subjects and peers of cluster-wide policies.

Part of `cluster_policy`. `peer_forms` finds out which form a peer has. A list with a
peer of no known form is not complete, and the caller fails closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from generator.policy.dialects import CLUSTER, Dialect
from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.labels import read_domain
from generator.policy.lists import read_list
from generator.policy.model import (
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    NodePeer,
    Peer,
    PodPeer,
    Tier,
)
from generator.policy.peer_forms import PeerList, form_of
from generator.policy.peer_reader import read_cidr
from generator.policy.selector_reader import read_selector

_INGRESS: Final = ("namespaces", "pods")
_EGRESS: Final = (*_INGRESS, "networks", "nodes", "domainNames")
_NAMESPACED_POD: Final = ("namespaceSelector", "podSelector")
_MOST_NETWORKS: Final = 25


@dataclass(frozen=True, slots=True)
class Place:
    """Where peers stand: it decides which of them are allowed."""

    dialect: Dialect
    tier: Tier
    direction: Direction
    action: Action
    findings: Findings


def read_subject(value: Value, dialect: Dialect, findings: Findings) -> PodPeer:
    """Read the pods that a policy is about: `namespaces` or `pods`."""
    value.refuse_unknown(_INGRESS, findings)
    namespaces, pods = value.get("namespaces"), value.get("pods")
    if (namespaces is None) == (pods is None):
        message = "the subject is empty" if pods is None else "two subjects"
        raise value.error("POL0033", message)
    if pods is not None:
        return _read_pods(pods, value, dialect, findings)
    return PodPeer(None, read_selector(namespaces, findings), value.first_line)


def read_peers(value: Value, place: Place) -> PeerList:
    """Read `from` or `to`: 1 entry or more."""
    found: list[Peer] = []
    is_complete = True
    for item in read_list(value, 1, place.dialect.most):
        with place.findings.collect():
            peers = list(_read_peer(item, place))
            is_complete = is_complete and bool(peers)
            found += peers
    return PeerList(tuple(found), is_complete)


def _read_peer(value: Value, place: Place) -> Iterator[Peer]:
    """Yield what one entry stands for; nothing if it is unknown."""
    form = form_of(value, _EGRESS, place.action, place.findings)
    if form is None:
        return
    entry = value.require(form)
    _refuse_misplaced(entry, form, place)
    span = value.first_line
    match form:
        case "namespaces":
            yield PodPeer(None, read_selector(entry, place.findings), span)
        case "pods":
            yield _read_pods(entry, value, place.dialect, place.findings)
        case "nodes":
            message = (
                "the addresses of nodes are not known: Accept matches none by this "
                "peer, Deny and Pass deny every address that is no member"
            )
            place.findings.add("POL0044", message, span)
            yield NodePeer(read_selector(entry, place.findings), span)
        case "networks":
            for item in read_list(entry, 1, _MOST_NETWORKS):
                yield BlockPeer(read_cidr(item), (), item.span)
        case _:
            for item in read_list(entry, 1, _MOST_NETWORKS):
                yield DomainPeer(read_domain(item), item.span)


def _refuse_misplaced(entry: Value, form: str, place: Place) -> None:
    """Refuse a peer that has no meaning where it stands.

    "domainNames: [...] can only be used with the Accept action" and in the Admin tier
    (network-policy-api#366).
    """
    if form not in _INGRESS and place.direction is Direction.INGRESS:
        raise entry.error("POL0036", f"{form} cannot be a source")
    if form != "domainNames":
        return
    if place.action is not Action.ACCEPT:
        words = {action: word for word, action in place.dialect.actions.items()}
        accept = words[Action.ACCEPT]
        raise entry.error("POL0036", f"domainNames need the action {accept}")
    if place.tier is not Tier.ADMIN:
        raise entry.error("POL0036", "domainNames need the tier Admin")


def _read_pods(
    value: Value, outer: Value, dialect: Dialect, findings: Findings
) -> PodPeer:
    """Read `pods`: both selectors are required, "an empty selector selects all".

    Manifests of v1alpha1 often lack one of them, and every reader took the field's
    zero value, which selects all: there it is a warning.
    """
    value.refuse_unknown(_NAMESPACED_POD, findings)
    if dialect is CLUSTER:
        for name in _NAMESPACED_POD:
            value.require(name)
    for name in _NAMESPACED_POD:
        if value.get(name) is None:
            message = f"{value.path}.{name} is missing: it selects everything"
            findings.add("POL0045", message, value.first_line)
    pods = read_selector(value.get("podSelector"), findings)
    namespaces = read_selector(value.get("namespaceSelector"), findings)
    return PodPeer(pods, namespaces, outer.first_line)

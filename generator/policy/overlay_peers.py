"""Read subjects and peers of OverlayPolicy.

Part of `overlay_policy`. Edge users and groups are labels of edge endpoints, so they
become pod peers here. They count in namespaces with the label of edges only: whoever
may write a pod's labels cannot make it somebody's laptop by that. Without a
`namespaceSelector`, `pods` are those of the policy's own namespace.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Network
from typing import Final

from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.labels import (
    read_domain,
    read_label_value,
    read_namespace_name,
    read_object_name,
)
from generator.policy.lists import read_list
from generator.policy.model import (
    AccountPeer,
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    LabelSelector,
    Operator,
    OverlayPeer,
    Peer,
    PodPeer,
    Requirement,
    Tier,
)
from generator.policy.peer_forms import PeerList, form_of
from generator.policy.peer_reader import read_cidr
from generator.policy.selector_reader import read_selector

MOST: Final = 25
"""The limit of every list of an OverlayPolicy."""

EDGE_LABEL: Final = "pepmesh.dev/edge"
"""On a namespace, with the value "true": its endpoints are devices of people."""

USER_LABEL: Final = "pepmesh.dev/user"
GROUP_PREFIX: Final = "group.pepmesh.dev/"

_SUBJECT: Final = ("pods", "namespaces")
_PEERS: Final = (
    "pods",
    "namespaces",
    "serviceAccounts",
    "overlayCIDRs",
    "networks",
    "domainNames",
    "users",
    "groups",
)
_PODS: Final = ("podSelector", "namespaceSelector")
_ACCOUNT: Final = ("name", "namespace")
_OVERLAYS: Final = IPv6Network("fd00::/8")
_WORKLOAD_BITS: Final = 96


@dataclass(frozen=True, slots=True)
class Place:
    """Where peers stand: it decides which of them are allowed."""

    namespace: str
    tier: Tier
    direction: Direction
    action: Action
    findings: Findings


def read_subject(value: Value, findings: Findings) -> PodPeer:
    """Read the pods that a policy is about: `pods` or `namespaces`."""
    value.refuse_unknown(_SUBJECT, findings)
    pods, namespaces = value.get("pods"), value.get("namespaces")
    if (namespaces is None) == (pods is None):
        message = "the subject is empty" if pods is None else "two subjects"
        hint = "a subject has pods or namespaces; pods: {podSelector: {}} means all"
        raise value.error("POL0033", message, hint)
    if pods is not None:
        return _read_pods(pods, value, findings)
    return PodPeer(None, read_selector(namespaces, findings), value.first_line)


def read_peers(value: Value, place: Place) -> PeerList:
    """Read `from` or `to`: 1 to 25 entries."""
    found: list[Peer] = []
    is_complete = True
    for item in read_list(value, 1, MOST):
        with place.findings.collect():
            form = form_of(item, _PEERS, place.action, place.findings)
            is_complete = is_complete and form is not None
            if form is not None:
                found += _read_peer(item, form, place)
    return PeerList(tuple(found), is_complete)


def _read_peer(value: Value, form: str, place: Place) -> Iterator[Peer]:
    """Yield what one entry stands for."""
    entry, findings = value.require(form), place.findings
    match form:
        case "pods":
            yield _read_pods(entry, value, findings)
            return
        case "namespaces":
            yield PodPeer(None, read_selector(entry, findings), value.first_line)
            return
        case "domainNames":
            _refuse_misplaced_names(entry, place)
    items = read_list(entry, 1, MOST)
    if form == "users":
        yield _read_users(items, value)
        return
    for item in items:
        with findings.collect():
            yield _read_item(item, form, place)


def _read_item(item: Value, form: str, place: Place) -> Peer:
    """Read one entry of a list that stands for as many peers."""
    match form:
        case "serviceAccounts":
            return _read_account(item, place)
        case "overlayCIDRs":
            return OverlayPeer(_read_overlay_cidr(item), item.span)
        case "networks":
            return BlockPeer(read_cidr(item), (), item.span)
        case "domainNames":
            return DomainPeer(read_domain(item), item.span)
        case _:
            key = GROUP_PREFIX + _read_edge_name(item)
            return _edge_peer(Requirement(key, Operator.EXISTS, (), item.span), item)


def _read_pods(value: Value, outer: Value, findings: Findings) -> PodPeer:
    """Read `pods`: `podSelector` is required, "{}" selects all."""
    value.refuse_unknown(_PODS, findings)
    pods = read_selector(value.require("podSelector"), findings)
    namespaces = value.get("namespaceSelector")
    selector = None if namespaces is None else read_selector(namespaces, findings)
    return PodPeer(pods, selector, outer.first_line)


def _read_account(value: Value, place: Place) -> AccountPeer:
    value.refuse_unknown(_ACCOUNT, place.findings)
    given = value.get("namespace")
    namespace = place.namespace if given is None else read_namespace_name(given)
    name = read_object_name(value.require("name"))
    return AccountPeer(namespace, name, value.first_line)


def _read_overlay_cidr(value: Value) -> IPv6Network:
    """Read a block of overlay addresses: a realm, a workload, or a part of either.

    The last 32 bits are the endpoint's own address, which comes and goes.
    """
    network = read_cidr(value)
    if not isinstance(network, IPv6Network) or not network.subnet_of(_OVERLAYS):
        message = f'"{value.text()}" is not a block of overlay addresses'
        hint = "overlay addresses are in fd00::/8; networks is for all others"
        raise value.error("POL0051", message, hint)
    if network.prefixlen > _WORKLOAD_BITS:
        message = f'"{value.text()}" is smaller than a workload, which is a /96'
        hint = "the rest is the endpoint's own address: write networks for single ones"
        raise value.error("POL0051", message, hint)
    return network


def _refuse_misplaced_names(value: Value, place: Place) -> None:
    """Refuse names where an unknown address would have to count as a match."""
    if place.direction is Direction.INGRESS:
        raise value.error("POL0047", "domainNames cannot be a source")
    if place.action is not Action.ACCEPT:
        raise value.error("POL0047", "domainNames need the action Accept")
    if place.tier is Tier.BASELINE:
        raise value.error("POL0047", "domainNames need the tier Admin or Normal")


def _read_users(items: list[Value], value: Value) -> PodPeer:
    names = tuple(_read_edge_name(item) for item in items)
    span = value.first_line
    return _edge_peer(Requirement(USER_LABEL, Operator.IN, names, span), value)


def _read_edge_name(value: Value) -> str:
    """Read a user or a group, which is the value or the name of a label."""
    name = read_label_value(value)
    if not name:
        raise value.error("POL0052", "the name is empty")
    return name


def _edge_peer(requirement: Requirement, value: Value) -> PodPeer:
    is_edge = Requirement(EDGE_LABEL, Operator.IN, ("true",), value.first_line)
    pods, namespaces = LabelSelector((requirement,)), LabelSelector((is_edge,))
    return PodPeer(pods, namespaces, value.first_line)

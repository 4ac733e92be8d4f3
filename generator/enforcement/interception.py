"""Reasons that lie in what passes by a sidecar: ports, ranges, early containers."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from generator.enforcement.ends import name_some
from generator.enforcement.model import Reason, Status, part
from generator.enforcement.sidecars import Fleet, Ports, covers, ports_text, touches
from generator.lint.areas import named_at
from generator.lint.ground import Ground
from generator.lint.index import places
from generator.policy.model import (
    BlockPeer,
    Direction,
    IPNetwork,
    Member,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
)


def excluded_ports(
    policy: Policy,
    direction: Direction,
    rule: PolicyRule | None,
    ground: Ground,
    fleet: Fleet,
) -> Iterator[Reason]:
    """Ports that are excluded from interception at the subjects."""
    is_ingress = direction is Direction.INGRESS
    found = ground.index.select(policy.subject, policy.namespace)
    if not found & (fleet.inbound if is_ingress else fleet.outbound):
        return
    hit, are_all = [], []
    for place in places(found):
        member = ground.model.members[place]
        sidecar = fleet.sidecars[place]
        excluded = sidecar.inbound if is_ingress else sidecar.outbound
        spans = _spans(rule, member if is_ingress else None)
        if any(touches(excluded, *span) for span in spans):
            hit.append((member, excluded))
        are_all.append(bool(spans) and all(covers(excluded, *s) for s in spans))
    if hit:
        members = [member for member, _ in hit]
        text = (
            f"{direction} ports {ports_text(hit[0][1])} of {name_some(members)} are "
            "excluded from interception"
        )
        yield Reason(f"excluded-{_bound(direction)}-ports", part(all(are_all)), text)


def _bound(direction: Direction) -> str:
    return "inbound" if direction is Direction.INGRESS else "outbound"


def _spans(rule: PolicyRule | None, member: Member | None) -> Ports:
    """Return the TCP ports of a rule; named ones at the subject only."""
    if rule is None or rule.ports is None:
        return ((0, 0xFFFF),)
    return tuple(span for port in rule.ports for span in _port_spans(port, member))


def _port_spans(port: PortMatch, member: Member | None) -> list[tuple[int, int]]:
    if port.name:
        keys = named_at(port, member) if member else []
        return [(key & 0xFFFF,) * 2 for key, _ in keys]
    if port.protocol is not Protocol.TCP:
        return []
    if port.first is None:
        return [(0, 0xFFFF)]
    return [(port.first, port.first if port.last is None else port.last)]


def excluded_ranges(
    policy: Policy, rule: PolicyRule | None, ground: Ground, fleet: Fleet
) -> Iterator[Reason]:
    """Addresses that egress reaches past the sidecar."""
    found = ground.index.select(policy.subject, policy.namespace)
    hit = list(places(found & fleet.ranges))
    if hit:
        ranges = fleet.sidecars[hit[0]].ranges
        names = name_some([ground.model.members[place] for place in hit])
        text = f"traffic {ranges} of {names} is excluded from interception"
        is_all = len(hit) == found.bit_count() and all(
            _is_inside(rule, fleet.sidecars[place].ranges) for place in hit
        )
        yield Reason("excluded-outbound-ranges", part(is_all), text)


def _is_inside(rule: PolicyRule | None, ranges: str) -> bool:
    """Tell whether all peers of a rule are blocks inside one excluded range."""
    if rule is None or not rule.peers or not ranges.startswith("to "):
        return False
    excluded = list(_networks(ranges.removeprefix("to ")))
    return all(
        isinstance(peer, BlockPeer)
        and any(_holds(network, peer.cidr) for network in excluded)
        for peer in rule.peers
    )


def _networks(text: str) -> Iterator[IPNetwork]:
    for item in text.split(","):
        try:
            yield ip_network(item.strip(), strict=False)
        except ValueError:
            continue


def _holds(outer: IPNetwork, inner: IPNetwork) -> bool:
    return outer.version == inner.version and (
        int(outer.network_address) <= int(inner.network_address)
        and int(inner.broadcast_address) <= int(outer.broadcast_address)
    )


def init_containers(policy: Policy, ground: Ground, fleet: Fleet) -> Iterator[Reason]:
    """Init containers run before the sidecar: nobody judges what they send."""
    found = ground.index.select(policy.subject, policy.namespace)
    members = ground.index.members(found & fleet.starting)
    if members:
        text = (
            f'init containers ("{members[0].facts.init_containers[0]}" of '
            f"{name_some(members)}) send before the sidecar runs"
        )
        yield Reason("init-containers", Status.APPROXIMATED, text)


def probes(policy: Policy, ground: Ground, fleet: Fleet) -> Iterator[Reason]:
    """The kubelet has no proof; Istio lets its probes end beside the filter."""
    found = ground.index.select(policy.subject, policy.namespace)
    probed = list(places(found & fleet.probed))
    raw = [place for place in probed if fleet.sidecars[place].has_raw_probes]
    if not probed:
        return
    members = [ground.model.members[place] for place in raw or probed]
    what = f"{members[0].facts.probes[0]} of {name_some(members)}"
    if raw:
        text = f"the kubelet's probes ({what}) are denied: their rewriting is off"
        yield Reason("probes-denied", Status.APPROXIMATED, text)
    else:
        text = (
            f"the kubelet's probes ({what}) must not reach the filter: check that "
            "Istio rewrites them (rewriteAppHTTPProbe)"
        )
        yield Reason("probes", Status.ENFORCED, text)

"""Reasons that lie in what is spoken: a proxy sees TCP, and the filter sees HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from generator.enforcement.model import Reason, Status, part
from generator.lint.destinations import destinations
from generator.lint.ground import Ground
from generator.lint.http_ports import numbers_at
from generator.lint.index import Bits, places
from generator.lint.spoken import Speech, Spoken
from generator.overlay.workloads import title
from generator.policy.model import Policy, PolicyRule, PortMatch, Protocol, protocols_of


def other_protocols(rule: PolicyRule | None) -> Iterator[Reason]:
    """UDP, SCTP and ICMP do not pass through a proxy."""
    if rule is not None and rule.http is not None:
        return
    if rule is None or rule.ports is None:
        text = "of all protocols that it is about, a proxy sees TCP only"
        yield Reason("all-protocols", Status.APPROXIMATED, text)
        return
    found = {protocol for port in rule.ports for protocol in protocols_of(port)}
    is_sure = all(port.protocol is not None for port in rule.ports)
    for protocol in (Protocol.UDP, Protocol.SCTP):
        if protocol in found and is_sure:
            status = part(Protocol.TCP not in found)
            text = f"{protocol} does not pass through a proxy"
            yield Reason(protocol.lower(), status, text)


def plain_tcp(
    policy: Policy, rule: PolicyRule, ground: Ground, speech: Speech
) -> Iterator[Reason]:
    """The filter judges requests; a port known to have none is not its business."""
    found = destinations(policy, rule, ground)
    if rule.http is not None or not found & speech.other:
        return
    told = list(_spoken(rule.ports, found, ground, speech))
    other = [(place, name) for place, spoken, name in told if spoken is Spoken.OTHER]
    if not other:
        return
    place, name = other[0]
    is_all = len(other) == len(told) and not _has_more(rule)
    text = (
        f'the filter judges HTTP only, and "{name}" at '
        f"{title(ground.model.members[place])} is not"
    )
    yield Reason("plain-tcp", part(is_all), text)


def _spoken(
    ports: tuple[PortMatch, ...] | None, found: Bits, ground: Ground, speech: Speech
) -> Iterator[tuple[int, Spoken, str]]:
    wanted = ports or (PortMatch(Protocol.TCP),)
    for place in places(found):
        for port in wanted:
            for number in numbers_at(ground.model.members[place], port):
                yield (place, *speech.at(place, number))


def _has_more(rule: PolicyRule) -> bool:
    """Tell whether a rule has ports beside those that containers declare."""
    return rule.ports is None or any(
        port.first != port.last and not port.name for port in rule.ports
    )

"""Checks: rules about requests, on ports where there are none."""

from __future__ import annotations

from collections.abc import Iterator

from generator.errors import Diagnostic
from generator.lint.areas import named_at
from generator.lint.destinations import destinations, port_text
from generator.lint.ground import Ground, rule_title
from generator.lint.index import places
from generator.lint.spoken import Speech, Spoken
from generator.overlay.workloads import title
from generator.policy.model import Member, PortMatch, Protocol


def check_http(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0030, LNT0031: a rule with `http` matches no flow that is not HTTP."""
    speech = Speech(ground)
    for _, policy, rule in ground.rules():
        if rule.http is None:
            continue
        if rule.ports is None:
            message = f"{rule_title(policy, rule)} asks for HTTP on all ports"
            span = rule.http[0].span or rule.span
            yield Diagnostic("LNT0031", message, span)
        found = destinations(policy, rule, ground)
        for port in rule.ports or ():
            told = [
                (place, speech.at(place, number))
                for place in places(found)
                for number in numbers_at(ground.model.members[place], port)
            ]
            if told and all(spoken is Spoken.OTHER for _, (spoken, _) in told):
                place, (_, name) = told[0]
                message = (
                    f"{rule_title(policy, rule)} asks for HTTP on {port_text(port)}, "
                    f'which is "{name}" at {title(ground.model.members[place])}'
                )
                yield Diagnostic("LNT0030", message, port.span or rule.span)


def numbers_at(member: Member, port: PortMatch) -> list[int]:
    """Return the TCP ports of a member that an entry speaks of and that are known."""
    if port.name:
        return [keys[0] & 0xFFFF for keys in named_at(port, member)]
    if port.protocol is not Protocol.TCP:
        return []
    first = port.first or 0
    last = 0xFFFF if port.first is None else port.last or port.first
    declared = [d.number for d in member.ports if d.protocol is Protocol.TCP]
    return [number for number in declared if first <= number <= last] or (
        [first] if first == last else []
    )

"""Checks: ports that nobody has where a rule leads."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from generator.errors import Diagnostic, Note
from generator.lint.destinations import destinations, leads_outside, port_text
from generator.lint.ground import Ground, rule_title
from generator.lint.index import Bits, places
from generator.lint.spoken import Speech, targets_of
from generator.overlay.workloads import title
from generator.policy.model import (
    Action,
    Member,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Service,
    ServicePort,
    protocols_of,
)


def check_ports(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0020, LNT0021, LNT0022: named and numbered ports that nobody declares."""
    speech = Speech(ground)
    for _, policy, rule in ground.rules():
        found = destinations(policy, rule, ground)
        for port in rule.ports or () if found else ():
            if port.name:
                yield from _check_name(port, policy, rule, found, ground, speech)
            elif port.first is not None and not leads_outside(rule):
                yield from _check_number(port, policy, rule, found, ground, speech)


def _check_name(
    port: PortMatch,
    policy: Policy,
    rule: PolicyRule,
    found: Bits,
    ground: Ground,
    speech: Speech,
) -> Iterator[Diagnostic]:
    members = ground.index.members(found)
    names = [
        declared.name
        for member in members
        for declared in member.ports
        if declared.protocol in protocols_of(port)
    ]
    if port.name in names:
        return
    message = (
        f"{rule_title(policy, rule)}: no workload where it leads has a container port "
        f"called {port_text(port)}"
    )
    hint = _name_hint(port, members, names)
    notes: tuple[Note, ...] = ()
    service = _service_port(port, found, speech)
    if service is not None:
        each, meant = service
        hint = f"policies name container ports; this Service port leads to {meant}"
        notes = (Note("a Service has a port of this name", each.span),)
    yield Diagnostic("LNT0020", message, port.span or rule.span, hint, notes)


def _name_hint(port: PortMatch, members: list[Member], names: list[str]) -> str:
    others = {
        declared.protocol
        for member in members
        for declared in member.ports
        if declared.name == port.name
    }
    if others:
        return f"it is a port of {', '.join(sorted(others))}: set protocol"
    close = difflib.get_close_matches(port.name, [n for n in names if n], 1)
    return f'did you mean "{close[0]}"?' if close else ""


def _service_port(
    port: PortMatch, found: Bits, speech: Speech
) -> tuple[Service, str] | None:
    """Find the Service whose port's name or number was taken for the container's."""
    for place in places(found):
        for service in speech.services_of(place):
            for each in service.ports:
                if _is_meant(each, port):
                    return service, f"{each.target} there"
    return None


def _is_meant(each: ServicePort, port: PortMatch) -> bool:
    if each.protocol not in protocols_of(port):
        return False
    if port.name:
        return each.name == port.name != each.target
    is_single = port.last in (None, port.first)
    return is_single and each.number == port.first != each.target


def _check_number(
    port: PortMatch,
    policy: Policy,
    rule: PolicyRule,
    found: Bits,
    ground: Ground,
    speech: Speech,
) -> Iterator[Diagnostic]:
    """Containers may listen on what they do not declare, so mostly this is a remark.

    It is a warning where the number is that of a Service which leads elsewhere.
    """
    members = [m for m in ground.index.members(found) if m.ports]
    if len(members) < found.bit_count() or any(_has(m, port) for m in members):
        return
    title_of_rule = rule_title(policy, rule)
    span = port.span or rule.span
    service = _service_port(port, found, speech)
    if service is not None:
        each, meant = service
        message = (
            f"{title_of_rule}: {port_text(port)} is the port of a Service, but no "
            "container behind it declares that port"
        )
        hint = f"policies see container ports: the Service leads to {meant}"
        notes = (Note("the Service is here", each.span),)
        yield Diagnostic("LNT0022", message, span, hint, notes)
        return
    # Denying a port before somebody opens it is what a Deny is for.
    is_used = any(_is_target(p, port, speech, ground) for p in places(found))
    if is_used or rule.action is not Action.ACCEPT:
        return
    first = title(members[0])
    more = f" and {len(members) - 1} more" if len(members) > 1 else ""
    message = f"{title_of_rule}: {first}{more} do not declare {port_text(port)}"
    yield Diagnostic("LNT0021", message, span)


def _has(member: Member, port: PortMatch) -> bool:
    return any(_holds(port, d.number, d.protocol) for d in member.ports)


def _is_target(place: int, port: PortMatch, speech: Speech, ground: Ground) -> bool:
    """Tell whether a Service leads to the port, which is as good as declaring it."""
    member = ground.model.members[place]
    return any(
        _holds(port, number, each.protocol)
        for service in speech.services_of(place)
        for each in service.ports
        for number in targets_of(each, member)
    )


def _holds(port: PortMatch, number: int, protocol: Protocol) -> bool:
    first = port.first or 0
    last = first if port.last is None else port.last
    return port.protocol is protocol and first <= number <= last

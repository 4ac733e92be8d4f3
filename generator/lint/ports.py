"""Checks: ports that nobody has where a rule leads."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from generator.errors import Diagnostic, Note
from generator.lint.destinations import destinations, leads_outside, port_text
from generator.lint.ground import Ground, rule_title
from generator.lint.index import Bits, places
from generator.lint.spoken import Speech
from generator.overlay.workloads import title
from generator.policy.model import (
    Action,
    Member,
    Policy,
    PolicyRule,
    PortMatch,
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
    return _is_single(port) and each.number == port.first != each.target


def _is_single(port: PortMatch) -> bool:
    return port.last in (None, port.first)


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
    index = ground.index
    assert port.protocol is not None, "only a named port has no protocol"
    key = port.protocol, port.first or 0
    is_declared = bool(found & index.by_number.get(key, 0))
    if not _is_single(port) or is_declared or found & ~index.with_ports:
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
    if found & speech.targets.get(key, 0) or rule.action is not Action.ACCEPT:
        return
    first = title(ground.model.members[next(places(found))])
    more = f" and {found.bit_count() - 1} more" if found.bit_count() > 1 else ""
    message = f"{title_of_rule}: {port_text(port)} is not declared by {first}{more}"
    yield Diagnostic("LNT0021", message, span)

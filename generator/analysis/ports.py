"""Which ports of a destination a flow is about: a number or a name, as asked.

A number is the destination's own port, since policy speaks of those. At a Service it
is a port of the Service, which leads to a port of each workload behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from generator.analysis.errors import QuestionError
from generator.analysis.names import NamedAddress, NamedOwner, NamedService
from generator.errors import Diagnostic
from generator.overlay.model import port_numbers
from generator.policy.model import Protocol
from generator.table.model import TableBackend
from generator.table.ports import LAST_PORT, key_of

_MAX_DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class PortText:
    """What a port stands for: `numbers` at the destination, or a Service's `backends`.

    `asked` is 0 if the port was named and no Service says its number.
    """

    asked: int
    numbers: tuple[int, ...] = ()
    backends: tuple[TableBackend, ...] = ()
    note: str | None = None


def find_ports(
    named: NamedOwner | NamedService | NamedAddress, protocol: Protocol, text: str
) -> PortText:
    """Find a destination's ports by number or name. Raises: QuestionError RUN0011."""
    number = _number(text)
    match named:
        case NamedAddress():
            if number is None:
                raise _wrong(f"{named.title} is an address and has no port names")
            return PortText(number, (number,))
        case NamedOwner():
            if number is not None:
                return PortText(number, (number,))
            return PortText(0, _of_owner(named, protocol, text))
        case NamedService():
            return _of_service(named, protocol, text, number)


def _number(text: str) -> int | None:
    """Return the number that a text spells, or None if it is a name."""
    if not text.isascii() or not text.isdigit():
        return None
    number = int(text) if len(text) <= _MAX_DIGITS else 0
    if not 1 <= number <= LAST_PORT:
        raise _wrong(f"{text} is not a port: ports are 1 to {LAST_PORT}")
    return number


def _of_owner(named: NamedOwner, protocol: Protocol, text: str) -> tuple[int, ...]:
    found = {n for m in named.members for n in port_numbers(m, text, protocol)}
    if not found:
        known = {
            port.name
            for member in named.members
            for port in member.ports
            if port.name and port.protocol is protocol
        }
        message = f"{named.title} has no {protocol} port called {text!a}"
        raise _wrong(message, _list("its port names are", known))
    return tuple(sorted(found))


def _of_service(
    named: NamedService, protocol: Protocol, text: str, number: int | None
) -> PortText:
    """Find a port of a Service. One that it does not have leads nowhere."""
    mine = [port for port in named.service.ports if port.protocol is protocol]
    if number is None:
        found = [port.number for port in mine if port.name == text]
        if not found:
            message = f"{named.title} has no {protocol} port called {text!a}"
            known = (port.name for port in mine if port.name)
            raise _wrong(message, _list("its port names are", known))
        number = found[0]
    if named.target is None:
        note = f"{named.title} selects no pods: where it leads is not known."
        return PortText(number, note=note)
    key = key_of(protocol, number)
    for port in named.target.ports:
        if port.key == key and port.backends:
            return PortText(number, backends=port.backends)
    known_ports = _list("its ports are", (str(port.number) for port in mine))
    note = f"{named.title} leads nowhere on {protocol} {number}; {known_ports}."
    return PortText(number, note=note)


def _list(what: str, names: Iterable[str]) -> str:
    found = sorted(set(names))
    return f"{what} {', '.join(found)}" if found else f"{what} none"


def _wrong(message: str, hint: str = "") -> QuestionError:
    return QuestionError([Diagnostic("RUN0011", message, hint=hint)])

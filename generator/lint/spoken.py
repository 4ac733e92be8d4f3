"""What is spoken at a port, as far as names and Services say it.

Istio's conventions: `appProtocol` of a Service port; else its name, `redis` or
`redis-cache`; here also the name of the container port, if no Service leads to it. A
name that says nothing (`web`, `metrics`) leaves the question open.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from functools import reduce
from operator import and_
from typing import Final

from generator.lint.ground import Ground
from generator.lint.index import Bits, places
from generator.overlay.model import port_numbers
from generator.policy.model import Member, Protocol, Service, ServicePort

_HTTP: Final = frozenset(
    {
        "grpc",
        "grpc-web",
        "h2c",
        "http",
        "http2",
        "kubernetes.io/h2c",
        "kubernetes.io/ws",
    }
)
_OTHER: Final = frozenset(
    {
        "amqp",
        "amqps",
        "cassandra",
        "dns",
        "ftp",
        "https",
        "imap",
        "kafka",
        "kubernetes.io/wss",
        "ldap",
        "ldaps",
        "memcached",
        "mongo",
        "mongodb",
        "mqtt",
        "mysql",
        "nats",
        "postgres",
        "postgresql",
        "redis",
        "smtp",
        "sql",
        "ssh",
        "tcp",
        "tls",
        "udp",
    }
)
"""Not HTTP to a proxy: other protocols, and HTTP that the application encrypts."""


class Spoken(Enum):
    HTTP = auto()
    OTHER = auto()
    UNKNOWN = auto()


def spoken_in(name: str) -> Spoken:
    """Say what a name or appProtocol stands for: all of it, or up to a dash."""
    text = name.lower()
    for known in (text, "-".join(text.split("-")[:2]), text.partition("-")[0]):
        if known in _HTTP:
            return Spoken.HTTP
        if known in _OTHER:
            return Spoken.OTHER
    return Spoken.UNKNOWN


class Speech:
    """Answers what is spoken at ports of members, by their places in the model.

    `targets` are the members to whose ports Services lead, `other` those that speak
    something else than HTTP at some port.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._services: dict[int, list[Service]] = {}
        self._told: dict[tuple[int, int], tuple[Spoken, str]] = {}
        self.targets: dict[tuple[Protocol, int], Bits] = {}
        for service in ground.model.services:
            for place in places(_selected(service, ground)):
                self._services.setdefault(place, []).append(service)
                self._add_targets(service, place)
        self.other = self._find_other()

    def _add_targets(self, service: Service, place: int) -> None:
        for port in service.ports:
            for number in targets_of(port, self._ground.model.members[place]):
                key = port.protocol, number
                self.targets[key] = self.targets.get(key, 0) | 1 << place

    def _find_other(self) -> Bits:
        """Return the members at some TCP port of which another protocol is spoken."""
        found = 0
        for place, member in enumerate(self._ground.model.members):
            numbers = [p.number for p in member.ports if p.protocol is Protocol.TCP]
            numbers += [
                number
                for service in self.services_of(place)
                for port in service.ports
                for number in targets_of(port, member)
            ]
            spoken = (self.at(place, number)[0] for number in numbers)
            found |= any(each is Spoken.OTHER for each in spoken) << place
        return found

    def at(self, place: int, port: int) -> tuple[Spoken, str]:
        """Return what a member speaks at a TCP port, and the name that says so."""
        key = place, port
        if key not in self._told:
            self._told[key] = self._at(place, port)
        return self._told[key]

    def _at(self, place: int, port: int) -> tuple[Spoken, str]:
        member = self._ground.model.members[place]
        names = list(self._service_names(place, port, member))
        if not names:
            names = [
                declared.name
                for declared in member.ports
                if declared.number == port and declared.protocol is Protocol.TCP
            ]
        found = {spoken_in(name): name for name in names}
        for spoken in (Spoken.HTTP, Spoken.OTHER):
            if spoken in found:
                return spoken, found[spoken]
        return Spoken.UNKNOWN, ""

    def services_of(self, place: int) -> list[Service]:
        """Return the Services that select a member."""
        return self._services.get(place, [])

    def _service_names(self, place: int, port: int, member: Member) -> Iterator[str]:
        for service in self.services_of(place):
            for each in service.ports:
                is_tcp = each.protocol is Protocol.TCP
                if is_tcp and port in targets_of(each, member):
                    yield each.app_protocol or each.name


def targets_of(port: ServicePort, member: Member) -> tuple[int, ...]:
    """Return the container ports that a Service port leads to at a member."""
    if isinstance(port.target, int):
        return (port.target,)
    return port_numbers(member, port.target, port.protocol)


def _selected(service: Service, ground: Ground) -> Bits:
    if not service.selector:
        return 0
    index = ground.index
    having = (
        index.by_label.get(key, {}).get(value, 0)
        for key, value in service.selector.items()
    )
    return reduce(and_, having, index.by_namespace.get(service.namespace, 0))

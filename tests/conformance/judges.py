"""Who is asked: the slow oracle, or the built module.

Both get a model and answer the same two questions: all allowed flows, and one flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from typing import Protocol as Interface

from filters.decide import Verdict
from filters.http import Requests
from generator.analysis.engine import Engine, Party, address_party
from generator.analysis.simulate.simulation import simulate, simulation_document
from generator.build import build_mesh
from generator.overlay.model import TargetKind
from generator.policy.model import (
    IPAddress,
    Member,
    Model,
    Protocol,
    Service,
    ServicePort,
)
from generator.policy.oracle import End, Endpoint, decide, endpoints
from generator.policy.oracle_connections import Connection, connections
from generator.policy.request import HttpRequest
from generator.table.ports import key_of
from tests.support.connlist import canonical


@dataclass(frozen=True, slots=True)
class Answer:
    """What both directions say; both are needed."""

    egress: bool
    ingress: bool

    @property
    def is_allowed(self) -> bool:
        return self.egress and self.ingress


Place = tuple[End, int]
"""An endpoint and a port of it."""


class Judge(Interface):
    """Something that knows what a model allows."""

    def flows(self) -> list[Connection]:
        """Return all allowed flows in canonical order."""
        ...

    def answer(
        self,
        source: End,
        destination: End,
        protocol: Protocol,
        port: int,
        request: HttpRequest | None = None,
    ) -> Answer:
        """Answer about one flow, or one request in it."""
        ...

    def behind(self, service: str, protocol: Protocol, port: int) -> list[Place]:
        """Return where a Service's port ("ns/name") leads."""
        ...


class OracleJudge:
    """The oracle, which shares no code with what Envoy runs."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def flows(self) -> list[Connection]:
        return canonical(connections(self._model))

    def answer(
        self,
        source: End,
        destination: End,
        protocol: Protocol,
        port: int,
        request: HttpRequest | None = None,
    ) -> Answer:
        flow = source, destination, protocol, port
        found = decide(self._model, *flow, request=request)
        return Answer(found.egress.allowed, found.ingress.allowed)

    def behind(self, service: str, protocol: Protocol, port: int) -> list[Place]:
        (found,) = [s for s in self._model.services if _name(s) == service]
        (wanted,) = [
            p for p in found.ports if (p.number, p.protocol) == (port, protocol)
        ]
        selector = found.selector or {}
        return [
            (endpoint, number)
            for member in self._model.members
            if member.namespace == found.namespace
            and selector.items() <= member.labels.items()
            for endpoint in endpoints(member)
            for number in _target(wanted, member)
        ]


class ModuleJudge:
    """The module that Envoy loads, built from the model."""

    def __init__(self, model: Model) -> None:
        self._built = build_mesh(model)
        self._engine = Engine(self._built.module)

    def flows(self) -> list[Connection]:
        document = simulation_document(simulate(self._engine, self._built.overlay))
        lines = document["connections"]
        assert isinstance(lines, list)
        return canonical(lines)

    def answer(
        self,
        source: End,
        destination: End,
        protocol: Protocol,
        port: int,
        request: HttpRequest | None = None,
    ) -> Answer:
        sender, receiver = self._party(source), self._party(destination)
        asked = Requests.NOT_HTTP if request is None else request
        key = key_of(protocol, port)
        found = self._engine.judge(sender, receiver, key, request=asked)
        return Answer(
            found.egress is not Verdict.DENY, found.ingress is not Verdict.DENY
        )

    def behind(self, service: str, protocol: Protocol, port: int) -> list[Place]:
        """Read it from the table inside the module."""
        table = self._engine.table
        (found,) = [
            t
            for t in table.targets
            if t.kind is TargetKind.SERVICE
            and f"{table.realms[t.realm]}/{t.name}" == service
        ]
        members = {w.id: w.members for w in self._built.overlay.workloads}
        return [
            (endpoint, backend.port)
            for table_port in found.ports
            if table_port.key == key_of(protocol, port)
            for backend in table_port.backends
            for member in members[backend.workload]
            for endpoint in endpoints(member)
        ]

    def _party(self, end: End) -> Party:
        if not isinstance(end, Endpoint):
            return address_party(end)
        if end.member.host_network:
            assert end.address is not None, "a host-network pod is its address"
            return address_party(end.address)
        (workload,) = [
            w for w in self._built.overlay.workloads if end.member in w.members
        ]
        return self._engine.member_party(workload.id, _own_address(end))


MakeJudge = Callable[[Model], Judge]
JUDGES: Final[dict[str, MakeJudge]] = {"module": ModuleJudge, "oracle": OracleJudge}


def _own_address(end: Endpoint) -> IPAddress | None:
    """Return the address that the filter takes for its own: IPv4 if there is one."""
    if end.address is None or end.address.version == 4:
        return end.address
    return next((a for a in end.member.addresses if a.version == 4), end.address)


def _name(service: Service) -> str:
    return f"{service.namespace}/{service.name}"


def _target(port: ServicePort, member: Member) -> list[int]:
    """Return the numbers of a Service port's target at one pod."""
    if isinstance(port.target, int):
        return [port.target]
    return [
        declared.number
        for declared in member.ports
        if (declared.name, declared.protocol) == (port.target, port.protocol)
    ]


def difference(found: Iterable[Connection], expected: Iterable[Connection]) -> str:
    """Say in one line where two lists of flows differ; empty if they do not."""
    mine, theirs = set(map(_spell, found)), set(map(_spell, expected))
    more, less = sorted(mine - theirs), sorted(theirs - mine)
    said = [f"{len(more)} too many: {more[0]}"] if more else []
    said += [f"{len(less)} missing: {less[0]}"] if less else []
    return "; ".join(said)


def _spell(connection: Connection) -> str:
    ports = ",".join("-".join(map(str, span)) for span in connection["ports"])
    ends = f"{connection['source']} => {connection['destination']}"
    return f"{ends} : {connection['protocol']} {ports}"

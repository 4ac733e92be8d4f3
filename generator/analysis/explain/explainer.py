"""Explain one flow: what the built module answers, by which rule, and why.

Both sides are judged: egress at the source, ingress at the destination. A name may
stand for several endpoints, and a Service's port for several backends; then every
flow among them is judged, and the verdict is MIXED if they differ. Verdicts and
deciding rules are the module's answers (`flow_judge`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from generator.analysis.endpoints import Endpoint
from generator.analysis.engine import Engine
from generator.analysis.errors import QuestionError
from generator.analysis.explain.flow_judge import Audit, Flow, FlowJudge, JudgedEnd
from generator.analysis.explain.request_reader import check_request
from generator.analysis.names import (
    NamedAddress,
    NamedOwner,
    NamedService,
    Names,
    endpoint_title,
)
from generator.analysis.ports import PortText, find_ports
from generator.analysis.reasons import ALLOWED, TARGET_EMPTY
from generator.analysis.traffic import Traffic
from generator.overlay.model import Overlay
from generator.policy.model import Model, Protocol
from generator.policy.request import HttpRequest

__all__ = ["Audit", "Explainer", "Explanation", "Flow", "Outcome"]


class Outcome(StrEnum):
    """The verdict on a flow; MIXED: its endpoints differ."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    MIXED = "MIXED"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to one question; `flows` has one entry where nothing differs.

    `request` has the host that was judged; None: the flow is not HTTP.
    """

    source: str
    destination: str
    protocol: Protocol
    port: int
    outcome: Outcome
    reason: str
    flows: tuple[Flow, ...]
    notes: tuple[str, ...] = ()
    request: HttpRequest | None = None

    @property
    def deciding(self) -> Flow | None:
        """The flow to show first: one that is denied, if there is one."""
        denied = (flow for flow in self.flows if not flow.is_allowed)
        return next(denied, self.flows[0] if self.flows else None)


@dataclass(frozen=True, slots=True)
class _Destination:
    end: JudgedEnd
    port: int


class Explainer:
    """Explains flows of one mesh; `namespace` is of names that have none."""

    def __init__(
        self, engine: Engine, model: Model, overlay: Overlay, namespace: str = ""
    ) -> None:
        self._engine = engine
        self._overlay = overlay
        self._names = Names(engine.table, model, overlay, namespace)
        self._judge = FlowJudge(engine, model, overlay)

    def explain(self, traffic: Traffic) -> Explanation:
        """Explain a flow; ends and port as a person writes them.

        Raises: QuestionError RUN0010, RUN0017 or RUN0019 for a name, RUN0011 for a
        port that is not there, RUN0016 or RUN0018 for a request that cannot be.
        """
        protocol, request = traffic.protocol, traffic.request
        if request is not None:
            check_request(request, protocol)
        sender = self._names.find(traffic.source)
        if isinstance(sender, NamedService):
            hint = "give the workload behind it, which does the sending"
            message = f"{sender.title} does not send"
            raise QuestionError.of("RUN0010", message, hint=hint)
        receiver = self._names.find(traffic.destination)
        ports = find_ports(receiver, protocol, traffic.port)
        if request is not None and not request.host:
            request = replace(request, host=self._names.host(receiver))
        ends = tuple(self._destinations(receiver, ports))
        flows = tuple(
            self._judge.judge(start, to.end, protocol, to.port, request)
            for start in self._sources(sender)
            for to in ends
        )
        said = [ports.note, self._names.service_note(receiver, ports.asked)]
        said += [note for flow in flows for note in flow.notes]
        notes = tuple(dict.fromkeys(note for note in said if note))
        outcome, reason = _sum_up(flows)
        number = ports.asked or (ends[0].port if ends else 0)
        return Explanation(
            sender.title,
            receiver.title,
            protocol,
            number,
            outcome,
            reason,
            flows,
            notes,
            request,
        )

    def _sources(self, named: NamedOwner | NamedAddress) -> Iterator[JudgedEnd]:
        if isinstance(named, NamedAddress):
            yield JudgedEnd(named.title, Endpoint(None, named.address))
            return
        for endpoint in named.endpoints:
            yield self._end(named, endpoint)

    def _destinations(
        self, named: NamedOwner | NamedService | NamedAddress, ports: PortText
    ) -> Iterator[_Destination]:
        match named:
            case NamedAddress():
                end = JudgedEnd(named.title, Endpoint(None, named.address))
                yield from (_Destination(end, number) for number in ports.numbers)
            case NamedOwner():
                for endpoint in named.endpoints:
                    end = self._end(named, endpoint)
                    for number in ports.numbers:
                        yield _Destination(end, number)
            case NamedService():
                if named.target is None:
                    end = JudgedEnd(named.title, Endpoint(None))
                    yield _Destination(end, ports.asked)
                yield from self._backends(ports)

    def _backends(self, ports: PortText) -> Iterator[_Destination]:
        rows = {row.id: row for row in self._engine.table.workloads}
        for backend in ports.backends:
            members = self._overlay.workloads_by_id[backend.workload].members
            title = " or ".join(sorted({f"{m.namespace}/{m.name}" for m in members}))
            endpoint = Endpoint(rows[backend.workload])
            end = JudgedEnd(title, endpoint, members[0])
            yield _Destination(end, backend.port)

    def _end(self, named: NamedOwner, endpoint: Endpoint) -> JudgedEnd:
        """Tell an endpoint from the others of its owner, and find its member."""
        if endpoint.workload is None:
            title = endpoint_title(named.title, endpoint, self._overlay)
            return JudgedEnd(title, endpoint)
        members = self._overlay.workloads_by_id[endpoint.workload.id].members
        mine = next((m for m in members if m in named.members), members[0])
        title = named.title
        if len(named.endpoints) > 1:
            title = endpoint_title(named.title, endpoint, self._overlay)
        return JudgedEnd(title, endpoint, mine)


def _sum_up(flows: Iterable[Flow]) -> tuple[Outcome, str]:
    reasons = [flow.reason for flow in flows]
    if not reasons:
        return Outcome.DENY, TARGET_EMPTY
    denied = [reason for reason in reasons if reason != ALLOWED]
    if not denied:
        return Outcome.ALLOW, ALLOWED
    if len(denied) < len(reasons):
        return Outcome.MIXED, denied[0]
    return Outcome.DENY, denied[0]

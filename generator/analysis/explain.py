"""Explain one flow: what the built module answers, by which rule, and why.

Both sides are judged: egress at the source, ingress at the destination. A name may
stand for several endpoints, and a Service's port for several backends; then every
flow among them is judged, and the verdict is MIXED if they differ. All that is said
comes from the module's answers and the table inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from filters.decide import Verdict
from generator.analysis.allowed import Answer, answers, party_of, why_not_believed
from generator.analysis.endpoints import Endpoint
from generator.analysis.engine import Engine, Judgement
from generator.analysis.errors import QuestionError
from generator.analysis.key_ranges import merge
from generator.analysis.names import (
    NamedAddress,
    NamedOwner,
    NamedService,
    Names,
    endpoint_title,
)
from generator.analysis.ports import PortText, find_ports
from generator.analysis.reasons import (
    ALLOWED,
    EGRESS_DENIED,
    INGRESS_DENIED,
    TARGET_EMPTY,
)
from generator.analysis.sentences import Side, describe
from generator.analysis.traffic import Traffic
from generator.overlay.model import Overlay
from generator.policy.model import Direction, Model, Protocol
from generator.table.ports import key_of


class Outcome(StrEnum):
    """The verdict on a flow; MIXED: its endpoints differ."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    MIXED = "MIXED"


@dataclass(frozen=True, slots=True)
class Audit:
    """What would be if audited policies were enforced."""

    verdict: Verdict
    rule: str | None
    place: str | None


@dataclass(frozen=True, slots=True)
class Flow:
    """One judged flow between two endpoints. `audit` None: nothing is audited."""

    source: str
    destination: str
    port: int
    reason: str
    egress: Side
    ingress: Side
    audit: Audit | None = None

    @property
    def is_allowed(self) -> bool:
        return self.reason == ALLOWED

    @property
    def rule(self) -> str | None:
        """The rule that decided: the one that denied, or the last one that allowed."""
        if self.egress.verdict is Verdict.DENY:
            return self.egress.rule
        return self.ingress.rule or self.egress.rule


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to one question; `flows` has one entry where nothing differs."""

    source: str
    destination: str
    protocol: Protocol
    port: int
    outcome: Outcome
    reason: str
    flows: tuple[Flow, ...]
    notes: tuple[str, ...] = ()

    @property
    def deciding(self) -> Flow | None:
        """The flow to show first: one that is denied, if there is one."""
        denied = (flow for flow in self.flows if not flow.is_allowed)
        return next(denied, self.flows[0] if self.flows else None)


@dataclass(frozen=True, slots=True)
class _End:
    title: str
    endpoint: Endpoint
    port: int = 0


class Explainer:
    """Explains flows of one mesh."""

    def __init__(self, engine: Engine, model: Model, overlay: Overlay) -> None:
        self._engine = engine
        self._overlay = overlay
        self._names = Names(engine.table, model, overlay)

    def explain(self, traffic: Traffic) -> Explanation:
        """Explain a flow; ends and port as a person writes them.

        Raises: QuestionError RUN0010 for a name, RUN0011 for a port that is not there.
        """
        protocol = traffic.protocol
        sender = self._names.find(traffic.source)
        if isinstance(sender, NamedService):
            hint = "give the workload behind it, which does the sending"
            message = f"{sender.title} does not send"
            raise QuestionError.of("RUN0010", message, hint=hint)
        receiver = self._names.find(traffic.destination)
        ports = find_ports(receiver, protocol, traffic.port)
        said = (ports.note, self._names.service_note(receiver, ports.asked))
        notes = tuple(note for note in said if note)
        ends = tuple(self._destinations(receiver, ports))
        flows = tuple(
            self._judge(start, end, protocol)
            for start in self._sources(sender)
            for end in ends
        )
        shown = receiver.title
        outcome, reason = _sum_up(flows)
        number = ports.asked or (ends[0].port if ends else 0)
        return Explanation(
            sender.title, shown, protocol, number, outcome, reason, flows, notes
        )

    def _sources(self, named: NamedOwner | NamedAddress) -> Iterator[_End]:
        if isinstance(named, NamedAddress):
            yield _End(named.title, Endpoint(None, named.address))
            return
        for endpoint in named.endpoints:
            yield _End(self._title(named, endpoint), endpoint)

    def _destinations(
        self, named: NamedOwner | NamedService | NamedAddress, ports: PortText
    ) -> Iterator[_End]:
        match named:
            case NamedAddress():
                end = Endpoint(None, named.address)
                yield from (_End(named.title, end, number) for number in ports.numbers)
            case NamedOwner():
                for endpoint in named.endpoints:
                    title = self._title(named, endpoint)
                    for number in ports.numbers:
                        yield _End(title, endpoint, number)
            case NamedService():
                if named.target is None:
                    yield _End(named.title, Endpoint(None), ports.asked)
                yield from self._backends(ports)

    def _backends(self, ports: PortText) -> Iterator[_End]:
        rows = {row.id: row for row in self._engine.table.workloads}
        for backend in ports.backends:
            workload = self._overlay.workloads_by_id[backend.workload]
            owners = {f"{m.namespace}/{m.name}" for m in workload.members}
            title = " or ".join(sorted(owners))
            yield _End(title, Endpoint(rows[backend.workload]), backend.port)

    def _title(self, named: NamedOwner, endpoint: Endpoint) -> str:
        if endpoint.workload is not None and len(named.endpoints) == 1:
            return named.title
        return endpoint_title(named.title, endpoint, self._overlay)

    def _judge(self, source: _End, destination: _End, protocol: Protocol) -> Flow:
        key = key_of(protocol, destination.port)
        ends = source.endpoint, destination.endpoint
        found = tuple(answers(self._engine, *ends))
        judgement = next(a.judgement for a in found if a.first <= key <= a.last)
        titles = source.title, destination.title
        egress = self._side(Direction.EGRESS, titles, key, judgement, found)
        ingress = self._side(Direction.INGRESS, titles[::-1], key, judgement, found)
        reason = self._reason(ends, judgement)
        audit = self._audit(ends, key)
        return Flow(*titles, destination.port, reason, egress, ingress, audit)

    def _audit(self, ends: tuple[Endpoint, Endpoint], key: int) -> Audit | None:
        table = self._engine.table
        if not table.has_audited_policies:
            return None
        sender, receiver = (party_of(self._engine, end) for end in ends)
        judgement = self._engine.judge(sender, receiver, key, audited=True)
        verdict = Verdict.ALLOW if judgement.is_allowed else Verdict.DENY
        is_egress = judgement.egress is Verdict.DENY or judgement.ingress_rule is None
        rule = judgement.egress_rule if is_egress else judgement.ingress_rule
        if rule is None:
            return Audit(verdict, None, None)
        return Audit(verdict, table.rule_name(rule), table.rule_place(rule))

    def _side(
        self,
        direction: Direction,
        parties: tuple[str, str],
        key: int,
        judgement: Judgement,
        found: Iterable[Answer],
    ) -> Side:
        allowed = [
            (answer.first, answer.last)
            for answer in found
            if _decision(answer.judgement, direction)[0] is Verdict.ALLOW
        ]
        decision = _decision(judgement, direction)
        keys = key, merge([allowed])
        return describe(self._engine.table, direction, parties, decision, keys)

    def _reason(self, ends: tuple[Endpoint, Endpoint], judgement: Judgement) -> str:
        """Return the reason code of the filter that speaks first.

        A member is judged by its own proxy; an outsider's first judge is the
        destination, which looks at who it is before it looks at policy.
        """
        reason = ALLOWED
        if judgement.egress is Verdict.DENY:
            reason = EGRESS_DENIED
        elif judgement.ingress is Verdict.DENY:
            reason = INGRESS_DENIED
        if ends[0].workload is not None and reason != ALLOWED:
            return reason
        return why_not_believed(self._engine.table, *ends) or reason


def _decision(judgement: Judgement, direction: Direction) -> tuple[Verdict, int | None]:
    if direction is Direction.EGRESS:
        return judgement.egress, judgement.egress_rule
    return judgement.ingress, judgement.ingress_rule


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

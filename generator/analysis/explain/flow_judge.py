"""Judge one flow between two endpoints, and say why: the module's answer in words.

Where in the pipeline: `explain -> FlowJudge -> Engine`, then `-> trace, near misses`.
Verdicts, rules and reasons come from the module. The trace and the near misses come
from the model; they are left out where the model's end is not the module's, as when a
module is asked that was built from other policies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from filters.decide import Verdict
from filters.http import Requests
from generator.analysis.allowed import answers, party_of, why_not_believed
from generator.analysis.endpoints import Endpoint
from generator.analysis.engine import Engine, Judgement
from generator.analysis.explain.flow_ends import Asked, EndSources, end_of
from generator.analysis.explain.near_misses import (
    NearMiss,
    find_near_misses,
    selects_peer,
)
from generator.analysis.explain.request_notes import OverHttp, request_notes
from generator.analysis.explain.sentences import Decision, Side, describe
from generator.analysis.explain.speaking import Speaking
from generator.analysis.explain.tier_trace import walk, walk_to_itself
from generator.analysis.key_ranges import merge
from generator.analysis.reasons import (
    ALLOWED,
    EGRESS_DENIED,
    INGRESS_DENIED,
    REQUEST_AMBIGUOUS,
)
from generator.overlay.model import Overlay
from generator.policy.model import Direction, Member, Model, Protocol
from generator.policy.request import HttpRequest
from generator.table.ports import key_of

OTHER_POLICIES: Final = (
    "The module was built from other policies than the manifests have: how it came to "
    "its answer is not shown."
)


@dataclass(frozen=True, slots=True)
class Audit:
    """What would be if audited policies were enforced."""

    verdict: Verdict
    rule: str | None
    place: str | None


@dataclass(frozen=True, slots=True)
class Flow:
    """One judged flow between two endpoints. `audit` None: nothing is audited.

    `over_http` None: it is HTTP, or no rule of the module looks at requests.
    """

    source: str
    destination: str
    port: int
    reason: str
    egress: Side
    ingress: Side
    audit: Audit | None = None
    over_http: OverHttp | None = None
    notes: tuple[str, ...] = ()

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
class JudgedEnd:
    """An end of a flow as the module and as people know it."""

    title: str
    endpoint: Endpoint
    member: Member | None = None


class FlowJudge:
    """Judges flows of one mesh."""

    def __init__(self, engine: Engine, model: Model, overlay: Overlay) -> None:
        self._engine = engine
        self._sources = EndSources(model, overlay, engine.table)
        self._speaking = Speaking(model)

    def judge(
        self,
        source: JudgedEnd,
        destination: JudgedEnd,
        protocol: Protocol,
        port: int,
        request: HttpRequest | None,
    ) -> Flow:
        """Judge a flow to a port of the destination; `request` None: not HTTP."""
        sender, receiver = (
            end_of(end.title, end.endpoint, end.member, self._sources)
            for end in (source, destination)
        )
        what = protocol, port, request
        egress = Asked(Direction.EGRESS, sender, receiver, *what)
        ingress = Asked(Direction.INGRESS, receiver, sender, *what)
        one = _OneFlow(self._engine, source.endpoint, destination.endpoint, egress)
        judgement = one.judge()
        decisions = one.decisions(judgement)
        sides = (self._side(egress, decisions[0]), self._side(ingress, decisions[1]))
        reason = one.reason(judgement)
        over_http = one.over_http()
        notes = []
        if over_http is not None:
            is_allowed = judgement.is_allowed
            notes = request_notes(
                self._speaking, (egress, ingress), over_http, is_allowed=is_allowed
            )
        if not all(side.is_traced for side in sides):
            notes.append(OTHER_POLICIES)
        titles = source.title, destination.title
        audit = one.audit()
        return Flow(*titles, port, reason, *sides, audit, over_http, tuple(notes))

    def _side(self, asked: Asked, decision: Decision) -> Side:
        """Describe a side, with what the model knows if it agrees."""
        table = self._engine.table
        if decision.verdict is Verdict.NO_MATCH:
            return describe(table, asked, decision)
        trace = walk_to_itself() if decision.is_self else walk(self._speaking, asked)
        name = None if decision.rule is None else table.rule_name(decision.rule)
        if not trace.ends_like(decision.verdict is Verdict.ALLOW, name):
            return replace(describe(table, asked, decision), is_traced=False)
        decision = replace(
            decision,
            refusal=trace.refusal,
            is_spoken_of=any(step.policy for step in trace.steps),
            selects_peer=selects_peer(self._speaking, asked),
        )
        side = describe(table, asked, decision)
        near: list[NearMiss] = []
        if decision.verdict is Verdict.DENY and name is not None:
            near = find_near_misses(self._speaking, asked, name)
        return replace(side, trace=trace.steps, near_misses=near)


@dataclass(frozen=True, slots=True)
class _OneFlow:
    """What the module is asked about one flow."""

    engine: Engine
    source: Endpoint
    destination: Endpoint
    egress: Asked

    @property
    def key(self) -> int:
        return key_of(self.egress.protocol, self.egress.port)

    def judge(
        self, kind: Requests = Requests.NOT_HTTP, *, audited: bool = False
    ) -> Judgement:
        """Judge the flow, as it is or as SOME or EVERY request."""
        request = kind if self.egress.request is None else self.egress.request
        sender = party_of(self.engine, self.source)
        receiver = party_of(self.engine, self.destination)
        return self.engine.judge(
            sender, receiver, self.key, audited=audited, request=request
        )

    def over_http(self) -> OverHttp | None:
        table, asked = self.engine.table, self.egress
        is_plain_tcp = asked.protocol is Protocol.TCP and asked.request is None
        ends = self.source, self.destination
        if not is_plain_tcp or not table.chains or why_not_believed(table, *ends):
            return None
        some, every = self.judge(Requests.SOME), self.judge(Requests.EVERY)
        return OverHttp(some.is_allowed, every.is_allowed)

    def audit(self) -> Audit | None:
        table = self.engine.table
        if not table.has_audited_policies:
            return None
        judgement = self.judge(audited=True)
        verdict = Verdict.ALLOW if judgement.is_allowed else Verdict.DENY
        is_egress = judgement.egress is Verdict.DENY or judgement.ingress_rule is None
        rule = judgement.egress_rule if is_egress else judgement.ingress_rule
        if rule is None:
            return Audit(verdict, None, None)
        return Audit(verdict, table.rule_name(rule), table.rule_place(rule))

    def decisions(self, judgement: Judgement) -> tuple[Decision, Decision]:
        """Take a judgement apart by direction.

        It speaks of ambiguity once: of the side that denies, the source's first.
        """
        ends = self.source, self.destination
        found = tuple(answers(self.engine, *ends, requests=Requests.SOME))
        is_known = None not in (self.source.workload, self.source.address)
        is_self = is_known and ends[0] == ends[1]
        is_egress = judgement.egress is Verdict.DENY
        egress = Decision(
            judgement.egress,
            judgement.egress_rule,
            merge([[a.keys for a in found if a.judgement.egress is Verdict.ALLOW]]),
            is_self,
            judgement.is_ambiguous and is_egress,
        )
        ingress = Decision(
            judgement.ingress,
            judgement.ingress_rule,
            merge([[a.keys for a in found if a.judgement.ingress is Verdict.ALLOW]]),
            is_self,
            judgement.is_ambiguous and not is_egress,
        )
        return egress, ingress

    def reason(self, judgement: Judgement) -> str:
        """Return the reason code of the filter that speaks first.

        A member is judged by its own proxy; an outsider's first judge is the
        destination, which looks at who it is before it looks at policy.
        """
        reason = ALLOWED
        if judgement.is_ambiguous and not judgement.is_allowed:
            reason = REQUEST_AMBIGUOUS
        elif judgement.egress is Verdict.DENY:
            reason = EGRESS_DENIED
        elif judgement.ingress is Verdict.DENY:
            reason = INGRESS_DENIED
        if self.source.workload is not None and reason != ALLOWED:
            return reason
        ends = self.source, self.destination
        return why_not_believed(self.engine.table, *ends) or reason

"""Answer a list of flows, one after the other, by the built module.

Where in the pipeline: `traffic_file + Explainer -> answers -> JSON, CSV, tables`. The
order of the flows is kept. A name or port that is not there is an error at its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from generator.analysis.api_version import API_VERSION
from generator.analysis.errors import QuestionError
from generator.analysis.explain.explainer import Explainer, Explanation, Outcome
from generator.analysis.traffic import Traffic
from generator.errors import Diagnostic
from generator.policy.request import HttpRequest

COLUMNS: Final = (
    *("from", "to", "port", "protocol", "http"),
    *("verdict", "reason", "rule", "place"),
)


@dataclass(frozen=True, slots=True)
class TrafficAnswer:
    """One flow and what the module says. `rule` None: no policy decided."""

    traffic: Traffic
    outcome: Outcome
    reason: str
    rule: str | None
    place: str | None

    @property
    def row(self) -> tuple[str, ...]:
        """The cells of `COLUMNS`."""
        t = self.traffic
        request = f"{t.request.method} {t.request.path}" if t.request else ""
        asked = t.source, t.destination, t.port, t.protocol.value, request
        found = self.outcome.value, self.reason, self.rule or "", self.place or ""
        return *asked, *found


def answer_traffic(
    explainer: Explainer, flows: Iterable[Traffic]
) -> list[TrafficAnswer]:
    """Answer all flows, in their order.

    Raises: QuestionError RUN0010, RUN0011 with all flows that cannot be asked about.
    """
    answers: list[TrafficAnswer] = []
    wrong: list[Diagnostic] = []
    for traffic in flows:
        try:
            answers.append(_answer(traffic, explainer.explain(traffic)))
        except QuestionError as error:
            wrong += (
                replace(d, span=d.span or traffic.span) for d in error.diagnostics
            )
    if wrong:
        raise QuestionError(wrong)
    return answers


def are_all(answers: Iterable[TrafficAnswer], expected: str) -> bool:
    """Tell whether all verdicts are "allow", or "deny"; MIXED is neither."""
    return all(answer.outcome is Outcome(expected.upper()) for answer in answers)


def traffic_document(answers: Iterable[TrafficAnswer]) -> dict[str, object]:
    """Return the answers as the JSON document of `pepmesh simulate --traffic`."""
    return {
        "apiVersion": API_VERSION,
        "kind": "TrafficAnswers",
        "flows": [_fields(answer) for answer in answers],
    }


def _fields(answer: TrafficAnswer) -> dict[str, object]:
    traffic = answer.traffic
    return {
        "from": traffic.source,
        "to": traffic.destination,
        "port": int(traffic.port) if traffic.port.isdecimal() else traffic.port,
        "protocol": traffic.protocol.value,
        "http": _request_fields(traffic.request) if traffic.request else None,
        "verdict": answer.outcome.value,
        "reason": answer.reason,
        "rule": answer.rule,
        "place": answer.place,
    }


def _request_fields(request: HttpRequest) -> dict[str, object]:
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name, []).append(value)
    return {
        "method": request.method,
        "path": request.path,
        "host": request.host,
        "headers": headers,
    }


def _answer(traffic: Traffic, found: Explanation) -> TrafficAnswer:
    deciding = found.deciding
    rule = deciding.rule if deciding else None
    place = _place_of(found, rule)
    return TrafficAnswer(traffic, found.outcome, found.reason, rule, place)


def _place_of(found: Explanation, rule: str | None) -> str | None:
    """Return file:line of the rule that decided."""
    if found.deciding is None or rule is None:
        return None
    for side in (found.deciding.egress, found.deciding.ingress):
        if side.rule == rule:
            return f"{side.file}:{side.line}"
    return None

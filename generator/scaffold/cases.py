"""Write test cases that pass, and the same flows as a traffic file.

Part of `scaffold`: `questions + mesh -> text`. The mesh, with the starter's policy in
it, answers every question. Where other policies decide against what the starter means,
the case says so and expects what is true: a test that fails from its first day teaches
nobody. Questions whose endpoints disagree have no answer and are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from generator.analysis.cases.run import deciding_rules, is_named_by
from generator.analysis.explain.explainer import Explainer, Explanation, Outcome
from generator.analysis.traffic import Traffic
from generator.policy.model import Protocol
from generator.policy.request import HttpRequest
from generator.scaffold.flow_yaml import block, scalar
from generator.scaffold.questions import Question

_WORDS: Final = {Outcome.ALLOW: "allow", Outcome.DENY: "deny"}


def write_cases(
    questions: Iterable[Question],
    explainer: Explainer,
    policy: str,
    places: Mapping[str, str],
) -> str:
    """Write the entries of `cases`. `policy` empty: whatever decides is expected."""
    cases = []
    for question in questions:
        found = explainer.explain(question.traffic)
        if found.outcome in _WORDS:
            cases.append("\n".join(_case_lines(question, found, policy, places)))
    return "\n".join(cases)


def write_flows(questions: Iterable[Question]) -> str:
    """Write the entries of `flows`: nothing is expected of them."""
    return "\n".join(f"- {block(_fields(q.traffic), 2)}" for q in questions)


def _case_lines(
    question: Question,
    found: Explanation,
    policy: str,
    places: Mapping[str, str],
) -> Iterator[str]:
    deciding = _deciding(found)
    wanted = f"{policy}/{question.direction}"
    is_allowed = found.outcome is Outcome.ALLOW
    is_as_meant = policy and is_allowed == question.is_allowed
    title = question.title if is_as_meant else str(question.traffic)
    if policy and not is_as_meant:
        names = " and ".join(f"{rule} ({places[rule]})" for rule in deciding)
        yield f"# Not as this starter means it: {names or 'no rule'} decides."
    yield f"- name: {scalar(title)}"
    yield f"  {block(_fields(question.traffic), 2)}"
    yield f"  expect: {_WORDS[found.outcome]}"
    if is_as_meant and any(is_named_by(rule, wanted) for rule in deciding):
        yield f"  rule: {wanted}"
    elif not policy and deciding:
        yield f"  rule: {deciding[-1]}"


def _deciding(found: Explanation) -> list[str]:
    """The rules that decide every flow of a question, in order."""
    if not found.flows:
        return []
    first, *others = [deciding_rules(flow) for flow in found.flows]
    return [rule for rule in first if all(rule in other for other in others)]


def _fields(traffic: Traffic) -> dict[str, object]:
    fields: dict[str, object] = {
        "from": traffic.source,
        "to": traffic.destination,
        "port": int(traffic.port),
    }
    if traffic.protocol is not Protocol.TCP:
        fields["protocol"] = traffic.protocol.value
    if traffic.request is not None:
        fields["http"] = _request_fields(traffic.request)
    return fields


def _request_fields(request: HttpRequest) -> dict[str, object]:
    fields: dict[str, object] = {"method": request.method, "path": request.path}
    if request.headers:
        fields["headers"] = dict(request.headers)
    return fields

"""An explanation as text for people and as JSON for programs: the same facts.

shop/web -> shop/cart, TCP 8443: DENY (ingress_denied)
  egress   ALLOW    No policy isolates shop/web for egress, so all is allowed.
  ingress  DENY     NetworkPolicy shop/cart-in selects shop/cart; ingress rules allow
                    shop/web on TCP 8080, but not on TCP 8443. (policies.yaml:31)
  nearly            NetworkPolicy shop/cart-in ingress[0]: port 8443 is not 8080
                    (policies.yaml:35)

Each is one line. The wide text has the way through the tiers below each side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from generator.analysis.api_version import API_VERSION
from generator.analysis.explain.ambiguity import shown_path
from generator.analysis.explain.explainer import Audit, Explanation, Flow, Outcome
from generator.analysis.explain.misses import Miss
from generator.analysis.explain.near_misses import NearMiss
from generator.analysis.explain.request_notes import OverHttp
from generator.analysis.explain.sentences import Side
from generator.analysis.explain.tier_trace import TraceStep
from generator.analysis.reasons import SOURCE_MISSING, SOURCE_REVOKED, TARGET_AMBIGUOUS
from generator.policy.request import HttpRequest

BEFORE_POLICY: Final = {
    SOURCE_REVOKED: "{source} is revoked in the lock file: {destination} refuses it.",
    SOURCE_MISSING: "Only members live at {source}: without a key it is refused.",
}
MIXED: Final = (
    "Not all endpoints agree; a name whose workloads differ is refused by the sending "
    f"proxy ({TARGET_AMBIGUOUS})."
)


def explanation_text(explanation: Explanation, *, is_wide: bool = False) -> str:
    """Return the answer in sentences; endpoints are told apart only if they differ."""
    e = explanation
    port = f" {e.port}" if e.port else ""
    request = f", {e.request.method} {shown_path(e.request.path)}" if e.request else ""
    head = f"{e.source} -> {e.destination}, {e.protocol}{port}{request}: {e.outcome}"
    lines = [head if e.outcome is Outcome.ALLOW else f"{head} ({e.reason})"]
    if e.outcome is Outcome.MIXED:
        lines.append(f"  {MIXED}")
        for flow in e.flows:
            title = f"{flow.source} -> {flow.destination} {flow.port}"
            lines.append(f"  {title}: {'ALLOW' if flow.is_allowed else flow.reason}")
            lines += _flow_lines(flow, "    ", is_wide=is_wide)
    elif e.deciding is not None:
        lines += _flow_lines(e.deciding, "  ", is_wide=is_wide)
    lines += [f"  {note}" for note in e.notes]
    return "\n".join(lines)


def _flow_lines(flow: Flow, indent: str, *, is_wide: bool) -> Iterator[str]:
    for side in (flow.egress, flow.ingress):
        name, verdict = side.direction.value, side.verdict.name
        place = f" ({side.file}:{side.line})" if side.file else ""
        yield f"{indent}{name:<8} {verdict:<9}{side.text}{place}"
        if is_wide:
            yield from _trace_lines(side.trace, f"{indent}  ")
    for side in (flow.egress, flow.ingress):
        for near in side.near_misses:
            if near.is_request_missing and flow.notes:
                continue
            yield f"{indent}{'nearly':<18}{near.text} ({near.place})"
    if flow.audit is not None:
        place = f" ({flow.audit.place})" if flow.audit.place else ""
        by = f" by {flow.audit.rule}{place}" if flow.audit.rule else ""
        text = f"With audited policies enforced it would be {flow.audit.verdict.name}"
        yield f"{indent}{'audit':<8} {flow.audit.verdict.name:<9}{text}{by}."
    sentence = BEFORE_POLICY.get(flow.reason)
    if sentence is not None:
        text = sentence.format(source=flow.source, destination=flow.destination)
        yield f"{indent}{text}"


def _trace_lines(steps: Iterable[TraceStep], indent: str) -> Iterator[str]:
    for step in steps:
        policy = f"{step.policy}: " if step.policy else ""
        place = f" ({step.place})" if step.place else ""
        yield f"{indent}{step.tier:<9}{policy}{step.text}{place}"


# --- JSON -----------------------------------------------------------------------------


def explanation_document(explanation: Explanation, digest: str) -> dict[str, object]:
    """Return the answer as the JSON document of `pepmesh explain -o json`.

    `egress`, `ingress`, `rule`, `audit` and `overHttp` are those of the flow that
    decides; `flows` has all.
    """
    deciding = explanation.deciding
    fields = dict.fromkeys(("rule", "egress", "ingress", "audit", "overHttp"))
    if deciding is not None:
        found = _flow_fields(deciding)
        fields = {name: found[name] for name in fields}
    return {
        "apiVersion": API_VERSION,
        "kind": "Explanation",
        "source": explanation.source,
        "destination": explanation.destination,
        "protocol": explanation.protocol.value,
        "port": explanation.port or None,
        "request": _request_fields(explanation.request),
        "verdict": explanation.outcome.value,
        "reason": explanation.reason,
        **fields,
        "flows": [_flow_fields(flow) for flow in explanation.flows],
        "notes": list(explanation.notes),
        "digest": digest,
    }


def _request_fields(request: HttpRequest | None) -> dict[str, object] | None:
    if request is None:
        return None
    return {
        "method": request.method,
        "path": request.path,
        "host": request.host,
        "headers": [{"name": name, "value": v} for name, v in request.headers],
    }


def _flow_fields(flow: Flow) -> dict[str, object]:
    return {
        "source": flow.source,
        "destination": flow.destination,
        "port": flow.port,
        "verdict": "ALLOW" if flow.is_allowed else "DENY",
        "reason": flow.reason,
        "rule": flow.rule,
        "egress": _side_fields(flow.egress),
        "ingress": _side_fields(flow.ingress),
        "audit": _audit_fields(flow.audit),
        "overHttp": _over_http_fields(flow.over_http),
    }


def _audit_fields(audit: Audit | None) -> dict[str, object] | None:
    if audit is None:
        return None
    return {
        "verdict": audit.verdict.name,
        "rule": audit.rule,
        "place": audit.place,
    }


def _over_http_fields(over_http: OverHttp | None) -> dict[str, object] | None:
    if over_http is None:
        return None
    return {"someAllowed": over_http.some, "everyAllowed": over_http.every}


def _side_fields(side: Side) -> dict[str, object]:
    return {
        "verdict": side.verdict.name,
        "rule": side.rule,
        "file": side.file,
        "line": side.line,
        "text": side.text,
        "trace": [_step_fields(step) for step in side.trace] or None,
        "nearMisses": [_near_fields(near) for near in side.near_misses],
    }


def _step_fields(step: TraceStep) -> dict[str, object]:
    return {
        "tier": step.tier,
        "effect": step.effect.value,
        "policy": step.policy,
        "rule": step.rule,
        "place": step.place,
        "text": step.text,
    }


def _near_fields(near: NearMiss) -> dict[str, object]:
    return {
        "rule": near.rule,
        "place": near.place,
        "conditions": [_miss_fields(miss) for miss in near.misses],
        "text": near.text,
    }


def _miss_fields(miss: Miss) -> dict[str, object]:
    return {"about": miss.field.name.lower(), "text": miss.text}

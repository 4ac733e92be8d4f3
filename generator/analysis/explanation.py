"""An explanation as text for people and as JSON for programs: the same facts.

shop/web -> shop/cart, TCP 8080: DENY (ingress_denied)
  egress   ALLOW  No policy isolates shop/web for egress, so all is allowed.
  ingress  DENY   NetworkPolicy shop/cart-in selects shop/cart, but no ingress
                  rule selects shop/web. (policies.yaml:31)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.analysis.explain import Audit, Explanation, Flow, Outcome
from generator.analysis.reasons import SOURCE_MISSING, SOURCE_REVOKED, TARGET_AMBIGUOUS
from generator.analysis.sentences import Side
from generator.analysis.simulate import API_VERSION

BEFORE_POLICY: Final = {
    SOURCE_REVOKED: "{source} is revoked in the lock file: {destination} refuses it.",
    SOURCE_MISSING: "Only members live at {source}: without a key it is refused.",
}
MIXED: Final = (
    "Not all endpoints agree; a name whose workloads differ is refused by the sending "
    f"proxy ({TARGET_AMBIGUOUS})."
)


def explanation_text(explanation: Explanation) -> str:
    """Return the answer in sentences; endpoints are told apart only if they differ."""
    e = explanation
    port = f" {e.port}" if e.port else ""
    head = f"{e.source} -> {e.destination}, {e.protocol}{port}: {e.outcome}"
    lines = [head if e.outcome is Outcome.ALLOW else f"{head} ({e.reason})"]
    if e.outcome is Outcome.MIXED:
        lines.append(f"  {MIXED}")
        for flow in e.flows:
            title = f"{flow.source} -> {flow.destination} {flow.port}"
            lines.append(f"  {title}: {'ALLOW' if flow.is_allowed else flow.reason}")
            lines += _flow_lines(flow, "    ")
    elif e.deciding is not None:
        lines += _flow_lines(e.deciding, "  ")
    lines += [f"  {note}" for note in e.notes]
    return "\n".join(lines)


def _flow_lines(flow: Flow, indent: str) -> Iterator[str]:
    for side in (flow.egress, flow.ingress):
        name, verdict = side.direction.value, side.verdict.name
        place = f" ({side.file}:{side.line})" if side.file else ""
        yield f"{indent}{name:<8} {verdict:<9}{side.text}{place}"
    if flow.audit is not None:
        place = f" ({flow.audit.place})" if flow.audit.place else ""
        by = f" by {flow.audit.rule}{place}" if flow.audit.rule else ""
        text = f"With audited policies enforced it would be {flow.audit.verdict.name}"
        yield f"{indent}{'audit':<8} {flow.audit.verdict.name:<9}{text}{by}."
    sentence = BEFORE_POLICY.get(flow.reason)
    if sentence is not None:
        text = sentence.format(source=flow.source, destination=flow.destination)
        yield f"{indent}{text}"


def explanation_document(explanation: Explanation, digest: str) -> dict[str, object]:
    """Return the answer as the JSON document of `pepmesh explain -o json`.

    `egress`, `ingress` and `rule` are those of the flow that decides; `flows` has all.
    """
    deciding = explanation.deciding
    return {
        "apiVersion": API_VERSION,
        "kind": "Explanation",
        "source": explanation.source,
        "destination": explanation.destination,
        "protocol": explanation.protocol.value,
        "port": explanation.port or None,
        "verdict": explanation.outcome.value,
        "reason": explanation.reason,
        "rule": deciding.rule if deciding else None,
        "egress": _side_fields(deciding.egress) if deciding else None,
        "ingress": _side_fields(deciding.ingress) if deciding else None,
        "flows": [_flow_fields(flow) for flow in explanation.flows],
        "notes": list(explanation.notes),
        "digest": digest,
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
    }


def _audit_fields(audit: Audit | None) -> dict[str, object] | None:
    if audit is None:
        return None
    return {
        "verdict": audit.verdict.name,
        "rule": audit.rule,
        "place": audit.place,
    }


def _side_fields(side: Side) -> dict[str, object]:
    return {
        "verdict": side.verdict.name,
        "rule": side.rule,
        "file": side.file,
        "line": side.line,
        "text": side.text,
    }

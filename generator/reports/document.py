"""What `pepmesh validate -o json` prints."""

from __future__ import annotations

from collections.abc import Sequence

from generator.analysis.api_version import API_VERSION
from generator.enforcement.model import Row
from generator.reports.finding import Finding, count
from generator.source import Span


def validation_document(
    findings: Sequence[Finding], rows: Sequence[Row] | None
) -> dict[str, object]:
    """Return all findings and the enforcement report, which is null without a model."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Validation",
        "findings": [_finding(finding) for finding in findings],
        "summary": count(findings),
        "isComplete": rows is not None,
        "enforcement": None if rows is None else [_row(row) for row in rows],
    }


def _finding(finding: Finding) -> dict[str, object]:
    diagnostic, name = finding.diagnostic, finding.object
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "hint": finding.hint,
        "object": None
        if name is None
        else {"kind": name.kind, "namespace": name.namespace, "name": name.name},
        "place": _place(diagnostic.span),
        "notes": [
            {"message": note.message, "place": _place(note.span)}
            for note in diagnostic.notes
        ],
        "suppressedBy": finding.suppressed_by or None,
    }


def _place(span: Span | None) -> dict[str, object] | None:
    """Lines and columns from 1, in characters; the end is one past the last one."""
    if span is None:
        return None
    return {
        "file": span.file,
        "line": span.start.line + 1,
        "column": span.start.column + 1,
        "endLine": span.end.line + 1,
        "endColumn": span.end.column + 1,
    }


def _row(row: Row) -> dict[str, object]:
    return {
        "rule": row.name,
        "file": row.span.file,
        "line": row.span.start.line + 1,
        "status": row.status.value,
        "mode": "audit" if row.policy.is_audited else "enforce",
        "reasons": [
            {"id": r.id, "status": r.status.value, "text": r.text} for r in row.reasons
        ],
    }

"""Findings as SARIF 2.1.0, for code scanning.

Columns count Unicode code points, as everywhere in pepmesh: `columnKind` says so.
Regions are 1-based, their end column is one past the last character. What is
suppressed is there and marked, so that a viewer can show it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from generator.codes import CODES
from generator.errors import Note, Severity
from generator.reports.finding import Finding
from generator.source import Span

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final[dict[Severity, str]] = {
    "error": "error",
    "warning": "warning",
    "info": "note",
}


def sarif_document(findings: Sequence[Finding]) -> dict[str, object]:
    """Return one run with all findings, and the rules that they are of."""
    codes = sorted({finding.diagnostic.code for finding in findings})
    driver = {
        "name": "pepmesh",
        "version": version("pepmesh"),
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True}],
        "results": [_result(f, codes.index(f.diagnostic.code)) for f in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, object]:
    known = CODES[code]
    text = f"{known.meaning[0].upper()}{known.meaning[1:]}."
    rule: dict[str, object] = {
        "id": code,
        "shortDescription": {"text": text},
        "defaultConfiguration": {"level": _LEVELS[known.severity]},
    }
    more = f"\n\nWhat to do: {known.hint}." if known.hint else ""
    see = f"\n\n`pepmesh codes {code}` says more."
    rule["help"] = {"text": f"{text}{more}{see}", "markdown": f"{text}{more}{see}"}
    return rule


def _result(finding: Finding, index: int) -> dict[str, object]:
    diagnostic = finding.diagnostic
    hint = f"\nhint: {finding.hint}" if finding.hint else ""
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": diagnostic.message + hint},
        "partialFingerprints": {"pepmesh/v1": _fingerprint(finding)},
    }
    if diagnostic.span is not None:
        place: dict[str, object] = {"physicalLocation": _location(diagnostic.span)}
        if finding.object is not None:
            name = {"fullyQualifiedName": str(finding.object), "kind": "resource"}
            place["logicalLocations"] = [name]
        result["locations"] = [place]
    related = [
        _related(n, note) for n, note in enumerate(diagnostic.notes) if note.span
    ]
    if related:
        result["relatedLocations"] = related
    if finding.suppressed_by:
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": f"--suppress {finding.suppressed_by}",
            }
        ]
    return result


def _related(number: int, note: Note) -> dict[str, object]:
    assert note.span is not None
    return {
        "id": number,
        "message": {"text": note.message},
        "physicalLocation": _location(note.span),
    }


def _location(span: Span) -> dict[str, object]:
    return {
        "artifactLocation": {"uri": _uri(span.file)},
        "region": {
            "startLine": span.start.line + 1,
            "startColumn": span.start.column + 1,
            "endLine": span.end.line + 1,
            "endColumn": span.end.column + 1,
        },
    }


def _uri(file: str) -> str:
    """Return a relative reference, or a file URI for an absolute path."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _fingerprint(finding: Finding) -> str:
    """Name a finding by what it says, not by its line, which moves."""
    diagnostic = finding.diagnostic
    text = "\0".join((diagnostic.code, str(finding.object), diagnostic.message))
    return hashlib.sha256(text.encode()).hexdigest()[:32]

"""Read test cases that stand beside policies: PolicyTest, pepmesh.dev/v1.

    apiVersion: pepmesh.dev/v1
    kind: PolicyTest
    metadata: {name: cart}
    cases:
    - name: the frontend reads the cart
      from: shop/frontend        # the question, as in `traffic`
      to: shop/cart
      port: 7070
      expect: allow              # or deny
      rule: NetworkPolicy/shop/cart/ingress/0   # may be left out: the rule that decides
      reason: ingress_denied     # may be left out; of a denial

Where in the pipeline: `texts -> suites -> results`. Every wrong case is found, not only
the first. Whether workloads, ports and rules are there is for `policy_tests` to see.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filters.reasons import Reason
from generator.analysis.errors import QuestionError
from generator.analysis.reasons import ALLOWED, spell
from generator.analysis.traffic import TRAFFIC_FIELDS, Traffic, read_traffic
from generator.errors import Note, PolicyError
from generator.policy.documents import Manifest, read_manifests
from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.kinds import Role, role_of
from generator.source import Position, SourceFile, Span

KIND: Final = "PolicyTest"
FILE_ENDS: Final = ("_test.yaml", "_test.yml", "_test.json")
"""What files of cases are called. A PolicyTest in another file counts as well."""

REASONS: Final = frozenset(spell(reason) for reason in Reason)

_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "cases"})
_CASE_FIELDS: Final = TRAFFIC_FIELDS | {"name", "expect", "rule", "reason"}
_REQUIRED: Final = ("name", "from", "to", "port", "expect")
_EXPECTATIONS: Final = {"allow": True, "deny": False}


@dataclass(frozen=True, slots=True)
class Places:
    """Where a case says what. `request`: its name, if the flow is not HTTP."""

    name: Span
    source: Span
    destination: Span
    port: Span
    request: Span


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what is expected. `rule` and `reason` empty: any."""

    name: str
    traffic: Traffic
    is_allowed: bool
    rule: str
    reason: str
    places: Places


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one file; at least one."""

    file: str
    cases: tuple[Case, ...]


def find_test_files(path: Path, *, recursive: bool) -> list[Path]:
    """Return a file itself, and of a folder the files whose name promises cases.

    Raises: QuestionError RUN0020 for a folder without such files.
    """
    if not path.is_dir():
        return [path]
    found = path.rglob("*") if recursive else path.glob("*")
    files = sorted(file for file in found if file.name.endswith(FILE_ENDS))
    if not files:
        message = f"{path}: no *_test.yaml in this folder"
        hint = "" if recursive else "add -R to look into its subfolders"
        raise QuestionError.of("RUN0020", message, hint=hint)
    return files


def read_suites(
    sources: Iterable[SourceFile], named: frozenset[str] = frozenset()
) -> tuple[Suite, ...]:
    """Read the cases of files that were loaded as manifests before.

    Files called `*_test.yaml`, and those in `named`, must have cases.
    Raises: QuestionError with all that is wrong, sorted by file and line.
    """
    findings = Findings()
    suites = []
    for source in sources:
        is_test = source.name in named or source.name.endswith(FILE_ENDS)
        # Most files are manifests: they are not parsed twice.
        if is_test or KIND in source.text:
            with findings.collect():
                suites.append(_read_suite(source, is_test))
    if findings.has_errors:
        raise QuestionError(findings.sorted())
    return tuple(suite for suite in suites if suite.cases)


def _read_suite(source: SourceFile, is_test: bool) -> Suite:
    """Read one file. Raises: PolicyError with all that is wrong."""
    findings = Findings()
    cases: dict[str, Case] = {}
    has_tests = False
    for manifest in read_manifests(source, findings):
        if _is_policy_test(manifest):
            has_tests = True
            with findings.collect():
                for case in _read_cases(manifest, findings):
                    _add(case, cases, findings)
    if is_test and not has_tests:
        start = Span(source.name, Position(0, 0), Position(0, 0))
        findings.add("RUN0020", "this file has no PolicyTest", start)
    if findings.has_errors:
        raise PolicyError(findings.sorted())
    return Suite(source.name, tuple(cases.values()))


def _is_policy_test(manifest: Manifest) -> bool:
    is_ours = role_of(manifest.api_version, manifest.kind) is Role.TEST
    return is_ours and manifest.kind == KIND


def _add(case: Case, cases: dict[str, Case], findings: Findings) -> None:
    first = cases.setdefault(case.name, case)
    if first is not case:
        notes = (Note("first here", first.places.name),)
        message = f'two cases of this file are called "{case.name}"'
        findings.add("RUN0021", message, case.places.name, notes=notes)


def _read_cases(manifest: Manifest, findings: Findings) -> Iterator[Case]:
    manifest.body.refuse_unknown(_FIELDS, findings)
    cases = manifest.body.items_of("cases")
    if not cases:
        findings.add("RUN0020", "this PolicyTest has no cases", manifest.span)
    for value in cases:
        with findings.collect():
            yield _read_case(value)


def _read_case(value: Value) -> Case:
    """Read one case. Raises: PolicyError with all that is wrong."""
    findings = Findings()
    value.refuse_unknown(_CASE_FIELDS, findings)
    for field in _REQUIRED:
        with findings.collect():
            value.require(field)
    with findings.collect():
        name = value.require("name").text()
    with findings.collect():
        traffic = read_traffic(value, findings)
    with findings.collect():
        is_allowed = _read_expectation(value.require("expect"))
        reason = _read_reason(value.get("reason"), is_allowed)
    with findings.collect():
        rule = value.text_of("rule")
    if findings.has_errors:
        raise PolicyError(findings.sorted())
    return Case(name, traffic, is_allowed, rule, reason, _places(value))


def _places(value: Value) -> Places:
    request = value.get("http")
    return Places(
        value.require("name").span,
        value.require("from").span,
        value.require("to").span,
        value.require("port").span,
        value.require("name").span if request is None else request.first_line,
    )


def _read_expectation(value: Value) -> bool:
    text = value.text()
    if text not in _EXPECTATIONS:
        raise value.error("RUN0022", f'"{text}" is not allow or deny')
    return _EXPECTATIONS[text]


def _read_reason(value: Value | None, is_allowed: bool) -> str:
    """Read a reason code, as `explain` prints it."""
    if value is None:
        return ""
    text = value.text()
    if text not in REASONS:
        close = difflib.get_close_matches(text, REASONS, n=1)
        hint = f'did you mean "{close[0]}"?' if close else ""
        raise value.error("RUN0022", f'there is no reason "{text}"', hint)
    if is_allowed != (text == ALLOWED):
        raise value.error("RUN0022", f'"{text}" is no reason for what is expected')
    return text

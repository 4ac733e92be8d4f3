"""Results of test cases as JUnit XML, for what collects and shows tests.

Elements and attributes are those of Jenkins' schema (junit-10.xsd), so the place of a
case is in the text of its failure. Nothing says how long a case took, so that equal
results are equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from generator.analysis.cases.report import failure_lines, printable
from generator.analysis.cases.run import CaseResult, SuiteResult

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write, section 2.2."""


def junit_text(suites: Sequence[SuiteResult]) -> str:
    """Return the document, with a test suite for each file."""
    root = ElementTree.Element("testsuites", {"name": "pepmesh", **_counts(suites)})
    for suite in suites:
        element = ElementTree.SubElement(
            root, "testsuite", {"name": _xml(suite.file), **_counts([suite])}
        )
        for result in suite.cases:
            _add_case(element, suite, result)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'


def _counts(suites: Sequence[SuiteResult]) -> dict[str, str]:
    return {
        "tests": str(sum(len(suite.cases) for suite in suites)),
        "failures": str(sum(len(suite.failed) for suite in suites)),
        "errors": "0",
    }


def _add_case(
    parent: ElementTree.Element, suite: SuiteResult, result: CaseResult
) -> None:
    names = {"name": _xml(result.case.name), "classname": _xml(suite.file)}
    element = ElementTree.SubElement(parent, "testcase", names)
    if result.is_passed:
        return
    message = _xml("; ".join(result.problems))
    failure = ElementTree.SubElement(
        element, "failure", message=message, type="PolicyTest"
    )
    failure.text = _xml("\n".join(failure_lines(result)))


def _xml(text: str) -> str:
    return _NOT_XML.sub(lambda match: printable(match[0]), text)

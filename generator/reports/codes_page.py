"""The documentation of all codes, from the table in `codes` and the examples of lint.

An example is a file of manifests that triggers its code: its head says why the code
exists, so that what people read is what tests run.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import generator.lint as lint_package
from generator.analysis.api_version import API_VERSION
from generator.codes import CODES, Code

FAMILIES: Final = {
    "INP": "reading files",
    "POL": "policies and inventory",
    "LNT": "lint: policies that are legal but hardly meant",
    "OVL": "overlay, lock file and keys",
    "TBL": "rule tables",
    "GST": "guest source: the compiler",
    "RUN": "running a module, and questions to it",
}

_EXAMPLES: Final = Path(lint_package.__file__).parent / "examples"
_POINTS: Final = "points at: "
_WIDTH: Final = 79


@dataclass(frozen=True, slots=True)
class Example:
    """Why a code exists, and manifests that trigger it at some text."""

    why: str
    manifests: str
    points_at: str


def example_of(code: str) -> Example | None:
    """Return the example of a code; only lint has some."""
    path = _EXAMPLES / f"{code}.yaml"
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    size = next(n for n, line in enumerate(lines) if not line.startswith("#"))
    head = [line.removeprefix("#").strip() for line in lines[:size]]
    (place,) = (line for line in head if line.startswith(_POINTS))
    why = " ".join(line for line in head if line and line != place)
    return Example(why, "\n".join(lines[size:]), place.removeprefix(_POINTS))


def codes_like(text: str) -> list[str]:
    """Return a code, or all whose names start so; in the order of the families."""
    order = list(FAMILIES)
    found = [code for code in CODES if code.startswith(text.upper())]
    return sorted(found, key=lambda code: (order.index(code[:3]), code))


def codes_document(codes: Iterable[str]) -> dict[str, object]:
    return {
        "apiVersion": API_VERSION,
        "kind": "Codes",
        "codes": [_code(code) for code in codes],
    }


def _code(code: str) -> dict[str, object]:
    known, example = CODES[code], example_of(code)
    return {
        "code": code,
        "severity": known.severity,
        "meaning": known.meaning,
        "hint": known.hint,
        "why": example.why if example else "",
        "example": example.manifests if example else "",
    }


def codes_markdown(codes: Iterable[str]) -> str:
    """Return a page with a section for each family and each code."""
    lines: list[str] = []
    family = ""
    for code in codes:
        if code[:3] != family:
            family = code[:3]
            lines += [f"## {family}: {FAMILIES[family]}", ""]
        lines += _section(code, CODES[code])
    return "\n".join(lines).rstrip()


def _section(code: str, known: Code) -> Iterator[str]:
    yield f"### {code}"
    yield ""
    yield f"{known.severity.capitalize()}: {known.meaning}."
    yield ""
    if known.hint:
        yield f"What to do: {known.hint}."
        yield ""
    example = example_of(code)
    if example is not None:
        yield example.why
        yield ""
        yield f"For example, at `{example.points_at}`:"
        yield ""
        yield "```yaml"
        yield example.manifests
        yield "```"
        yield ""


def code_text(code: str) -> str:
    """Explain one code on a terminal."""
    known, example = CODES[code], example_of(code)
    parts = [f"{code} ({known.severity}): {known.meaning}"]
    parts += [f"What to do: {known.hint}"] if known.hint else []
    if example is not None:
        parts += [
            textwrap.fill(example.why, _WIDTH),
            f"Example, at `{example.points_at}`:",
        ]
        parts.append(
            "\n".join(f"    {line}" for line in example.manifests.splitlines())
        )
    return "\n\n".join(parts)

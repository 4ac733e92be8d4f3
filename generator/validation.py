"""Validate manifests: everything that there is to say about them, in one list.

    loading -> ties -> overlay -> lint, enforcement

Where in the pipeline: beside `build`, which stops at the first of these steps that has
an error. Here every step that still can goes on; without a model there is no lint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from generator.build import DEFAULT_OVERLAY
from generator.enforcement.model import Row
from generator.enforcement.report import enforcement
from generator.errors import Diagnostic, OverlayError
from generator.lint.ground import Ground
from generator.lint.run import lint
from generator.overlay.build import build_overlay
from generator.policy.documents import read_manifests
from generator.policy.findings import Findings
from generator.policy.kinds import Role, role_of
from generator.policy.load import Loaded, LoadError
from generator.policy.model import Model
from generator.policy.ties import find_ties
from generator.source import SourceFile

UNREADABLE: Final = frozenset({"INP0001", "INP0010"})
"""Without an input there is no answer; everything else is an answer."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What was found; `rows` is None if the manifests make no model."""

    diagnostics: tuple[Diagnostic, ...]
    rows: tuple[Row, ...] | None
    sources: Mapping[str, SourceFile]


def validate(load: Callable[[], Loaded], *, is_strict: bool = False) -> Validation:
    """Load manifests and say what there is to say.

    `is_strict`: objects of kinds that pepmesh does not read are errors.
    Raises: LoadError if an input cannot be read.
    """
    try:
        loaded = load()
    except LoadError as error:
        if any(d.code in UNREADABLE for d in error.diagnostics):
            raise
        strict = _unknown(error.sources) if is_strict else ()
        return Validation((*error.diagnostics, *strict), None, error.sources)
    ground = Ground(loaded.model)
    rows = enforcement(ground)
    found = [
        *loaded.diagnostics,
        *(_unknown(loaded.sources) if is_strict else ()),
        *find_ties(loaded.model),
        *_overlay_problems(loaded.model),
        *lint(ground, rows),
    ]
    return Validation(tuple(found), rows, loaded.sources)


def _overlay_problems(model: Model) -> tuple[Diagnostic, ...]:
    """Return what would stop a build, or what it would warn of."""
    try:
        _, _, warnings = build_overlay(model, None, name=DEFAULT_OVERLAY)
    except OverlayError as error:
        return error.diagnostics
    return warnings


def _unknown(sources: Mapping[str, SourceFile]) -> Iterator[Diagnostic]:
    for source in sources.values():
        for manifest in read_manifests(source, Findings()):
            if role_of(manifest.api_version, manifest.kind) is Role.UNKNOWN:
                message = (
                    f"{manifest.kind} of {manifest.api_version} is a kind that pepmesh "
                    "does not read"
                )
                kind = manifest.body.get("kind")
                span = kind.span if kind else manifest.span
                yield Diagnostic("INP0013", message, span)

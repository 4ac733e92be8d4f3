"""Lint texts in tests."""

from __future__ import annotations

from generator.enforcement.report import enforcement
from generator.errors import Diagnostic
from generator.lint.ground import Ground
from generator.lint.run import lint
from tests.support.loading import model_of


def lint_text(text: str) -> tuple[Diagnostic, ...]:
    """Return what lint finds in manifests."""
    ground = Ground(model_of(text))
    return lint(ground, enforcement(ground))


def codes_in(text: str) -> list[str]:
    return [finding.code for finding in lint_text(text)]


def only(text: str, code: str) -> Diagnostic:
    """Return the one finding of a code."""
    (found,) = [finding for finding in lint_text(text) if finding.code == code]
    return found

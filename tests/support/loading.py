"""Load manifests from texts in tests."""

from __future__ import annotations

from textwrap import dedent

from generator.errors import Diagnostic
from generator.policy.load import Loaded, LoadError, load_sources
from generator.policy.model import Model
from generator.source import SourceFile, Span


def load_text(text: str, name: str = "test.yaml") -> Loaded:
    """Load one text; indentation that all lines share is removed."""
    return load_sources([SourceFile(name, dedent(text))])


def model_of(text: str) -> Model:
    """Load one text for its model."""
    return load_text(text).model


def diagnose(text: str) -> tuple[Diagnostic, ...]:
    """Return what there is to say about a text, whether it loads or not."""
    try:
        return load_text(text).diagnostics
    except LoadError as error:
        return error.diagnostics


def pointed_at(text: str, span: Span) -> str:
    """Return the source text of a span, up to the end of its first line."""
    line = dedent(text).splitlines()[span.start.line]
    stop = span.end.column if span.end.line == span.start.line else len(line)
    return line[span.start.column : stop]

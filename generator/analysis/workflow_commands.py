"""Annotations of a GitHub workflow: commands on standard output, one a line.

Source: docs.github.com, "Workflow commands"; escapes as in actions/toolkit,
packages/core/src/command.ts.
"""

from __future__ import annotations

from typing import Literal


def workflow_command(
    kind: Literal["error", "warning", "notice"],
    place: tuple[str, int],
    title: str,
    message: str,
) -> str:
    """Return an annotation at a file and line (from 1)."""
    file, line = place
    fields = f"file={_property(file)},line={line},title={_property(title)}"
    return f"::{kind} {fields}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

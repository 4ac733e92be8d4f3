"""Annotations of a GitHub workflow: commands on standard output, one a line.

Source: docs.github.com, "Workflow commands"; escapes as in actions/toolkit,
packages/core/src/command.ts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal


def workflow_command(
    kind: Literal["error", "warning", "notice"],
    place: tuple[str, int] | None,
    title: str,
    message: str,
    more: Sequence[tuple[str, int]] = (),
) -> str:
    """Return an annotation at a file and line (from 1), if it has a place.

    `more` are further numbers of the place: col, endLine, endColumn.
    """
    fields = [f"file={_property(place[0])}", f"line={place[1]}"] if place else []
    fields += [f"{name}={number}" for name, number in more]
    fields.append(f"title={_property(title)}")
    return f"::{kind} {','.join(fields)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

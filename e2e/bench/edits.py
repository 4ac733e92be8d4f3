"""Edits of the big mesh as people make them: one policy, or one label, at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

Edit = Callable[[Path], None]


def change_port(file: Path) -> None:
    """A NetworkPolicy of a namespace opens another port."""
    _replace(file, "- port: 443\n", "- port: 8443\n")


def change_label(file: Path) -> None:
    """A Deployment gets another role: other policies select its pods."""
    _replace(file, "        role: worker\n", "        role: web\n")


def add_policy(file: Path) -> None:
    """A namespace gets one policy more, so that all rules after it move up."""
    text = (
        "---\napiVersion: pepmesh.dev/v1\nkind: OverlayPolicy\nmetadata:\n"
        f"  name: added\n  namespace: {file.stem}\nspec:\n  subject:\n    pods:\n"
        "      podSelector:\n        matchLabels:\n          role: api\n  ingress:\n"
        "  - from:\n    - pods:\n        podSelector:\n          matchLabels:\n"
        "            role: worker\n    http:\n    - methods:\n      - GET\n"
        "      paths:\n      - prefix: /added\n"
    )
    file.write_text(file.read_text() + text)


EDITS: Final[dict[str, Edit]] = {
    "port": change_port,
    "label": change_label,
    "policy": add_policy,
}
"""What each is called in records."""


def _replace(file: Path, old: str, new: str) -> None:
    """Replace a line of a file that has it; the edit would else be none."""
    text = file.read_text()
    if old not in text:
        raise ValueError(f"{file} has no {old.strip()!r}")
    file.write_text(text.replace(old, new, 1))

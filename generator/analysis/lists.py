"""Spell lists of names in sentences."""

from __future__ import annotations

from collections.abc import Iterable


def listed(values: Iterable[str], most: int = 6) -> str:
    """Spell a list that a sentence can hold."""
    found = list(values)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more

"""Read tier, priority and action: the words of policies that are tried in order.

Shared by the cluster-wide kinds and OverlayPolicy. A word that is unknown is an error
with the word that was probably meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Final

from generator.policy.fields import Value
from generator.policy.model import Action, Tier

_LAST_PRIORITY: Final = 1000
_SYNONYMS: Final = {"Allow": "Accept", "Accept": "Allow"}


def read_tier(value: Value, tiers: Mapping[str, Tier]) -> Tier:
    """Read one of the tiers that a kind may be in."""
    return tiers[_one_of(value, tiers, "POL0031", "tier")]


def read_priority(value: Value) -> int:
    """Read the priority: "a value from 0 to 1000 [...] policies with lower priority
    values have higher precedence"."""
    number = value.integer()
    if not 0 <= number <= _LAST_PRIORITY:
        raise value.error("POL0032", f"{number} is not a priority")
    return number


def read_action(value: Value, kind: str, actions: Mapping[str, Action]) -> Action:
    """Read an action in the words of a kind."""
    text = value.text()
    if text in _SYNONYMS and text not in actions and _SYNONYMS[text] in actions:
        message = f'unknown action "{text}"'
        hint = f'{kind} says "{_SYNONYMS[text]}"'
        raise value.error("POL0030", message, hint)
    return actions[_one_of(value, actions, "POL0030", "action")]


def _one_of(value: Value, known: Collection[str], code: str, noun: str) -> str:
    text = value.text()
    if text in known:
        return text
    close = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
    words = " or ".join(sorted(known))
    hint = f'did you mean "{close[0]}"?' if close else f"use {words}"
    raise value.error(code, f'unknown {noun} "{text}"', hint)

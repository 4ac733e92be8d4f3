"""What a change is and why it is, in words; `Words` spells names for one format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from generator.analysis.diff.access import Kind, Level
from generator.analysis.diff.causes import Half, Turn
from generator.analysis.diff.changes import Change
from generator.analysis.diff.diff import Difference
from generator.analysis.key_ranges import keys_text
from generator.analysis.reasons import SOURCE_MISSING, SOURCE_REVOKED
from generator.policy.model import Direction
from generator.policy.request import HttpRequest

Quote = Callable[[str], str]
"""Spells a name or a place."""

SHOWN: Final = 3
"""So many examples of requests are spelt out; JSON has all."""

REQUESTS: Final = {Kind.GAINED: "more", Kind.LOST: "fewer", Kind.CHANGED: "other"}
SUBJECTS: Final = {Direction.EGRESS: "source", Direction.INGRESS: "destination"}
REASONS: Final = {
    SOURCE_REVOKED: "the source is revoked",
    SOURCE_MISSING: "only members live at these addresses",
}


def headline(difference: Difference) -> str:
    """Return the one line that says it all."""
    counts = {kind: difference.count(kind) for kind in Kind}
    if not any(counts.values()):
        return "No access changes."
    gained = counts[Kind.GAINED]
    parts = [f"{gained} flow{'' if gained == 1 else 's'} gained"]
    parts += [f"{counts[Kind.LOST]} lost"]
    if counts[Kind.CHANGED]:
        parts.append(f"{counts[Kind.CHANGED]} with other requests")
    return f"Access changes: {', '.join(parts)}."


def what_text(change: Change) -> str:
    """Return the ports, and the levels where they are not just all or nothing."""
    ports = keys_text(change.keys)
    if {change.before, change.after} == {Level.NOTHING, Level.ALL}:
        return ports
    if change.before is change.after:
        return f"{ports} ({REQUESTS[change.kind]} requests)"
    return f"{ports} ({change.before.title} -> {change.after.title})"


def why_lines(change: Change, quote: Quote = str) -> Iterator[str]:
    """Yield a sentence per turn: the rule that decides now, and what was before."""
    for turn in change.turns:
        yield _turn_text(turn, quote)
    for example in change.examples[:SHOWN]:
        why = "; ".join(_turn_text(turn, quote) for turn in example.turns)
        yield f"{quote(request_text(example.request))}: {why}"
    if len(change.examples) > SHOWN:
        yield f"and {len(change.examples) - SHOWN} more kinds of requests"


def request_text(request: HttpRequest | None) -> str:
    """Spell a request that stands for others."""
    if request is None:
        return "not HTTP"
    parts = [request.method, request.path]
    parts += [f"at {request.host}"] if request.host else []
    headers = [f"{name}: {value}" for name, value in request.headers]
    parts += [f"with {', '.join(headers)}"] if headers else []
    return " ".join(parts)


def _turn_text(turn: Turn, quote: Quote) -> str:
    if turn.before is None or turn.after is None:
        return _one_sided(turn, quote)
    if turn.after.is_allowed:
        now = _allowed(
            turn.after,
            turn.direction,
            "no policy isolates the {} for {} any more",
            quote,
        )
        return f"{now}; before, {_denied(turn.before, quote)}"
    was = _allowed(
        turn.before, turn.direction, "no policy isolated the {} for {}", quote
    )
    return f"{_denied(turn.after, quote)}; before, {was}"


def _one_sided(turn: Turn, quote: Quote) -> str:
    half = turn.after or turn.before
    assert half is not None
    if half.is_allowed:
        return _allowed(half, turn.direction, "no policy isolates the {} for {}", quote)
    return _denied(half, quote)


def _allowed(half: Half, direction: Direction, free: str, quote: Quote) -> str:
    if half.rule is None:
        return free.format(SUBJECTS[direction], direction)
    return f"allowed by {_rule(half, quote)}"


def _denied(half: Half, quote: Quote) -> str:
    if half.reason is not None:
        return f"denied, since {REASONS.get(half.reason, half.reason)}"
    return f"denied by {_rule(half, quote)}" if half.rule else "denied"


def _rule(half: Half, quote: Quote) -> str:
    return f"{quote(half.rule or '')} ({quote(half.place or '')})"

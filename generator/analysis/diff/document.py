"""A difference as JSON and CSV: every change of every flow, nothing grouped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.analysis.api_version import API_VERSION
from generator.analysis.diff.access import Kind
from generator.analysis.diff.causes import Half, Turn
from generator.analysis.diff.changes import Change, Example
from generator.analysis.diff.diff import Arrivals, Difference
from generator.analysis.diff.groups import About, about_of
from generator.analysis.diff.sides import Side
from generator.analysis.inspection import ports_by_protocol
from generator.analysis.key_ranges import ports_text, split_keys
from generator.build import table_digest
from generator.policy.request import HttpRequest

CSV_HEADER: Final = (
    "change",
    "about",
    "source",
    "destination",
    "protocol",
    "ports",
    "before",
    "after",
    "rule",
    "place",
)


def difference_document(difference: Difference) -> dict[str, object]:
    """Return the difference as the JSON document of `pepmesh diff -o json`.

    `about`: "both" if source and destination are on both sides, else "new" or "gone".
    `rules`: for each direction that turned, what decided before and what does after.
    `requests`: where only some are allowed on both sides, one example of each cause
    for which others are; `http` null: a flow that is not HTTP.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": "Diff",
        "before": _side_fields(difference.before),
        "after": _side_fields(difference.after),
        "summary": {kind.value: difference.count(kind) for kind in Kind},
        "changes": [
            _change_fields(change, about_of(difference, change))
            for change in difference.changes
        ],
        "audited": [
            _change_fields(change, about_of(difference, change))
            for change in difference.audited
        ],
        "workloads": _arrival_fields(difference.workloads),
        "policies": _arrival_fields(difference.policies),
        "notes": list(difference.notes),
    }


def _side_fields(side: Side) -> dict[str, object]:
    digest = table_digest(side.engine.table_bytes)
    return {"name": side.title, "digest": digest}


def _arrival_fields(arrivals: Arrivals) -> dict[str, object]:
    return {"new": list(arrivals.new), "gone": list(arrivals.gone)}


def _change_fields(change: Change, about: About) -> dict[str, object]:
    return {
        "change": change.kind.value,
        "about": about.value,
        "source": change.flow.source,
        "destination": change.flow.destination,
        "ports": ports_by_protocol(change.keys),
        "before": change.before.title,
        "after": change.after.title,
        "rules": [_turn_fields(turn) for turn in change.turns],
        "requests": [_example_fields(example) for example in change.examples],
    }


def _example_fields(example: Example) -> dict[str, object]:
    request = example.request
    return {
        "change": example.kind.value,
        "http": None if request is None else _request_fields(request),
        "rules": [_turn_fields(turn) for turn in example.turns],
    }


def _request_fields(request: HttpRequest) -> dict[str, object]:
    return {
        "method": request.method,
        "path": request.path,
        "host": request.host,
        "headers": [list(header) for header in request.headers],
    }


def _turn_fields(turn: Turn) -> dict[str, object]:
    return {
        "direction": turn.direction.value,
        "before": _half_fields(turn.before),
        "after": _half_fields(turn.after),
    }


def _half_fields(half: Half | None) -> dict[str, object] | None:
    if half is None:
        return None
    return {
        "verdict": "ALLOW" if half.is_allowed else "DENY",
        "rule": half.rule,
        "place": half.place,
        "reason": half.reason,
    }


def difference_rows(difference: Difference) -> Iterator[tuple[str, ...]]:
    """Yield the rows of `-o csv`: one per change and protocol.

    The rule is the one that decides after the change, or, where nothing is there any
    more, the one that did.
    """
    for change in difference.changes:
        yield from _rows(change, about_of(difference, change))
    for change in difference.audited:
        yield from _rows(change, About.AUDITED)


def _rows(change: Change, about: About) -> Iterator[tuple[str, ...]]:
    turns = [*change.turns, *(t for e in change.examples for t in e.turns)]
    halves = dict.fromkeys(turn.after or turn.before for turn in turns)
    named = [half for half in halves if half is not None and half.rule]
    rules = " ".join(half.rule or "" for half in named)
    places = " ".join(half.place or "" for half in named)
    for protocol, spans in split_keys(change.keys):
        yield (
            change.kind.value,
            about.value,
            change.flow.source,
            change.flow.destination,
            protocol.value,
            ports_text(spans),
            change.before.title,
            change.after.title,
            rules,
            places,
        )

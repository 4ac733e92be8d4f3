"""Read path patterns back from the automaton that a table has instead of them.

    0 -cart-> 1 -any-> 2 (accepts)     ->     /cart/{*}

`/cart/...` is a prefix: the path itself, and all that is below it. A pattern within
another one of the same alternative is left out: it makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from generator.table.model import Chain, PathState

MOST: Final = 8
"""Patterns of one alternative; more are counted as "..."."""

_ANY: Final = None
"""A segment of a pattern for which the automaton has no edge."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    segments: tuple[str | None, ...]
    is_open: bool

    def __str__(self) -> str:
        texts = ["{*}" if text is _ANY else text for text in self.segments]
        if self.is_open and self.segments[-1:] == (_ANY,):
            return "/" + "/".join([*texts[:-1], "{**}"])
        path = "/" + "/".join(texts)
        return f"{path.removesuffix('/')}/..." if self.is_open else path

    def covers(self, other: _Pattern) -> bool:
        """Tell whether every path of the other is one of these."""
        if len(other.segments) < len(self.segments):
            return False
        if not self.is_open and (
            other.is_open or len(self.segments) < len(other.segments)
        ):
            return False
        pairs = zip(self.segments, other.segments, strict=False)
        return all(
            mine == theirs or (mine is _ANY and (theirs != "" or self._is_rest(place)))
            for place, (mine, theirs) in enumerate(pairs)
        )

    def _is_rest(self, place: int) -> bool:
        """`{**}` may be empty, `{*}` may not."""
        return self.is_open and place == len(self.segments) - 1


def patterns_of(chain: Chain, alternative: int) -> list[str]:
    """Return the paths of one alternative, in order of their texts."""
    found = list(dict.fromkeys(_Reader(chain.states, alternative).patterns()))
    kept = [
        pattern
        for pattern in found
        if not any(other.covers(pattern) for other in found if other != pattern)
    ]
    texts = sorted(map(str, kept))
    return texts if len(texts) <= MOST else [*texts[:MOST], "..."]


class _Reader:
    def __init__(self, states: tuple[PathState, ...], alternative: int) -> None:
        self._states = states
        accepting = {n for n, s in enumerate(states) if alternative in s.accepts}
        self._accepting = accepting
        self._open = self._shrink(set(accepting))
        self._alive = self._grow(set(accepting))

    def patterns(self) -> Iterator[_Pattern]:
        """Walk the automaton; only where the alternative can still be accepted."""
        waiting: list[tuple[int, tuple[str | None, ...]]] = [(0, ())]
        while waiting:
            number, segments = waiting.pop()
            if number in self._open:
                yield _Pattern(segments, is_open=True)
                continue
            if number in self._accepting:
                yield _Pattern(segments, is_open=False)
            for segment, after in _steps(self._states[number]):
                if after in self._alive:
                    waiting.append((after, (*segments, segment)))

    def _shrink(self, kept: set[int]) -> set[int]:
        """Keep the states that accept, whatever follows."""
        while True:
            fewer = {
                n
                for n in kept
                if all(t in kept for _, t in _all_steps(self._states[n]))
            }
            if fewer == kept:
                return kept
            kept = fewer

    def _grow(self, kept: set[int]) -> set[int]:
        """Add the states that lead to one that accepts."""
        while True:
            more = kept | {
                n
                for n, state in enumerate(self._states)
                if any(t in kept for _, t in _steps(state))
            }
            if more == kept:
                return kept
            kept = more


def _all_steps(state: PathState) -> Iterator[tuple[str | None, int | None]]:
    yield _ANY, state.default
    yield from state.edges


def _steps(state: PathState) -> Iterator[tuple[str | None, int]]:
    for segment, after in _all_steps(state):
        if after is not None:
            yield segment, after

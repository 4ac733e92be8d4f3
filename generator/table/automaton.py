"""Path patterns as one automaton over the segments of a path.

    /cart/{*}       /cart/new          0 -cart-> 1 -new-> 2 (both accept)
                                                 1 -....-> 3 (the first accepts)

Where in the pipeline: `rules with http -> chains -> rule table`. The filter follows one
edge per segment, so the cost of a look-up does not depend on the number of patterns.
Subset construction over positions in patterns; the table's state `default` is where
segments without an edge of their own lead. An empty segment (`/a/` has one at its end)
has an edge of its own wherever `{*}`, which it does not match, could be next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from generator.errors import TableError
from generator.policy.model import PathKind, PathMatch
from generator.table.model import PathState

STATES_PER_SEGMENT: Final = 16
"""Patterns with many `{*}` beside each other multiply. Others need about one state per
segment; this is far above what people write."""

_STAR: Final = "{*}"
_REST: Final = "{**}"

_Position = tuple[int, int]
"""Number of the pattern, and how many of its segments are behind."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Segments of a pattern; `is_open`: anything, or nothing, may follow them."""

    segments: tuple[str, ...]
    is_open: bool
    has_templates: bool = False


ANY_PATH: Final = Pattern((), True)


def pattern_of(path: PathMatch) -> Pattern:
    """Read a pattern in normal form."""
    segments = tuple(path.pattern[1:].split("/"))
    match path.kind:
        case PathKind.EXACT:
            return Pattern(segments, False)
        case PathKind.PREFIX:
            # "/a/" is the prefix "/a", and "/" has no segments at all.
            kept = segments[:-1] if segments[-1] == "" else segments
            return Pattern(kept, True)
        case PathKind.TEMPLATE:
            return Pattern(segments, segments[-1] == _REST, has_templates=True)


def build_automaton(patterns: Sequence[Pattern]) -> tuple[PathState, ...]:
    """Build the automaton of some patterns; state 0 is the first.

    `accepts` are numbers of patterns.

    Raises: TableError TBL0004 if it has too many states for its patterns.
    """
    return _Automaton(patterns).build()


@dataclass
class _Automaton:
    patterns: Sequence[Pattern]
    numbers: dict[tuple[_Position, ...], int] = field(default_factory=dict)
    waiting: list[tuple[_Position, ...]] = field(default_factory=list)

    @cached_property
    def most(self) -> int:
        segments = sum(1 + len(pattern.segments) for pattern in self.patterns)
        return STATES_PER_SEGMENT * segments

    def build(self) -> tuple[PathState, ...]:
        self._number([(number, 0) for number in range(len(self.patterns))])
        states = []
        # `waiting` grows while it is read: states are found in order of their numbers.
        for positions in self.waiting:
            states.append(self._state(positions))
        return tuple(states)

    def _number(self, positions: Sequence[_Position]) -> int | None:
        """Return the number of a set of positions; None for the empty one."""
        key = tuple(sorted(positions))
        if not key:
            return None
        if key not in self.numbers:
            if len(self.numbers) == self.most:
                message = f"paths of one port need more than {self.most:,} states"
                raise TableError.of("TBL0004", message)
            self.numbers[key] = len(self.numbers)
            self.waiting.append(key)
        return self.numbers[key]

    def _state(self, positions: tuple[_Position, ...]) -> PathState:
        by_segment: dict[str, list[_Position]] = {}
        anything: list[_Position] = []
        not_empty: list[_Position] = []
        for number, behind in positions:
            pattern = self.patterns[number]
            if behind == len(pattern.segments):
                anything += [(number, behind)] if pattern.is_open else []
                continue
            segment, after = pattern.segments[behind], (number, behind + 1)
            if not pattern.has_templates or segment not in (_STAR, _REST):
                by_segment.setdefault(segment, []).append(after)
            else:
                (not_empty if segment == _STAR else anything).append(after)
        if not_empty:
            by_segment.setdefault("", [])
        default = self._number([*anything, *not_empty])
        edges = []
        for segment, found in sorted(by_segment.items()):
            others = anything if segment == "" else [*anything, *not_empty]
            next_state = self._number([*found, *others])
            if next_state != default:
                edges.append((segment, next_state))
        return PathState(default, tuple(edges), self._accepts(positions))

    def _accepts(self, positions: tuple[_Position, ...]) -> tuple[int, ...]:
        return tuple(
            number
            for number, behind in positions
            if behind == len(self.patterns[number].segments)
        )

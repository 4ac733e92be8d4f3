"""Slices: rows of one section that others name by the first row and their number.

A hashed slice is searched from the slot that a hash says (filters/table.py, `slot`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from generator.table.packing import Row

MAX_FULL_SLOTS: Final = 4
"""Up to so many rows a hashed slice has no empty slots: all of it is soon seen."""

SPARSE: Final = 250
DENSE: Final = 125
"""Slots of longer slices in percent of their rows; sparse where look-ups often miss."""

TRIES: Final = 8
"""So many numbers of slots are tried for the one whose longest run is the shortest."""


@dataclass
class Slices:
    """The rows of one section; equal slices are stored once."""

    rows: list[Row] = field(default_factory=list)
    places: dict[tuple[Row, ...], int] = field(default_factory=dict)

    def add(self, rows: Iterable[Row]) -> tuple[int, int]:
        """Store some rows, once; return where they are, and how many."""
        piece = tuple(rows)
        if not piece:
            return 0, 0
        if piece not in self.places:
            self.places[piece] = len(self.rows)
            self.rows += piece
        return self.places[piece], len(piece)


def hashed(rows: Sequence[tuple[int, Row]], percent: int = SPARSE) -> list[Row]:
    """Lay rows out with open addressing; an empty slot is a row of zeros.

    A look-up of what is not there walks to the end of a run of used slots, so runs are
    kept short. Up to MAX_FULL_SLOTS there are no empty slots, and all are looked at.
    """
    count = len(rows)
    if count <= MAX_FULL_SLOTS:
        laid = _lay(rows, count)
    else:
        least = count * percent // 100
        tries = (_lay(rows, slots) for slots in range(least, least + TRIES))
        laid = min(tries, key=_longest_run)
    empty = (0,) * len(rows[0][1]) if rows else ()
    return [empty if row is None else row for row in laid]


def _lay(rows: Sequence[tuple[int, Row]], slots: int) -> list[Row | None]:
    laid: list[Row | None] = [None] * slots
    for number, row in rows:
        place = number * slots >> 32
        while laid[place] is not None:
            place = (place + 1) % slots
        laid[place] = row
    return laid


def _longest_run(laid: Sequence[Row | None]) -> int:
    """The most used slots in a row, round the end."""
    return max(
        len(list(run)) for is_used, run in groupby((*laid, *laid), bool) if is_used
    )

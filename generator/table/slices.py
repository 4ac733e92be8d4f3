"""Slices: rows of one section that others name by the first row and their number.

A hashed slice is searched from the slot that a hash says (filters/table.py, `slot`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from generator.memory import Rounds
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
        place = self.places.setdefault(piece, len(self.rows))
        if place == len(self.rows):
            self.rows += piece
        return place, len(piece)


Layout = tuple[int | None, ...]
"""Which row is in each slot of a hashed slice; None: the slot is empty."""

LayoutMemory = Rounds[tuple[tuple[int, ...], int], Layout]
"""Layouts by the hashes of rows, and by the percentage of slots."""


def hashed(
    rows: Sequence[tuple[int, Row]], memory: LayoutMemory, percent: int = SPARSE
) -> list[Row]:
    """Lay rows out with open addressing; an empty slot is a row of zeros."""
    if not rows:
        return []
    layout = memory.get((tuple(number for number, _ in rows), percent), lay_out)
    empty = (0,) * len(rows[0][1])
    return [empty if number is None else rows[number][1] for number in layout]


def lay_out(key: tuple[tuple[int, ...], int]) -> Layout:
    """Find slots for rows that have these hashes.

    A look-up of what is not there walks to the end of a run of used slots, so runs are
    kept short. Up to MAX_FULL_SLOTS there are no empty slots, and all are looked at.
    """
    hashes, percent = key
    count = len(hashes)
    if count <= MAX_FULL_SLOTS:
        return _lay(hashes, count)
    least = count * percent // 100
    tries = (_lay(hashes, slots) for slots in range(least, least + TRIES))
    return min(tries, key=_longest_run)


def _lay(hashes: Sequence[int], slots: int) -> Layout:
    laid: list[int | None] = [None] * slots
    for number, found in enumerate(hashes):
        place = found * slots >> 32
        while laid[place] is not None:
            place = (place + 1) % slots
        laid[place] = number
    return tuple(laid)


def _longest_run(layout: Layout) -> int:
    """The most used slots in a row, round the end."""
    used = bytes(number is not None for number in layout)
    return max(map(len, (used + used).split(b"\0")))

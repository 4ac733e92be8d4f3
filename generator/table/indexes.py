"""Indexes of long lists: where to look, by what is looked for.

A search in a list of 100,000 rows would take 17 halvings; between two steps of an index
are one row or two, unless keys crowd (filters/lookup.py, `narrow`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from filters.layout import LONG_LIST
from generator.table.model import AddressList, PortList
from generator.table.packing import Row
from generator.table.slices import Slices

STEPS_PER_KEY: Final = 2
"""With keys in a few crowds, many steps have none."""


@dataclass
class Indexes:
    """The rows of INDEXES, and those of STEPS."""

    known: dict[Row, int] = field(default_factory=dict)
    steps: Slices = field(default_factory=Slices)

    def of_ports(self, ports: PortList) -> int:
        """Index a list by the first range that ends at or above a key."""
        lasts = [row.last for row in ports]
        return self._add(lasts, partial(bisect_left, lasts))

    def of_addresses(self, addresses: AddressList) -> int:
        """Index a list by the last row that starts at or below an address."""
        starts = [start for start, _ in addresses]
        # All addresses below the second row lead to the first.
        return self._add(starts[1:], lambda key: bisect_right(starts, key) - 1)

    def _add(self, keys: Sequence[int], find: Callable[[int], int]) -> int:
        """Return the row of an index, plus one; 0 if the list is not worth one.

        `keys` are where the answer changes, `find` gives the answer.
        """
        if len(keys) < LONG_LIST:
            return 0
        base, span = keys[0], keys[-1] - keys[0] + 1
        steps_bits = (len(keys) * STEPS_PER_KEY).bit_length()
        shift = max(0, span.bit_length() - steps_bits)
        places = [find(base + (step << shift)) for step in range((span >> shift) + 1)]
        steps = self.steps.add((row,) for row in (*places, find(0xFFFFFFFF)))
        return self.known.setdefault((base, shift, *steps), len(self.known)) + 1

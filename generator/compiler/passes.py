"""The optimisations, by name, so that each can be left out and measured.

`python -m e2e.bench.compiler_bench` does that; DESIGN.md has the figures. Without any
of them a program means the same; what is not here is needed for a right one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Pass(StrEnum):
    """See DESIGN.md, "What is optimised", for what each does and gains."""

    INLINE_SMALL = "inline small"
    INLINE_ONCE = "inline once"
    INLINE_IN_LOOPS = "inline in loops"
    TAIL_CALLS = "tail calls"
    DIRECT_EXPORTS = "direct exports"
    NEAR_OBJECTS = "near objects"
    SHARED_LITERALS = "shared literals"
    INTERVAL_BOUNDS = "bounds by interval"
    FACT_BOUNDS = "bounds by condition"
    PREPAID_LOOPS = "prepaid loops"
    KNOWN_SLICES = "known slices"
    INDEX_OFFSETS = "index offsets"
    DIRECT_STORES = "direct stores"
    EAGER_LOGIC = "eager logic"
    TEES = "tees"
    TIDY = "tidy"


Passes = frozenset[Pass]

ALL_PASSES: Final[Passes] = frozenset(Pass)

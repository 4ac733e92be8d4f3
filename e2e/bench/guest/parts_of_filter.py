"""Parts of the filter by themselves, for the compiler's benchmark."""

from __future__ import annotations

from filters.admission import check_table
from filters.lang import export, u32
from filters.sha256 import BLOCK, BLOCK_BYTES, STATE, compress


@export
def hash_blocks(count: u32) -> u32:
    for _ in range(count):
        compress(BLOCK[0:BLOCK_BYTES])
    return STATE[0]


@export
def admit() -> bool:
    """Check the table, again and again; `filters.admission` does it once."""
    return check_table()

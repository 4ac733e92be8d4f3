"""Expanded pairwise keys, kept for strict ones: where HMAC starts for each request.

A strict key costs a MAC per request on both sides. What does not depend on the request
is done once per pair of source workload and row of a bundle: deriving K, hashing its
pads and the message's head. Rows stay where they are until a bundle goes, and then all
is forgotten.
"""

from __future__ import annotations

from typing import Final

from filters.lang import View, Words, u32
from filters.sha256 import PADS_WORDS, expand_key

PAIRS: Final = 32
PAIR_WORDS: Final = 2 + PADS_WORDS  # row, source workload
LAST_PLACE: Final = (PAIRS - 1) * PAIR_WORDS

PADS = Words(PAIRS * PAIR_WORDS)


def place_of(row: u32, workload: u32) -> u32:
    """Where the pads of a pair would be; two pairs of one place displace each other."""
    return (u32(row * 0x85EBCA6B + workload * 0x9E3779B1) >> 27) * PAIR_WORDS


def is_kept(row: u32, workload: u32) -> bool:
    """Tell whether a pair's pads are in its place. No row is 0."""
    place = min(place_of(row, workload), LAST_PLACE)
    return PADS[place] == row and PADS[place + 1] == workload


def keep(row: u32, workload: u32, key: View, head: View) -> None:
    """Put the pads of a pair's K, with the head of its messages, in its place."""
    place = min(place_of(row, workload), LAST_PLACE)
    PADS[place] = row
    PADS[place + 1] = workload
    expand_key(key, head, PADS, place + 2)


def forget_all() -> None:
    """Overwrite every key: they are derived again when they are asked for."""
    for i in range(PAIRS * PAIR_WORDS):
        PADS[i] = 0

"""A party of a flow: a member of the overlay, or an address outside it."""

from __future__ import annotations

from enum import IntEnum

from filters.lang import record, u32


class Kind(IntEnum):
    """What a party is."""

    MEMBER = 0  # words: the overlay address
    IPV4 = 1  # words: 0, 0, 0, the address
    IPV6 = 2  # words: the address
    UNKNOWN = 3  # outside, address not known: only rules for any peer match


@record
class Party:
    kind: u32 = 0
    word0: u32 = 0
    word1: u32 = 0
    word2: u32 = 0
    word3: u32 = 0

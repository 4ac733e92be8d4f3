"""What language/values.py imports. Nothing here is exported."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from filters.lang import Words, u32

IMPORTED: Final = 77


class Shared(IntEnum):
    """Members are constants."""

    NONE = -1
    ONE = 1
    TWO = 2


SHARED = Words(4)

total: u32 = 0


def add_shared(amount: u32) -> u32:
    global total
    total = u32(total + amount)
    return total


def shared_word(index: u32) -> u32:
    return SHARED[index]


def set_shared_word(index: u32, value: u32) -> None:
    SHARED[index] = value

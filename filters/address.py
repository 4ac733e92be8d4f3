"""Overlay addresses: `fd`, overlay id, realm, workload id, instance (design fixed).

In memory an address is four words, most significant first:

    word 0  fd and the overlay id's first 24 bits     word 2  workload id
    word 1  the overlay id's last 16 bits, the realm  word 3  instance

On the wire it is always 39 characters, eight groups of four lower-case hex digits:
one spelling per address, and a parser without cases.
"""

from __future__ import annotations

from typing import Final

from filters.lang import Buffer, View, Words, u8, u32
from filters.text import NOT_A_DIGIT, hex_digit, read_decimal

ADDRESS_TEXT_BYTES: Final = 39
COLON: Final = 58


def read_address(text: View, words: Words) -> bool:
    """Read the wire form into four words; tell whether it was one."""
    if len(text) != ADDRESS_TEXT_BYTES:
        return False
    value: u32 = 0
    for group in range(8):
        for i in range(4):
            digit = hex_digit(text[group * 5 + i])
            if digit == NOT_A_DIGIT:
                return False
            value = u32((value << 4) | digit)
        if group < 7 and text[group * 5 + 4] != COLON:
            return False
        if (group & 1) == 1:
            words[group >> 1] = value
            value = 0
    return True


def write_address(words: Words, out: Buffer) -> None:
    """Write the wire form of four words to the start of `out`."""
    for group in range(8):
        value = words[group >> 1] >> ((1 - (group & 1)) * 16)
        for i in range(4):
            digit = (value >> ((3 - i) * 4)) & 15
            out[group * 5 + i] = u8(digit + 48 if digit < 10 else digit + 87)
        if group < 7:
            out[group * 5 + 4] = COLON


def read_ipv4(text: View) -> tuple[bool, u32]:
    """Read dotted decimal, four numbers without leading zeros."""
    value: u32 = 0
    at: u32 = 0
    for i in range(4):
        end = dot_or_end(text, at)
        ok, number = read_decimal(text[at:end])
        if not ok or number > 255:
            return False, 0
        value = u32((value << 8) | number)
        at = u32(end + 1)
        if i == 3:
            return end == len(text), value
        if end == len(text):
            return False, 0
    return False, 0


def dot_or_end(text: View, start: u32) -> u32:
    for i in range(start, len(text)):
        if text[i] == 46:
            return i
    return len(text)


def read_ipv6(text: View, words: Words) -> bool:
    """Read RFC 4291 text with at most one `::`, without an embedded IPv4 address."""
    for i in range(4):
        words[i] = 0
    groups = count_groups(text)
    place: u32 = 0
    at: u32 = 0
    gap: bool = False
    if text[0:2] == b"::":
        gap = True
        place = u32(8 - min(groups, 8))
        at = 2
    while at < len(text):
        end = colon_or_end(text, at)
        if place > 7 or not put_group(text[at:end], place, words):
            return False
        place = u32(place + 1)
        at = u32(end + 1)
        if text[end : u32(end + 2)] == b"::":
            if gap:
                return False
            gap = True
            place = u32(place + 8 - min(groups, 8))
            at = u32(end + 2)
        elif at == len(text):
            return False
    return place == 8 and (gap == (groups < 8))


def count_groups(text: View) -> u32:
    """Count the runs of characters between colons."""
    groups: u32 = 0
    for i in range(len(text)):
        if text[i] != COLON and (i == 0 or text[u32(i - 1)] == COLON):
            groups = u32(groups + 1)
    return groups


def colon_or_end(text: View, start: u32) -> u32:
    for i in range(start, len(text)):
        if text[i] == COLON:
            return i
    return len(text)


def put_group(text: View, place: u32, words: Words) -> bool:
    value: u32 = 0
    if len(text) == 0 or len(text) > 4:
        return False
    for i in range(len(text)):
        digit = hex_digit(text[i])
        if digit == NOT_A_DIGIT:
            return False
        value = u32((value << 4) | digit)
    if (place & 1) == 0:
        words[place >> 1] = u32(value << 16)
    else:
        words[place >> 1] = words[place >> 1] | value
    return True

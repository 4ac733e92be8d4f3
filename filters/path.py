"""The normal form of a path, so that one path has one spelling.

    /a/%7Eb//./c/../d?x=1   ->   /a/~b/d

Characters that a segment may hold as they are (RFC 3986, pchar, but for the semicolon)
are decoded and all others encoded, with upper-case digits; slashes are merged, and dot
segments go. A path that servers read in two ways has no normal form:
generator/policy/DESIGN.md has the table.
"""

from __future__ import annotations

from typing import Final

from filters.lang import Buffer, View, u8, u32
from filters.text import index_of

MAX_PATH_BYTES: Final = 4096
SLASH: Final = 47
BAD: Final = 256  # no byte

# A character that must be encoded, and is not, becomes three.
NORMAL = Buffer(3 * MAX_PATH_BYTES)

# What stands in a segment as it is, by bits of the character: what RFC 3986 allows
# there, pchar, without "%" and ";".
PLAIN: Final[tuple[u32, ...]] = (0, 0x27FF7FD2, 0x87FFFFFF, 0x47FFFFFE)

# The segment being written, and how much of the path is written.
start: u32 = 0
size: u32 = 0

# UTF-8 being decoded: bytes still to come, and the bounds of the next one.
missing: u32 = 0
lowest: u32 = 0
highest: u32 = 0


def normalise(target: View) -> tuple[bool, u32]:
    """Write the path of a request target to NORMAL.

    Returns whether it can be read in one way only, and the bytes of its normal form.
    """
    global start, size, missing
    path = target[0 : index_of(target, 63, 0)]
    if len(path) == 0 or len(path) > MAX_PATH_BYTES or path[0] != SLASH:
        return False, 0
    NORMAL[0] = SLASH
    start = 1
    size = 1
    missing = 0
    at: u32 = 1
    while at < len(path):
        character = path[at]
        if character == 37:
            if not write_encoded(path[u32(at + 1) : u32(at + 3)]):
                return False, 0
            at = u32(at + 3)
        else:
            if missing > 0 or not write_plain(character):
                return False, 0
            at = u32(at + 1)
    if missing > 0 or not end_segment(True):
        return False, 0
    return True, size


def write_plain(character: u32) -> bool:
    """Write a character that was not encoded."""
    if character == SLASH:
        return end_segment(False)
    if character < 0x21 or character >= 0x7F:
        return False
    if character == 92 or character == 35 or character == 59:  # \ # ;
        return False
    put_normal(character)
    return True


def write_encoded(digits: View) -> bool:
    """Write a byte that was encoded."""
    value = byte_of(digits)
    if value == BAD or value < 0x20 or value == 0x7F:
        return False
    if value == SLASH or value == 92 or not continues_utf8(value):
        return False
    put_normal(value)
    return True


def put_normal(value: u32) -> None:
    """Write a byte as it is, if it may be, else encoded in upper case."""
    if is_plain(value):
        put(u8(value))
        return
    put(37)
    put(upper_digit(value >> 4))
    put(upper_digit(value & 15))


def put(character: u8) -> None:
    global size
    NORMAL[size] = character
    size = u32(size + 1)


def is_plain(character: u32) -> bool:
    return (PLAIN[(character >> 5) & 3] >> (character & 31)) & 1 == 1 and (
        character < 0x80
    )


def byte_of(digits: View) -> u32:
    """The byte that two hex digits stand for, or BAD."""
    if len(digits) < 2:
        return BAD
    high = hex_value(digits[0])
    low = hex_value(digits[1])
    if high > 15 or low > 15:
        return BAD
    return u32(high * 16 + low)


def hex_value(character: u32) -> u32:
    """The value of a hex digit of either case; above 15 if it is none."""
    if 48 <= character <= 57:
        return u32(character - 48)
    folded = u32(character | 32)
    if 97 <= folded <= 102:
        return u32(folded - 87)
    return 16


def upper_digit(value: u32) -> u8:
    return u8(value + 48) if value < 10 else u8(value + 55)


def continues_utf8(value: u32) -> bool:
    """Take one more encoded byte; False if that is not UTF-8 in its shortest form."""
    global missing, lowest, highest
    if missing > 0:
        missing = u32(missing - 1)
        is_good = lowest <= value <= highest
        lowest = 0x80
        highest = 0xBF
        return is_good
    lowest = 0x80
    highest = 0xBF
    if value < 0x80:
        return True
    if value < 0xC2 or value > 0xF4:
        return False
    missing = 1
    if value >= 0xE0:
        missing = 2
    if value >= 0xF0:
        missing = 3
    if value == 0xE0:
        lowest = 0xA0
    elif value == 0xED:
        highest = 0x9F
    elif value == 0xF0:
        lowest = 0x90
    elif value == 0xF4:
        highest = 0x8F
    return True


def end_segment(is_last: bool) -> bool:
    """Close the segment that was written; False if it climbs above the root."""
    global start, size
    segment = NORMAL[start:size]
    if segment == b"..":
        return climb()
    if len(segment) == 0 or segment == b".":
        size = start
        return True
    if not is_last:
        put(SLASH)
        start = size
    return True


def climb() -> bool:
    """Remove the last segment; there must be one."""
    global start, size
    if start <= 1:
        return False
    start = u32(start - 1)
    while start > 0 and NORMAL[u32(start - 1)] != SLASH:
        start = u32(start - 1)
    size = start
    return True

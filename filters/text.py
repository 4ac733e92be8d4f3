"""Text in and out: decimal numbers, hex digits, base64url, and one output line.

Every reader is strict: one spelling per value (RFC 4648 section 3.5 asks that of
base64), so that two texts never mean the same key or address.
"""

from __future__ import annotations

from typing import Final

from filters.lang import Buffer, View, u8, u32, u64

NOT_A_DIGIT: Final = 64
MAX_DECIMAL_DIGITS: Final = 18

# RFC 4648, section 5.
BASE64_DIGITS: Final = (
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

OUT = Buffer(1024)
out_bytes: u32 = 0


# --- reading ---------------------------------------------------------------------


def hex_digit(character: u32) -> u32:
    """Return the value of a lower-case hex digit, or NOT_A_DIGIT."""
    if 48 <= character <= 57:
        return u32(character - 48)
    if 97 <= character <= 102:
        return u32(character - 87)
    return NOT_A_DIGIT


def base64_digit(character: u32) -> u32:
    """Return the value of a base64url digit, or NOT_A_DIGIT."""
    if 65 <= character <= 90:
        return u32(character - 65)
    if 97 <= character <= 122:
        return u32(character - 71)
    if 48 <= character <= 57:
        return u32(character + 4)
    if character == 45:
        return 62
    if character == 95:
        return 63
    return NOT_A_DIGIT


def read_decimal(text: View) -> tuple[bool, u64]:
    """Read a whole text as a decimal number without sign or leading zeros."""
    value: u64 = 0
    if len(text) == 0 or len(text) > MAX_DECIMAL_DIGITS:
        return False, value
    if text[0] == 48 and len(text) > 1:
        return False, value
    for i in range(len(text)):
        character = text[i]
        if character < 48 or character > 57:
            return False, value
        value = u64(value * 10 + (character - 48))
    return True, value


def read_base64url(text: View, out: Buffer, offset: u32) -> tuple[bool, u32]:
    """Decode unpadded base64url into `out`; return whether it is one, and the bytes.

    Left-over bits must be zero. A text that does not fit `out` is refused.
    """
    size = u32(len(text) // 4 * 3 + (len(text) & 3) * 3 // 4)
    if (len(text) & 3) == 1 or offset + size > len(out):
        return False, 0
    pending: u32 = 0
    bits: u32 = 0
    at = offset
    for i in range(len(text)):
        digit = base64_digit(text[i])
        if digit == NOT_A_DIGIT:
            return False, 0
        pending = u32((pending << 6) | digit)
        bits = u32(bits + 6)
        if bits >= 8:
            bits = u32(bits - 8)
            out[at] = u8(pending >> (bits & 7))
            at = u32(at + 1)
    if pending & u32((1 << (bits & 7)) - 1) != 0:
        return False, 0
    return True, size


def is_base64url_of(text: View, data: View) -> bool:
    """Tell whether a text is these bytes in unpadded base64url, without decoding it."""
    if len(text) != u32(len(data) * 8 + 5) // 6:
        return False
    pending: u32 = 0
    bits: u32 = 0
    at: u32 = 0
    for i in range(len(text)):
        if bits < 6:
            pending = u32((pending << 8) | (data[at] if at < len(data) else 0))
            bits = u32(bits + 8)
            at = u32(at + 1)
        bits = u32(bits - 6)
        if text[i] != BASE64_DIGITS[(pending >> (bits & 7)) & 63]:
            return False
    return True


def index_of(text: View, wanted: u32, start: u32) -> u32:
    """Return the place of the first byte `wanted` from `start`, or the length."""
    for i in range(start, len(text)):
        if text[i] == wanted:
            return i
    return len(text)


def starts_with(text: View, prefix: View) -> bool:
    return text[0 : len(prefix)] == prefix


def text_hash(text: View) -> u32:
    """FNV-1a over the bytes of a text; the table's encoder uses the same function."""
    state: u32 = 0x811C9DC5
    for i in range(len(text)):
        state = u32((state ^ text[i]) * 0x01000193)
    return state ^ (state >> 15)


# --- writing ---------------------------------------------------------------------


def start_line() -> None:
    """Forget the output line."""
    global out_bytes
    out_bytes = 0


def write(text: View) -> None:
    """Add a text to the output line; what does not fit is cut off."""
    global out_bytes
    room = u32(len(OUT) - min(out_bytes, len(OUT)))
    taken = u32(min(room, len(text)))
    OUT.put(out_bytes, text[0:taken])
    out_bytes = u32(out_bytes + taken)


def write_decimal(value: u64) -> None:
    """Add a decimal number to the output line."""
    power: u64 = 1
    while value // power >= 10:
        power = u64(power * 10)
    while power > 0:
        write_byte(u8(48 + value // power % 10))
        power = power // 10


def write_byte(character: u8) -> None:
    global out_bytes
    if out_bytes < len(OUT):
        OUT[out_bytes] = character
        out_bytes = u32(out_bytes + 1)


def write_base64url(data: View) -> None:
    """Add unpadded base64url to the output line."""
    pending: u32 = 0
    bits: u32 = 0
    for i in range(len(data)):
        pending = u32((pending << 8) | data[i])
        bits = u32(bits + 8)
        while bits >= 6:
            bits = u32(bits - 6)
            write_byte(BASE64_DIGITS[(pending >> (bits & 7)) & 63])
    if bits > 0:
        write_byte(BASE64_DIGITS[u32(pending << (6 - min(bits, 6))) & 63])


def line() -> View:
    """The output line so far."""
    return OUT[0:out_bytes]

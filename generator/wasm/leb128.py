"""LEB128, the variable-length integers of the Wasm binary format.

Source: WebAssembly Core 2.0, section 5.2.2. Encodings are the shortest ones. A u32
needs up to five bytes (from 2**28 on); decoding refuses more bytes than the width
allows, as engines do.
"""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def encode_unsigned(value: int) -> bytes:
    """Encode a number from 0 up."""
    if value < 0:
        raise ValueError(f"{value} is negative")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@lru_cache(maxsize=4096)
def encode_signed(value: int) -> bytes:
    """Encode a number in two's complement; the last byte's bit 6 is the sign."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def decode_unsigned(data: bytes, offset: int, bits: int = 32) -> tuple[int, int]:
    """Return the number at `offset` and the offset after it."""
    raw, end = _raw(data, offset, bits)
    if raw >> bits:
        raise ValueError(f"number at {offset} exceeds {bits} bits")
    return raw, end


def decode_signed(data: bytes, offset: int, bits: int = 32) -> tuple[int, int]:
    """Return the signed number at `offset` and the offset after it."""
    raw, end = _raw(data, offset, bits)
    read = 7 * (end - offset)
    value = raw - (1 << read) if raw >> (read - 1) else raw
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise ValueError(f"number at {offset} exceeds {bits} bits")
    return value, end


def _raw(data: bytes, offset: int, bits: int) -> tuple[int, int]:
    value = 0
    for count in range((bits + 6) // 7):
        if offset + count >= len(data):
            raise ValueError(f"number at {offset} is cut off")
        byte = data[offset + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, offset + count + 1
    raise ValueError(f"number at {offset} exceeds {bits} bits")

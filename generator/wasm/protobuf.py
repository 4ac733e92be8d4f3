"""Just enough protobuf to read the arguments of foreign functions.

Varints and length-delimited fields; the last value of a field wins, as proto3 has it.
"""

from __future__ import annotations


def read_fields(data: bytes) -> dict[int, int | bytes]:
    """Read a message into field number -> value; ValueError if it is malformed."""
    fields: dict[int, int | bytes] = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            fields[key >> 3], at = _varint(data, at)
        elif key & 7 == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("a field ends after the message")
            fields[key >> 3], at = data[at : at + size], at + size
        else:
            raise ValueError(f"wire type {key & 7}")
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number does not end")

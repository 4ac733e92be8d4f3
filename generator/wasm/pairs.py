"""The pairs format of header lists, as the host reads and writes it.

Shape: u32 count; u32 name bytes and u32 value bytes for each pair; name, zero byte,
value, zero byte for each. Little-endian. An empty list is no bytes.
Source: envoy-wasm, section 2.5. Shares no code with the guest's (filters/pairs.py).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from filters.abi import MAX_PAIRS, MAX_PAIRS_BYTES

Pair = tuple[bytes, bytes]


def encode_pairs(pairs: Iterable[Pair]) -> bytes:
    """Encode a list for the guest."""
    listed = list(pairs)
    if not listed:
        return b""
    sizes = b"".join(
        struct.pack("<II", len(name), len(value)) for name, value in listed
    )
    texts = b"".join(name + b"\0" + value + b"\0" for name, value in listed)
    return struct.pack("<I", len(listed)) + sizes + texts


def decode_pairs(data: bytes) -> list[Pair]:
    """Decode a list from the guest.

    Like Envoy: more than 1 024 pairs, more than 1 MiB, a missing zero byte or bytes
    after the end make the *whole* list empty, without any error.
    """
    if len(data) < 4 or len(data) > MAX_PAIRS_BYTES:
        return []
    (count,) = struct.unpack_from("<I", data)
    at = 4 + 8 * count
    if count > MAX_PAIRS or at > len(data):
        return []
    pairs: list[Pair] = []
    for name_bytes, value_bytes in struct.iter_unpack("<II", data[4:at]):
        name_end = at + name_bytes
        value_end = name_end + 1 + value_bytes
        if (
            data[name_end : name_end + 1] != b"\0"
            or data[value_end : value_end + 1] != b"\0"
        ):
            return []
        pairs.append((data[at:name_end], data[name_end + 1 : value_end]))
        at = value_end + 1
    return pairs if at == len(data) else []

"""Authorization keys: the value of the key header, made and checked.

    S(target)           receiving secret, held by whoever serves the target
    K(source -> target) HMAC-SHA-256(S(target), first 12 bytes of the source address)
    MAC                 first 16 bytes of HMAC-SHA-256(K, message)
    message             "v1", overlay id (5), key id (1), epoch (8), source address
                        (16), target id (4); numbers most significant byte first
    header              v1.<key id>.<epoch>.<target id>.<MAC, base64url, 22 characters>

That is a plain key. A strict one, `v2`, holds for one request (filters/strict.py): it
has milliseconds for the epoch, another message, and a nonce behind the MAC.

The epoch counts 30 s; the current one and its two neighbours are accepted. A key that
was verified is remembered (filters/proofs.py); comparing takes the same time whatever
the bytes are.
"""

from __future__ import annotations

from typing import Final

from filters.lang import Buffer, View, Words, u8, u32, u64
from filters.sha256 import hmac, swapped
from filters.text import (
    index_of,
    read_base64url,
    read_decimal,
    start_line,
    starts_with,
    write,
    write_decimal,
)

EPOCH_NANOSECONDS: Final = 30_000_000_000
MAC_BYTES: Final = 16
MAC_TEXT_BYTES: Final = 22
MESSAGE_BYTES: Final = 36
HEAD_BYTES: Final = 64
NONCE_BYTES: Final = 8
STRICT_TEXT_BYTES: Final = 32
WINDOW_MS: Final = 10_000  # of a strict key, both ways; RFC 8446, section 8.3
DOT: Final = 46

MESSAGE = Buffer(HEAD_BYTES)  # zero behind the message of a plain key
PAIRWISE = Buffer(32)
EXPECTED = Buffer(32)
MAC = Buffer(MAC_BYTES + NONCE_BYTES)

# The fields of the header that was read last.
is_strict: bool = False
key_id: u32 = 0
moment: u64 = 0  # epoch of a plain key, milliseconds of a strict one
target: u32 = 0


def read_key_header(text: View) -> bool:
    """Read a key header into the fields above and MAC; False if malformed.

    The version has been read by `read_version`.
    """
    global key_id, moment, target
    first = index_of(text, DOT, 3)
    second = index_of(text, DOT, u32(first + 1))
    third = index_of(text, DOT, u32(second + 1))
    ok_id, id_value = read_decimal(text[3:first])
    ok_moment, moment_value = read_decimal(text[u32(first + 1) : second])
    ok_target, target_value = read_decimal(text[u32(second + 1) : third])
    if not ok_id or not ok_moment or not ok_target:
        return False
    if id_value > 255 or target_value > 0xFFFFFFFF:
        return False
    encoded = text[u32(third + 1) : len(text)]
    if len(encoded) != (STRICT_TEXT_BYTES if is_strict else MAC_TEXT_BYTES):
        return False
    ok, _ = read_base64url(encoded, MAC, 0)
    key_id = u32(id_value)
    moment = moment_value
    target = u32(target_value)
    return ok


def key_fields() -> tuple[u32, u32, u64]:
    """Target, key id and moment of the header that was read last."""
    return target, key_id, moment


def read_version(text: View) -> bool:
    """Note whether a key header is of a strict key; False if of neither kind."""
    global is_strict
    is_strict = starts_with(text, b"v2.")
    return is_strict or starts_with(text, b"v1.")


def is_strict_key() -> bool:
    """Tell whether the header read last is of a strict key."""
    return is_strict


def current_epoch(now_nanoseconds: u64) -> u64:
    return now_nanoseconds // EPOCH_NANOSECONDS


def current_ms(now_nanoseconds: u64) -> u64:
    return now_nanoseconds // 1_000_000


def is_fresh(now_nanoseconds: u64) -> bool:
    """Tell whether the key read last is of now.

    A plain one is of the current epoch or of a neighbour.
    """
    if is_strict:
        since = u64(moment - current_ms(now_nanoseconds) + WINDOW_MS)
        return since <= 2 * WINDOW_MS
    return is_near(moment, now_nanoseconds)


def is_near(epoch: u64, now_nanoseconds: u64) -> bool:
    """Tell whether an epoch is the current one or its neighbour."""
    return u64(epoch - current_epoch(now_nanoseconds) + 1) <= 2


def derive_pairwise(secret: View, source: Words) -> None:
    """Write K for a source address and a receiving secret to PAIRWISE."""
    for i in range(3):
        MESSAGE.put_u32(i * 4, swapped(source[i]))
    hmac(secret, MESSAGE[0:12], PAIRWISE, 0)


def compute_mac(
    key: View, key_number: u32, at_epoch: u64, source: Words, to: u32
) -> None:
    """Write the MAC (16 bytes, then 16 more to be ignored) to EXPECTED."""
    write_message(b"v1", key_number, at_epoch, source, to)
    hmac(key, MESSAGE[0:MESSAGE_BYTES], EXPECTED, 0)


def write_message(
    version: View, key_number: u32, at: u64, source: Words, to: u32
) -> None:
    """Write what the messages of both kinds of keys begin with to MESSAGE."""
    MESSAGE.put(0, version)
    MESSAGE.put_u32(2, swapped(u32((source[0] << 8) | (source[1] >> 24))))
    MESSAGE[6] = u8(source[1] >> 16)
    MESSAGE[7] = u8(key_number)
    MESSAGE.put_u32(8, swapped(u32(at >> 32)))
    MESSAGE.put_u32(12, swapped(u32(at)))
    for i in range(4):
        MESSAGE.put_u32(16 + i * 4, swapped(source[i]))
    MESSAGE.put_u32(32, swapped(to))


def write_key_head(version: View, key_number: u32, at: u64, to: u32) -> None:
    """Write a key header up to its MAC to the output line."""
    start_line()
    write(version)
    write_decimal(key_number)
    write(b".")
    write_decimal(at)
    write(b".")
    write_decimal(to)
    write(b".")


def is_expected() -> bool:
    """Compare MAC with EXPECTED in constant time."""
    difference: u32 = 0
    for i in range(MAC_BYTES):
        difference = difference | (MAC[i] ^ EXPECTED[i])
    return difference == 0

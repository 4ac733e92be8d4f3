"""Strict keys: one holds for one request, for a few seconds, and once.

    message   head, time (8), last 4 bytes of the source address, nonce (8), lengths of
              method, authority and path (4 each), and those three
    head      "v2", overlay id (5), key id (1), 0 (8), first 12 bytes of the source
              address, 0 (4), target id (4), 0 (28)
    header    v2.<key id>.<time>.<target id>.<MAC and nonce, base64url, 32 characters>

The time is the sender's, in milliseconds since 1970. The nonce counts from a random
number, so that no two workers of one sender make the same key. The path is the whole
request target. All three are bound as this filter sees them: what a route or a filter
behind it rewrites breaks the key, and the receiver denies.

The head is one block, the same for all requests of a pair, and hashed once
(filters/pads.py). Each worker of a receiver remembers what it took (filters/spent.py).
"""

from __future__ import annotations

from typing import Final

from filters.abi import Errno
from filters.bundle import row_key, row_secret
from filters.key import (
    EXPECTED,
    HEAD_BYTES,
    MAC,
    MAC_BYTES,
    MESSAGE,
    NONCE_BYTES,
    PAIRWISE,
    WINDOW_MS,
    current_ms,
    derive_pairwise,
    is_expected,
    key_fields,
    write_key_head,
    write_message,
)
from filters.lang import Buffer, View, Words, load_u32, load_u64, u32, u64
from filters.pads import PADS, is_kept, keep, place_of
from filters.reasons import Reason
from filters.request import REQUEST
from filters.sha256 import BLOCK_BYTES, begin_mac, finish_mac, swapped, update
from filters.spent import spend
from filters.text import write_base64url
from filters.wasi import random_get

INSTANCE_AT: Final = 28  # the end of the source address in MESSAGE
BOUND_BYTES: Final = 32

BOUND = Buffer(BOUND_BYTES)
NONCE = Buffer(NONCE_BYTES)

# The newest time that was fresh when the last key was verified.
newest: u64 = 0


def start_nonce() -> bool:
    """Draw the number that nonces count from; False if the host has none."""
    return random_get(NONCE, NONCE_BYTES) == Errno.SUCCESS


def keep_pair(row: u32, source: Words, target: u32, key: View) -> None:
    """Hash once what all messages of a pair begin with."""
    write_message(b"v2", row_key(row), 0, source, target)
    MESSAGE.put_u32(INSTANCE_AT, 0)
    keep(row, source[2], key, MESSAGE[0:HEAD_BYTES])


def compute_strict_mac(row: u32, time: u64, source: Words, pairs: View) -> None:
    """Write the MAC of this request to EXPECTED; its nonce is in MAC."""
    method = pairs[REQUEST.method : REQUEST.method_end]
    authority = pairs[REQUEST.host : REQUEST.host_end]
    path = pairs[REQUEST.path : REQUEST.path_end]
    BOUND.put_u32(0, swapped(u32(time >> 32)))
    BOUND.put_u32(4, swapped(u32(time)))
    BOUND.put_u32(8, swapped(source[3]))
    BOUND.put(12, MAC[MAC_BYTES : MAC_BYTES + NONCE_BYTES])
    BOUND.put_u32(20, swapped(len(method)))
    BOUND.put_u32(24, swapped(len(authority)))
    BOUND.put_u32(28, swapped(len(path)))
    pads = u32(place_of(row, source[2]) + 2)
    begin_mac(PADS, pads, BLOCK_BYTES + HEAD_BYTES)
    update(BOUND[0:BOUND_BYTES])
    update(method)
    update(authority)
    update(path)
    finish_mac(PADS, pads, EXPECTED, 0)


def write_strict_key(
    row: u32, target: u32, time: u64, source: Words, pairs: View
) -> None:
    """Write the key header of one request to the output line. `row` holds K."""
    if not is_kept(row, source[2]):
        keep_pair(row, source, target, row_secret(row))
    NONCE.put_u32(0, u32(load_u32(NONCE[0:NONCE_BYTES], 0) + 1))
    MAC.put(MAC_BYTES, NONCE[0:NONCE_BYTES])
    compute_strict_mac(row, time, source, pairs)
    MAC.put(0, EXPECTED[0:MAC_BYTES])
    write_key_head(b"v2.", row_key(row), time, target)
    write_base64url(MAC[0 : MAC_BYTES + NONCE_BYTES])


def verify_strict_key(row: u32, now: u64, source: Words, pairs: View) -> u32:
    """Check the MAC of the key read last; it is not spent yet. `row` holds S."""
    global newest
    newest = u64(current_ms(now) + WINDOW_MS)
    target, _, time = key_fields()
    if not is_kept(row, source[2]):
        derive_pairwise(row_secret(row), source)
        keep_pair(row, source, target, PAIRWISE[0:32])
    compute_strict_mac(row, time, source, pairs)
    return Reason.ALLOWED if is_expected() else Reason.KEY_MISMATCH


def spend_strict_key() -> u32:
    """Take the key verified last, if it was never taken before."""
    _, _, time = key_fields()
    return spend(load_u64(MAC[0:MAC_BYTES], 0), time, newest)

"""Key bundles: the secrets of one workload, kept in static memory, shared by roots.

Format (24 bytes, then rows of 40): "PMB1", overlay id (5 bytes) and three zero bytes,
workload id, number of send rows, number of receive rows; then the send rows and the
receive rows, each sorted by target and key id: target id, key id (1 byte) and three
zero bytes, key (32 bytes). Numbers are little-endian.

The roots of one VM mostly have the same configuration (inbound and outbound listener),
and after an update the old and the new live side by side: a slot counts its users, and
its bytes are free again when the last root goes. Bundles lie in KEYS one after another,
without gaps, so that a bundle has room whenever its bytes are free.
"""

from __future__ import annotations

from typing import Final

from filters.lang import (
    Buffer,
    Pool,
    View,
    load_u32,
    load_u32_be,
    record,
    u32,
)
from filters.layout import ADDRESS_WORD0_AT, ADDRESS_WORD1_AT, NONE
from filters.table import header_word, workload_row
from filters.text import is_base64url_of, read_base64url

MAX_KEYS: Final = 768  # rows of a bundle; `pepmesh build --max-keys` sets it
ROW_BYTES: Final = 40
HEADER_BYTES: Final = 24
SLOTS: Final = 4
MAGIC: Final = 0x31424D50  # "PMB1"

KEYS = Buffer(2 * (HEADER_BYTES + MAX_KEYS * ROW_BYTES))  # the old and the new


@record
class Slot:
    """Where a bundle lies in KEYS. A free slot has no users and no bytes."""

    users: u32 = 0
    start: u32 = 0
    size: u32 = 0
    owner: u32 = 0  # never the same twice, so that remembered keys die with a bundle
    workload: u32 = 0
    send_rows: u32 = 0
    receive_rows: u32 = 0


BUNDLES = Pool(Slot, SLOTS)
owners: u32 = 0


def admit(encoded: View) -> u32:
    """Decode and check a bundle; return its slot with one user more, or NONE."""
    slot = equal_slot(encoded)
    if slot == NONE:
        slot = take_slot(encoded)
    if slot != NONE:
        BUNDLES[slot].users = u32(BUNDLES[slot].users + 1)
    return slot


def release(slot: u32) -> None:
    """One user less; the last one's keys are overwritten, and later bundles move up.

    So rows are elsewhere then: who remembers their places has to forget them.
    """
    gone = BUNDLES[slot]
    gone.users = u32(gone.users - min(gone.users, 1))
    if gone.users > 0:
        return
    start, size, end = gone.start, gone.size, bytes_in_use()
    KEYS.put(start, KEYS[start + size : end])
    wipe(u32(end - min(size, end)), size)
    for i in range(SLOTS):
        if BUNDLES[i].start > start:
            BUNDLES[i].start = u32(BUNDLES[i].start - size)
    gone.start = 0
    gone.size = 0


def wipe(start: u32, size: u32) -> None:
    """Overwrite `size` bytes, or as many as there are."""
    for i in range(start, min(u32(start + size), len(KEYS))):
        KEYS[i] = 0


def bytes_in_use() -> u32:
    """Where the free bytes begin."""
    used: u32 = 0
    for i in range(SLOTS):
        used = u32(used + BUNDLES[i].size)
    return used


def check(data: View) -> bool:
    """Check form, overlay, workload and order of a decoded bundle."""
    if len(data) < HEADER_BYTES or load_u32(data, 0) != MAGIC:
        return False
    overlay0 = u32(0xFD000000 | (load_u32_be(data, 4) >> 8))
    overlay1 = u32(load_u32_be(data, 4) << 24) | u32(load_u32_be(data, 8) >> 8)
    if overlay0 != header_word(ADDRESS_WORD0_AT):
        return False
    if (load_u32_be(data, 8) & 0xFFFFFF) != 0:
        return False
    if (overlay1 & 0xFFFF0000) != (header_word(ADDRESS_WORD1_AT) & 0xFFFF0000):
        return False
    if workload_row(load_u32(data, 12)) == NONE:
        return False
    send = load_u32(data, 16)
    receive = load_u32(data, 20)
    if len(data) != HEADER_BYTES + (send + receive) * ROW_BYTES:
        return False
    return is_sorted(data, 0, send) and is_sorted(data, send, receive)


def is_sorted(data: View, first: u32, count: u32) -> bool:
    for i in range(first, u32(first + count)):
        at = u32(HEADER_BYTES + i * ROW_BYTES)
        if load_u32(data, u32(at + 4)) > 255 or load_u32(data, at) == 0:
            return False
        if i > first and not is_before(data, u32(at - ROW_BYTES), at):
            return False
    return True


def is_before(data: View, one: u32, other: u32) -> bool:
    if load_u32(data, one) != load_u32(data, other):
        return load_u32(data, one) < load_u32(data, other)
    return load_u32(data, u32(one + 4)) < load_u32(data, u32(other + 4))


def equal_slot(encoded: View) -> u32:
    """The slot of a bundle that is there already, or NONE; it takes no room to see."""
    for i in range(SLOTS):
        bundle = BUNDLES[i]
        data = KEYS[bundle.start : u32(bundle.start + bundle.size)]
        if bundle.users > 0 and is_base64url_of(encoded, data):
            return i
    return NONE


def take_slot(encoded: View) -> u32:
    """The slot of a new bundle, or NONE: no bundle, no room, or no slot."""
    global owners
    start = bytes_in_use()
    ok, size = read_base64url(encoded, KEYS, start)
    slot = free_slot()
    if not ok or slot == NONE or not check(KEYS[start : u32(start + size)]):
        wipe(start, len(encoded))
        return NONE
    owners = u32(owners + 1)
    data = KEYS[start : u32(start + size)]
    bundle = BUNDLES[slot]
    bundle.start = start
    bundle.size = size
    bundle.owner = owners
    bundle.workload = load_u32(data, 12)
    bundle.send_rows = load_u32(data, 16)
    bundle.receive_rows = load_u32(data, 20)
    return slot


def free_slot() -> u32:
    for i in range(SLOTS):
        if BUNDLES[i].users == 0:
            return i
    return NONE


def send_row(slot: u32, target: u32) -> u32:
    """Offset in KEYS of the row for a target, newest key id, or NONE."""
    bundle = BUNDLES[slot]
    found = last_row(u32(bundle.start + HEADER_BYTES), bundle.send_rows, target, 255)
    if found == NONE or load_u32(KEYS[found : u32(found + 4)], 0) != target:
        return NONE
    return found


def receive_row(slot: u32, target: u32, key_id: u32) -> u32:
    """Offset in KEYS of the row for a target and key id, or NONE."""
    bundle = BUNDLES[slot]
    first = u32(bundle.start + HEADER_BYTES + bundle.send_rows * ROW_BYTES)
    found = last_row(first, bundle.receive_rows, target, key_id)
    if found == NONE or row_key(found) != key_id:
        return NONE
    if load_u32(KEYS[found : u32(found + 4)], 0) != target:
        return NONE
    return found


def row_key(row: u32) -> u32:
    """The key id of a row."""
    return load_u32(KEYS[u32(row + 4) : u32(row + 8)], 0)


def row_secret(row: u32) -> View:
    """The 32 key bytes of a row."""
    return KEYS[u32(row + 8) : u32(row + ROW_BYTES)]


def last_row(first: u32, rows: u32, target: u32, key_id: u32) -> u32:
    """The last of the sorted rows at or before (target, key id), or NONE."""
    low: u32 = 0
    high = rows
    while low < high:
        middle = u32((low + high) >> 1)
        at = u32(first + middle * ROW_BYTES)
        row_target = load_u32(KEYS[at : u32(at + 4)], 0)
        if row_target < target or (row_target == target and row_key(at) <= key_id):
            low = u32(middle + 1)
        else:
            high = middle
    if low == 0:
        return NONE
    return u32(first + (low - 1) * ROW_BYTES)

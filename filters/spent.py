"""Strict keys that were taken, so that none is taken twice, in bounded memory.

A key is kept as a mark, 32 bits of its MAC and the low 32 bits of its time, in the
bucket that other bits of its MAC choose. When a bucket is full, the oldest key is
forgotten, the new one included, and from then on the bucket takes nothing as old: what
may have been forgotten is refused. RFC 8446, section 8.2, calls this recording.

So the age that is taken follows the load: of 1,000 requests/s a worker takes those that
are late by 0.5 s, of 10,000/s those that are late by 50 ms, but for one of a million.

Age is by the sender's clock and not by arrival: a sender whose clock is ahead does not
push out what the others send now.
"""

from __future__ import annotations

from typing import Final

from filters.lang import Pool, record, u32, u64
from filters.reasons import Reason

BUCKETS: Final = 128
WAYS: Final = 16
FREE: Final = 0
NEVER: Final = 0xFFFFFFFF


@record
class Mark:
    """A key that was taken, or the newest time that a bucket has forgotten."""

    bits: u64 = 0


MARKS = Pool(Mark, BUCKETS * WAYS)
FORGOTTEN = Pool(Mark, BUCKETS)


def spend(mac: u64, time: u64, newest: u64) -> u32:
    """Take a verified key once; return ALLOWED, or why it is refused.

    `mac` is half of its MAC. `time` and `newest` are milliseconds; no key is younger
    than `newest` now, and none that comes here 2**31 ms older.
    """
    bucket = u32(mac) & (BUCKETS - 1)
    if time <= FORGOTTEN[bucket].bits:
        return Reason.KEY_FORGOTTEN
    mark = u64(mac >> 32 << 32 | u32(time))
    oldest = u32(newest - time)
    place: u32 = len(MARKS)  # the new key is the oldest so far
    for way in range(WAYS):
        at = bucket * WAYS + way
        taken = MARKS[at].bits
        if taken == mark:
            return Reason.KEY_REPLAYED
        age = NEVER if taken == FREE else u32(newest - taken)
        if age > oldest:
            oldest = age
            place = u32(at)
    if oldest != NEVER:
        FORGOTTEN[bucket].bits = u64(newest - oldest)
    if place < len(MARKS):
        MARKS[place].bits = mark
    return Reason.ALLOWED

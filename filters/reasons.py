"""Why a request was denied: stable codes, used in details, counters and answers.

A code is never renamed or given a second meaning; new ones are added at the end.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from filters.lang import View, u32
from filters.text import index_of


class Reason(IntEnum):
    """Numbers index NAMES."""

    ALLOWED = 0
    EGRESS_DENIED = 1  # policy of the source
    INGRESS_DENIED = 2  # policy of the destination
    NO_IDENTITY = 3  # this proxy has no workload id: unknown labels
    NOT_CONFIGURED = 4  # no accepted configuration for this stream
    REQUEST_UNREADABLE = 5  # the headers could not be read, or are too large
    DIRECTION_UNKNOWN = 6  # the listener says neither inbound nor outbound
    TUNNEL_UNSUPPORTED = 7  # CONNECT
    SOURCE_MISSING = 8  # a member's address without a proof, or half of one
    SOURCE_REPEATED = 9
    SOURCE_MALFORMED = 10
    SOURCE_FOREIGN = 11  # another overlay
    SOURCE_UNKNOWN = 12  # no such workload in this realm
    SOURCE_REVOKED = 13
    SOURCE_MISMATCH = 14  # the certificate names somebody else
    KEY_MISSING = 15
    KEY_REPEATED = 16
    KEY_MALFORMED = 17
    KEY_VERSION = 18
    KEY_EXPIRED = 19  # not the current epoch or a neighbour
    KEY_TARGET = 20  # a target or key id that this workload does not serve
    KEY_MISMATCH = 21  # the MAC is wrong
    PEER_UNKNOWN = 22  # outside the overlay, and the real address is not known
    DESTINATION_UNKNOWN = 23  # no cluster or no port
    TARGET_EMPTY = 24  # no such port, or nothing behind it
    TARGET_AMBIGUOUS = 25  # policy differs between the workloads of one target
    TARGET_UNREACHABLE = 26  # no key for this target in the bundle
    CLOCK_UNREADABLE = 27
    REWRITE_FAILED = 28  # the overlay headers could not be set or removed
    FAULT = 29  # the filter itself failed
    SOURCE_ELSEWHERE = 30  # a genuine proof, but the connection comes from elsewhere
    AUDITED = 31  # let through; an audited policy would deny it
    REQUEST_AMBIGUOUS = 32  # a rule asks what can be read in two ways
    KEY_NOT_STRICT = 33  # a plain key where strict ones are asked for
    KEY_REPLAYED = 34  # a strict key that was used before
    KEY_FORGOTTEN = 35  # a strict key older than what is remembered: maybe a replay


COUNT: Final = 36

NAMES: Final = (
    b"allowed\0egress_denied\0ingress_denied\0no_identity\0not_configured\0"
    b"request_unreadable\0direction_unknown\0tunnel_unsupported\0source_missing\0"
    b"source_repeated\0source_malformed\0source_foreign\0source_unknown\0"
    b"source_revoked\0source_mismatch\0key_missing\0key_repeated\0key_malformed\0"
    b"key_version\0key_expired\0key_target\0key_mismatch\0peer_unknown\0"
    b"destination_unknown\0target_empty\0target_ambiguous\0target_unreachable\0"
    b"clock_unreadable\0rewrite_failed\0fault\0source_elsewhere\0audited\0"
    b"request_ambiguous\0key_not_strict\0key_replayed\0key_forgotten\0"
)


def reason_name(reason: u32) -> View:
    start: u32 = 0
    for _ in range(reason):
        start = u32(index_of(NAMES, 0, start) + 1)
    return NAMES[start : index_of(NAMES, 0, start)]

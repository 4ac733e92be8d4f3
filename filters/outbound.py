"""Outbound: strip what the application set, judge, stamp address and key.

The endpoint is chosen after us, so every workload behind the target's port must be
allowed; a rule about addresses counts if some endpoint may have one, and the receiver,
who knows its own, judges it exactly. Both directions are judged: whoever asks why
learns it at the first proxy. Peers outside the overlay get no headers; egress policy
alone speaks about them.
"""

from __future__ import annotations

from typing import Final

from filters.abi import Action, MapType, Status
from filters.bundle import BUNDLES, row_key, row_secret, send_row
from filters.configuration import Direction, KeyMode
from filters.counters import count_allowed
from filters.decide import (
    Judgement,
    Verdict,
    denial_reason,
    denying_rule,
    is_audited,
    judge,
)
from filters.denial import deny, note_audited
from filters.hostcalls import (
    proxy_add_header_map_value,
    proxy_get_current_time_nanoseconds,
    proxy_get_property,
)
from filters.http import Requests
from filters.inbound import set_member
from filters.key import (
    EXPECTED,
    MAC_BYTES,
    MAC_TEXT_BYTES,
    compute_mac,
    current_epoch,
    current_ms,
    write_key_head,
)
from filters.lang import Buffer, View, Words, u32, u64
from filters.layout import ANY_INSTANCE, NONE, TARGET_WORKLOAD, TCP, Column
from filters.party import Kind, Party
from filters.peer import destination_port, port_of, read_endpoint
from filters.reasons import Reason
from filters.request import REQUEST, strip
from filters.roots import ADDRESS_TEXTS, ADDRESSES, ROOTS, TEXT_BYTES
from filters.strict import write_strict_key
from filters.table import field, workload_row
from filters.targets import (
    cluster_host,
    cluster_port,
    find_target,
    is_port,
    is_service_cluster,
)
from filters.text import line, write, write_base64url

SELF = Party()
DESTINATION = Party()
JUDGEMENT = Judgement()
SOURCE = Words(4)

# Key texts of the current epoch: owner of the bundle, instance, target, epoch; then the
# MAC. Endpoints of one workload behind one proxy share a bundle, not an address.
MADE: Final = 64
MADE_WORDS = Words(MADE * 4)
MADE_TEXTS = Buffer(MADE * MAC_TEXT_BYTES)

# Why the last judgement denied, and by which rule.
denied_reason: u32 = 0
denied_rule: u32 = 0xFFFFFFFF


def judge_outbound(root: u32, pairs: View) -> u32:
    """Judge one request and return the callback's action."""
    if REQUEST.is_connect:
        return deny(Direction.OUTBOUND, Reason.TUNNEL_UNSUPPORTED, NONE)
    if not strip():
        return deny(Direction.OUTBOUND, Reason.REWRITE_FAILED, NONE)
    status, cluster = proxy_get_property(b"xds\0cluster_name")
    if status != Status.OK or len(cluster) == 0:
        return deny(Direction.OUTBOUND, Reason.DESTINATION_UNKNOWN, NONE)
    set_member(SELF, root)
    if not is_service_cluster(cluster):
        return judge_direct(cluster, pairs)
    ok, port = cluster_port(cluster)
    if not ok:
        return deny(Direction.OUTBOUND, Reason.DESTINATION_UNKNOWN, NONE)
    target = find_target(cluster_host(cluster))
    if target == NONE:
        DESTINATION.kind = Kind.UNKNOWN
        return judge_outside(port, pairs)
    return judge_target(root, target, port, pairs)


# --- peers outside the overlay ---------------------------------------------------


def judge_direct(cluster: View, pairs: View) -> u32:
    """A cluster that names no host: only its port, or the original address, counts."""
    if cluster == b"PassthroughCluster":
        status, address = proxy_get_property(b"destination\0address")
        has_port, port = port_of(address)
        if status == Status.OK and has_port and read_endpoint(address, DESTINATION):
            return judge_outside(port, pairs)
        return deny(Direction.OUTBOUND, Reason.DESTINATION_UNKNOWN, NONE)
    port = destination_port()
    if port == 0:
        return deny(Direction.OUTBOUND, Reason.DESTINATION_UNKNOWN, NONE)
    DESTINATION.kind = Kind.UNKNOWN
    return judge_outside(port, pairs)


def judge_outside(port: u32, pairs: View) -> u32:
    key = TCP << 16 | (port & 0xFFFF)
    judge(SELF, DESTINATION, key, False, Requests.GIVEN, pairs, JUDGEMENT)
    if JUDGEMENT.egress != Verdict.ALLOW:
        rule = JUDGEMENT.egress_rule
        return deny(Direction.OUTBOUND, denial_reason(JUDGEMENT), rule)
    if is_audited():
        judge(SELF, DESTINATION, key, True, Requests.GIVEN, pairs, JUDGEMENT)
        if JUDGEMENT.egress != Verdict.ALLOW:
            note_audited(Direction.OUTBOUND, JUDGEMENT.egress_rule)
    count_allowed(Direction.OUTBOUND)
    return Action.CONTINUE


# --- targets ---------------------------------------------------------------------


def judge_target(root: u32, target: u32, port: u32, pairs: View) -> u32:
    allowed, denied = judge_backends(target, port, False, pairs)
    if allowed == 0 and denied == 0:
        return deny(Direction.OUTBOUND, Reason.TARGET_EMPTY, NONE)
    if allowed == 0:
        return deny(Direction.OUTBOUND, denied_reason, denied_rule)
    if denied > 0:
        return deny(Direction.OUTBOUND, Reason.TARGET_AMBIGUOUS, denied_rule)
    if is_audited():
        allowed, denied = judge_backends(target, port, True, pairs)
        if denied > 0:
            note_audited(Direction.OUTBOUND, denied_rule)
    reason = stamp(root, field(Column.TARGET_ID, target), pairs)
    if reason != Reason.ALLOWED:
        return deny(Direction.OUTBOUND, reason, NONE)
    count_allowed(Direction.OUTBOUND)
    return Action.CONTINUE


def judge_backends(
    target: u32, port: u32, audited: bool, pairs: View
) -> tuple[u32, u32]:
    """Count the workloads behind a target's port that policy lets us reach, or not."""
    first = field(Column.TARGET_FIRST, target)
    count = field(Column.TARGET_COUNT, target)
    if field(Column.TARGET_KIND, target) == TARGET_WORKLOAD:
        return judge_slice(first, count, port, audited, pairs)
    allowed: u32 = 0
    denied: u32 = 0
    for row in range(first, u32(first + count)):
        if is_port(row, port):
            number = field(Column.PORT_NUMBER, row)
            wanted = port if number == 0 else number
            backends = field(Column.PORT_BACKENDS, row)
            start = field(Column.PORT_FIRST_BACKEND, row)
            more, fewer = judge_slice(start, backends, wanted, audited, pairs)
            allowed = u32(allowed + more)
            denied = u32(denied + fewer)
    return allowed, denied


def judge_slice(
    first: u32, count: u32, port: u32, audited: bool, pairs: View
) -> tuple[u32, u32]:
    """The same for some rows of BACKENDS."""
    allowed: u32 = 0
    for row in range(first, u32(first + count)):
        if is_allowed(field(Column.BACKEND_WORKLOAD, row), port, audited, pairs):
            allowed = u32(allowed + 1)
    return allowed, u32(count - allowed)


def is_allowed(workload: u32, port: u32, audited: bool, pairs: View) -> bool:
    """Judge one workload behind the target; note the reason of a denial."""
    global denied_reason, denied_rule
    row = workload_row(workload)
    if row == NONE:
        denied_reason = Reason.TARGET_EMPTY
        denied_rule = NONE
        return False
    DESTINATION.kind = Kind.MEMBER
    DESTINATION.word0 = SELF.word0
    DESTINATION.word1 = (SELF.word1 & 0xFFFF0000) | field(Column.WORKLOAD_REALM, row)
    DESTINATION.word2 = workload
    DESTINATION.word3 = ANY_INSTANCE
    key = TCP << 16 | (port & 0xFFFF)
    judge(SELF, DESTINATION, key, audited, Requests.GIVEN, pairs, JUDGEMENT)
    reason = denial_reason(JUDGEMENT)
    if reason != Reason.ALLOWED:
        denied_reason = reason
        denied_rule = denying_rule(JUDGEMENT)
    return reason == Reason.ALLOWED


def stamp(root: u32, target: u32, pairs: View) -> u32:
    """Add both overlay headers; return ALLOWED, or why it was not possible."""
    slot = ROOTS[root].bundle
    if slot == NONE:
        return Reason.NOT_CONFIGURED
    found = send_row(slot, target)
    if found == NONE:
        return Reason.TARGET_UNREACHABLE
    status, now = proxy_get_current_time_nanoseconds()
    if status != Status.OK:
        return Reason.CLOCK_UNREADABLE
    for i in range(4):
        SOURCE[i] = ADDRESSES[u32(root * 4 + i)]
    if ROOTS[root].key_mode == KeyMode.PLAIN:
        write_key(root, found, target, current_epoch(now))
    else:
        write_strict_key(found, target, current_ms(now), SOURCE, pairs)
    added = proxy_add_header_map_value(
        MapType.REQUEST_HEADERS, b"x-overlay-key", line()
    )
    if added != Status.OK:
        return Reason.REWRITE_FAILED
    start = u32(root * TEXT_BYTES)
    added = proxy_add_header_map_value(
        MapType.REQUEST_HEADERS,
        b"x-overlay-src",
        ADDRESS_TEXTS[start : u32(start + 39)],
    )
    return Reason.ALLOWED if added == Status.OK else Reason.REWRITE_FAILED


def write_key(root: u32, found: u32, target: u32, epoch: u64) -> None:
    """Write the key header to the output line; its MAC is made once per epoch."""
    write_key_head(b"v1.", row_key(found), epoch, target)
    owner = BUNDLES[ROOTS[root].bundle].owner
    slot = (u32(target * 0x9E3779B1) >> 26) & (MADE - 1)
    at = slot * MAC_TEXT_BYTES
    instance = SOURCE[3]
    if not is_made(slot, owner, instance, target, epoch):
        compute_mac(row_secret(found), row_key(found), epoch, SOURCE, target)
        MADE_WORDS[slot * 4] = owner
        MADE_WORDS[slot * 4 + 1] = instance
        MADE_WORDS[slot * 4 + 2] = target
        MADE_WORDS[slot * 4 + 3] = u32(epoch)
        head: u32 = u32(len(line()))
        write_base64url(EXPECTED[0:MAC_BYTES])
        MADE_TEXTS.put(at, line()[head : u32(head + MAC_TEXT_BYTES)])
        return
    write(MADE_TEXTS[at : at + MAC_TEXT_BYTES])


def is_made(slot: u32, owner: u32, instance: u32, target: u32, epoch: u64) -> bool:
    at = (slot & (MADE - 1)) * 4
    return (
        MADE_WORDS[at] == owner
        and MADE_WORDS[at + 1] == instance
        and MADE_WORDS[at + 2] == target
        and MADE_WORDS[at + 3] == u32(epoch)
    )

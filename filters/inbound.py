"""Inbound: verify who sends, judge both directions, strip the overlay headers.

The receiving side trusts nothing that the sender decided: a sender whose own proxy was
bypassed gains nothing.
"""

from __future__ import annotations

from filters.abi import Action, Status
from filters.address import read_address
from filters.binding import is_bound
from filters.bundle import receive_row, row_secret
from filters.configuration import Direction, KeyMode
from filters.counters import count_allowed
from filters.decide import Judgement, denial_reason, denying_rule, is_audited, judge
from filters.denial import deny, note_audited
from filters.hostcalls import proxy_get_current_time_nanoseconds
from filters.http import Requests, was_asked_about
from filters.key import (
    PAIRWISE,
    compute_mac,
    derive_pairwise,
    is_expected,
    is_fresh,
    is_near,
    is_strict_key,
    key_fields,
    read_key_header,
    read_version,
)
from filters.lang import View, Words, u32
from filters.layout import ANY_INSTANCE, NONE, TCP, Column
from filters.party import Kind, Party
from filters.peer import (
    bind_source,
    connection_facts,
    facts_certificate,
    facts_instance,
    facts_port,
    lives_in_member_block,
    read_peer,
)
from filters.proofs import (
    PROOFS,
    SLOTS,
    expect_at,
    find_proof,
    read_sender,
    remember,
)
from filters.reasons import Reason
from filters.request import REQUEST, key_text, source_text, strip
from filters.roots import ADDRESSES, ROOTS
from filters.strict import spend_strict_key, verify_strict_key
from filters.table import field, namespace, text, workload_row
from filters.text import index_of, line, start_line, starts_with, write

SOURCE = Words(4)
SENDER = Party()
SELF = Party()
JUDGEMENT = Judgement()


def judge_inbound(root: u32, pairs: View, context_id: u32) -> u32:
    """Judge one request and return the callback's action."""
    facts = connection_facts()
    reason = identify(root, pairs, facts)
    if reason != Reason.ALLOWED:
        return deny(Direction.INBOUND, reason, NONE)
    port = facts_port(facts)
    if port == 0:
        return deny(Direction.INBOUND, Reason.DESTINATION_UNKNOWN, NONE)
    slot = keep_proof(root, pairs, facts, context_id)
    return judge_sender(root, port, slot, pairs)


def keep_proof(root: u32, pairs: View, facts: View, context_id: u32) -> u32:
    """Have the next request like this one recognised; SLOTS: it will not be."""
    if SENDER.kind != Kind.MEMBER:
        return SLOTS
    source = source_text(pairs)
    slot = find_proof(ROOTS[root].serial, source, key_text(pairs))
    any_address = ROOTS[root].takes_any_address
    if slot == SLOTS or not bind_source(facts, context_id, source, any_address):
        return SLOTS
    expect_at(slot, facts_port(facts))
    return slot


def judge_sender(root: u32, port: u32, slot: u32, pairs: View) -> u32:
    """Judge what SENDER asks for; `slot` is that of its proof, or SLOTS."""
    set_member(SELF, root)
    key = TCP << 16 | (port & 0xFFFF)
    judge(SENDER, SELF, key, False, Requests.GIVEN, pairs, JUDGEMENT)
    reason = denial_reason(JUDGEMENT)
    if reason != Reason.ALLOWED:
        return deny(Direction.INBOUND, reason, denying_rule(JUDGEMENT))
    if is_audited():
        judge(SENDER, SELF, key, True, Requests.GIVEN, pairs, JUDGEMENT)
        if denial_reason(JUDGEMENT) != Reason.ALLOWED:
            note_audited(Direction.INBOUND, denying_rule(JUDGEMENT))
            return accept()
    if slot < SLOTS:
        PROOFS[slot].is_allowed = not was_asked_about()
    return accept()


def set_member(party: Party, root: u32) -> None:
    """Make a party of a root's own address."""
    party.kind = Kind.MEMBER
    party.word0 = ADDRESSES[u32(root * 4)]
    party.word1 = ADDRESSES[u32(root * 4 + 1)]
    party.word2 = ADDRESSES[u32(root * 4 + 2)]
    party.word3 = ADDRESSES[u32(root * 4 + 3)]


def accept() -> u32:
    """Strip what was ours, so that the application never sees it."""
    if not strip():
        return deny(Direction.INBOUND, Reason.REWRITE_FAILED, NONE)
    count_allowed(Direction.INBOUND)
    return Action.CONTINUE


# --- who was let in before -------------------------------------------------------


def recognise(root: u32, pairs: View) -> u32:
    """Find the proof of this request among those taken before; SLOTS: it is not there.

    A proof that is found is of now, and this connection is its sender's own.
    """
    if REQUEST.sources != 1 or REQUEST.keys != 1 or REQUEST.is_connect:
        return SLOTS
    source = source_text(pairs)
    slot = find_proof(ROOTS[root].serial, source, key_text(pairs))
    if slot == SLOTS or PROOFS[slot].port == 0:
        return SLOTS
    status, now = proxy_get_current_time_nanoseconds()
    if status != Status.OK or not is_near(PROOFS[slot].epoch, now):
        return SLOTS
    any_address = ROOTS[root].takes_any_address
    return slot if is_bound(source, PROOFS[slot].port, any_address) else SLOTS


def judge_again(root: u32, slot: u32, pairs: View) -> u32:
    """Judge a request whose proof was recognised; return the callback's action."""
    proof = PROOFS[slot]
    if proof.is_allowed:
        return accept()
    read_sender(proof, SENDER)
    return judge_sender(root, proof.port, slot, pairs)


# --- who sends -------------------------------------------------------------------


def identify(root: u32, pairs: View, facts: View) -> u32:
    """Fill in SENDER; return ALLOWED, or why the sender is not believed."""
    if REQUEST.is_connect:
        return Reason.TUNNEL_UNSUPPORTED
    if REQUEST.sources == 0 and REQUEST.keys == 0:
        return identify_outsider(facts)
    reason = check_presence()
    if reason != Reason.ALLOWED:
        return reason
    reason = read_source(root, source_text(pairs))
    if reason != Reason.ALLOWED:
        return reason
    reason = verify_key(root, key_text(pairs), pairs)
    if reason != Reason.ALLOWED:
        return reason
    reason = check_certificate(facts_certificate(facts))
    if reason != Reason.ALLOWED:
        return reason
    reason = check_address(root, facts_instance(facts))
    if reason != Reason.ALLOWED or not is_strict_key():
        return reason
    return spend_strict_key()


def identify_outsider(facts: View) -> u32:
    """A peer without overlay headers: judged by its real address, if it is outside."""
    if not read_peer(facts, SENDER):
        return Reason.PEER_UNKNOWN
    if lives_in_member_block(SENDER):
        return Reason.SOURCE_MISSING
    return Reason.ALLOWED


def check_presence() -> u32:
    if REQUEST.sources > 1:
        return Reason.SOURCE_REPEATED
    if REQUEST.keys > 1:
        return Reason.KEY_REPEATED
    if REQUEST.sources == 0:
        return Reason.SOURCE_MISSING
    if REQUEST.keys == 0:
        return Reason.KEY_MISSING
    return Reason.ALLOWED


def read_source(root: u32, value: View) -> u32:
    """Read the source address; it must be of this overlay, and its workload known."""
    if not read_address(value, SOURCE):
        return Reason.SOURCE_MALFORMED
    if SOURCE[0] != ADDRESSES[u32(root * 4)]:
        return Reason.SOURCE_FOREIGN
    if SOURCE[1] >> 16 != ADDRESSES[u32(root * 4 + 1)] >> 16:
        return Reason.SOURCE_FOREIGN
    row = workload_row(SOURCE[2])
    if row == NONE or SOURCE[3] == 0 or SOURCE[3] == ANY_INSTANCE:
        return Reason.SOURCE_UNKNOWN
    if field(Column.WORKLOAD_REALM, row) != (SOURCE[1] & 0xFFFF):
        return Reason.SOURCE_UNKNOWN
    if field(Column.WORKLOAD_REVOKED, row) != 0:
        return Reason.SOURCE_REVOKED
    SENDER.kind = Kind.MEMBER
    SENDER.word0 = SOURCE[0]
    SENDER.word1 = SOURCE[1]
    SENDER.word2 = SOURCE[2]
    SENDER.word3 = SOURCE[3]
    return Reason.ALLOWED


def verify_key(root: u32, value: View, pairs: View) -> u32:
    """Check form, age and MAC of the key; a verified MAC is remembered."""
    if not read_version(value):
        return Reason.KEY_VERSION
    if not is_strict_key() and ROOTS[root].key_mode == KeyMode.STRICT:
        return Reason.KEY_NOT_STRICT
    if not read_key_header(value):
        return Reason.KEY_MALFORMED
    status, now = proxy_get_current_time_nanoseconds()
    if status != Status.OK:
        return Reason.CLOCK_UNREADABLE
    if not is_fresh(now):
        return Reason.KEY_EXPIRED
    slot = ROOTS[root].bundle
    if slot == NONE:
        return Reason.NOT_CONFIGURED
    serial = ROOTS[root].serial
    if find_proof(serial, source_text(pairs), value) != SLOTS:
        return Reason.ALLOWED
    target, key_id, moment = key_fields()
    found = receive_row(slot, target, key_id)
    if found == NONE:
        return Reason.KEY_TARGET
    if is_strict_key():
        return verify_strict_key(found, now, SOURCE, pairs)
    derive_pairwise(row_secret(found), SOURCE)
    compute_mac(PAIRWISE[0:32], key_id, moment, SOURCE, target)
    if not is_expected():
        return Reason.KEY_MISMATCH
    remember(serial, source_text(pairs), value, moment, SOURCE)
    return Reason.ALLOWED


def check_address(root: u32, instance: u32) -> u32:
    """Where the connection's peer is known, it must be the source endpoint.

    So a stolen proof is worth nothing elsewhere. Not asked for where proxies between
    the members hide the address (`"sourceAddress": "any"`).
    """
    if instance == 0 or instance == SOURCE[3] or ROOTS[root].takes_any_address:
        return Reason.ALLOWED
    return Reason.SOURCE_ELSEWHERE


def check_certificate(name: View) -> u32:
    """Where the peer's SPIFFE id is known, it must name the source workload."""
    if len(name) == 0:
        return Reason.ALLOWED
    start_line()
    write(b"/ns/")
    write(namespace(SOURCE[1] & 0xFFFF))
    write(b"/sa/")
    write(text(field(Column.WORKLOAD_ACCOUNT, workload_row(SOURCE[2]))))
    tail = line()
    if len(name) <= 9 + len(tail) or not starts_with(name, b"spiffe://"):
        return Reason.SOURCE_MISMATCH
    domain_end = u32(len(name) - min(len(tail), len(name)))
    if index_of(name, 47, 9) != domain_end or name[domain_end : len(name)] != tail:
        return Reason.SOURCE_MISMATCH
    return Reason.ALLOWED

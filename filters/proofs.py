"""Proofs that were taken before, remembered as they were written.

In the steady state a sender repeats source and key header, byte for byte, for as long
as an epoch lasts. Whatever follows from the two texts and the configuration alone is
worked out once: who sends, that the MAC is right, and, where no rule asks about the
request, that policy lets it in at a port. Comparing the texts is a fraction of the
code and memory that working it out again would touch, which is what a request costs.

Not remembered: what may differ the next time, which is the clock and the connection.
Strict keys never come twice, so they are not kept. A proof belongs to one configuration
of one root (`serial`) and dies with it. The comparison takes the same time whatever the
bytes are.
"""

from __future__ import annotations

from typing import Final

from filters.address import ADDRESS_TEXT_BYTES
from filters.lang import Buffer, Pool, View, Words, load_u32, load_u64, record, u32, u64
from filters.party import Kind, Party

SLOTS: Final = 128
SLOT_SHIFT: Final = 25  # the upper bits of a hash are a slot
KEY_TEXT_BYTES: Final = 49  # three digits of key id, eight of epoch, ten of target
TEXT_BYTES: Final = 88  # both headers
HASHED_BYTES: Final = 8


@record
class Proof:
    """A proof with a good MAC. `port` 0: nothing is known about any port."""

    serial: u32 = 0  # 0: free
    key_bytes: u32 = 0
    epoch: u64 = 0
    word0: u32 = 0
    word1: u32 = 0
    word2: u32 = 0
    word3: u32 = 0
    port: u32 = 0  # of the connection it last came on that was found to be its own
    is_allowed: bool = False  # policy lets it in there, whatever the request is


PROOFS = Pool(Proof, SLOTS)
TEXTS = Buffer(SLOTS * TEXT_BYTES)


def find_proof(serial: u32, source: View, key: View) -> u32:
    """The slot of a proof that this configuration has taken before, or SLOTS."""
    if len(source) != ADDRESS_TEXT_BYTES or not is_rememberable(key):
        return SLOTS
    slot = slot_of(key)
    proof = PROOFS[slot]
    if proof.serial != serial or proof.key_bytes != len(key):
        return SLOTS
    at = slot * TEXT_BYTES
    key_at = at + ADDRESS_TEXT_BYTES
    difference = differ(TEXTS[at:key_at], source)
    difference = difference | differ(TEXTS[key_at : key_at + len(key)], key)
    return slot if difference == 0 else SLOTS


def remember(serial: u32, source: View, key: View, epoch: u64, words: Words) -> None:
    """Keep a proof whose MAC was just verified."""
    if not is_rememberable(key):
        return
    slot = slot_of(key)
    proof = PROOFS[slot]
    proof.serial = serial
    proof.key_bytes = len(key)
    proof.epoch = epoch
    proof.word0 = words[0]
    proof.word1 = words[1]
    proof.word2 = words[2]
    proof.word3 = words[3]
    proof.port = 0
    proof.is_allowed = False
    TEXTS.put(slot * TEXT_BYTES, source)
    TEXTS.put(slot * TEXT_BYTES + ADDRESS_TEXT_BYTES, key)


def expect_at(slot: u32, port: u32) -> None:
    """Note the port of a proof's connection; what was allowed at another is no more."""
    proof = PROOFS[slot]
    if proof.port != port:
        proof.port = port
        proof.is_allowed = False


def is_rememberable(key: View) -> bool:
    return HASHED_BYTES <= len(key) <= KEY_TEXT_BYTES


def slot_of(key: View) -> u32:
    """Spread by characters of the MAC."""
    return u32(load_u32(key, u32(len(key) - HASHED_BYTES)) * 0x9E3779B1) >> SLOT_SHIFT


def differ(left: View, right: View) -> u64:
    """0 if texts of one length, of 8 bytes and more, are equal; constant time."""
    difference: u64 = 0
    for i in range(len(right) // 8):
        difference = difference | (
            load_u64(left, u32(i * 8)) ^ load_u64(right, u32(i * 8))
        )
    last = u32(len(right) - 8)
    return difference | (load_u64(left, last) ^ load_u64(right, last))


def read_sender(proof: Proof, sender: Party) -> None:
    """Make a party of who proved itself."""
    sender.kind = Kind.MEMBER
    sender.word0 = proof.word0
    sender.word1 = proof.word1
    sender.word2 = proof.word2
    sender.word3 = proof.word3

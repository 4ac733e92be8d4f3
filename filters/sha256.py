"""SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104) over static buffers.

One hash is computed at a time: `begin`, any number of `update`, then `finish`.
HMAC takes keys of exactly 32 bytes, which is what every authorization key and
receiving secret has. What many messages begin with, the key's two pads first of all,
can be hashed once and kept: `expand_key`, then for each message `begin_mac`, any number
of `update`, and `finish_mac`.
"""

from __future__ import annotations

from typing import Final

from filters.lang import Buffer, View, Words, load_u32_be, rotr32, u8, u32

DIGEST_BYTES: Final = 32
BLOCK_BYTES: Final = 64

# FIPS 180-4 section 4.2.2: cube roots of the first 64 primes.
ROUND: Final[tuple[u32, ...]] = (
    0x428A2F98,
    0x71374491,
    0xB5C0FBCF,
    0xE9B5DBA5,
    0x3956C25B,
    0x59F111F1,
    0x923F82A4,
    0xAB1C5ED5,
    0xD807AA98,
    0x12835B01,
    0x243185BE,
    0x550C7DC3,
    0x72BE5D74,
    0x80DEB1FE,
    0x9BDC06A7,
    0xC19BF174,
    0xE49B69C1,
    0xEFBE4786,
    0x0FC19DC6,
    0x240CA1CC,
    0x2DE92C6F,
    0x4A7484AA,
    0x5CB0A9DC,
    0x76F988DA,
    0x983E5152,
    0xA831C66D,
    0xB00327C8,
    0xBF597FC7,
    0xC6E00BF3,
    0xD5A79147,
    0x06CA6351,
    0x14292967,
    0x27B70A85,
    0x2E1B2138,
    0x4D2C6DFC,
    0x53380D13,
    0x650A7354,
    0x766A0ABB,
    0x81C2C92E,
    0x92722C85,
    0xA2BFE8A1,
    0xA81A664B,
    0xC24B8B70,
    0xC76C51A3,
    0xD192E819,
    0xD6990624,
    0xF40E3585,
    0x106AA070,
    0x19A4C116,
    0x1E376C08,
    0x2748774C,
    0x34B0BCB5,
    0x391C0CB3,
    0x4ED8AA4A,
    0x5B9CCA4F,
    0x682E6FF3,
    0x748F82EE,
    0x78A5636F,
    0x84C87814,
    0x8CC70208,
    0x90BEFFFA,
    0xA4506CEB,
    0xBEF9A3F7,
    0xC67178F2,
)

# FIPS 180-4 section 5.3.3: square roots of the first 8 primes.
INITIAL: Final[tuple[u32, ...]] = (
    0x6A09E667,
    0xBB67AE85,
    0x3C6EF372,
    0xA54FF53A,
    0x510E527F,
    0x9B05688C,
    0x1F83D9AB,
    0x5BE0CD19,
)

STATE = Words(8)
SCHEDULE = Words(64)
BLOCK = Buffer(BLOCK_BYTES)
PAD = Buffer(BLOCK_BYTES)
INNER = Buffer(DIGEST_BYTES)

PADS_WORDS: Final = 16  # the state after inner pad and head, then after the outer pad
ONCE = Words(PADS_WORDS)

hashed_bytes: u32 = 0


def compress(block: View) -> None:
    """Mix one block of 64 bytes into STATE."""
    for i in range(16):
        SCHEDULE[i] = load_u32_be(block, i * 4)
    for i in range(16, 64):
        early = SCHEDULE[i - 15]
        late = SCHEDULE[i - 2]
        s0 = rotr32(early, 7) ^ rotr32(early, 18) ^ (early >> 3)
        s1 = rotr32(late, 17) ^ rotr32(late, 19) ^ (late >> 10)
        SCHEDULE[i] = u32(SCHEDULE[i - 16] + s0 + SCHEDULE[i - 7] + s1)
    a = STATE[0]
    b = STATE[1]
    c = STATE[2]
    d = STATE[3]
    e = STATE[4]
    f = STATE[5]
    g = STATE[6]
    h = STATE[7]
    for i in range(64):
        s1 = rotr32(e, 6) ^ rotr32(e, 11) ^ rotr32(e, 25)
        choice = g ^ (e & (f ^ g))
        t1 = u32(h + s1 + choice + ROUND[i] + SCHEDULE[i])
        s0 = rotr32(a, 2) ^ rotr32(a, 13) ^ rotr32(a, 22)
        majority = (a & b) | (c & (a | b))
        h = g
        g = f
        f = e
        e = u32(d + t1)
        d = c
        c = b
        b = a
        a = u32(t1 + s0 + majority)
    STATE[0] = u32(STATE[0] + a)
    STATE[1] = u32(STATE[1] + b)
    STATE[2] = u32(STATE[2] + c)
    STATE[3] = u32(STATE[3] + d)
    STATE[4] = u32(STATE[4] + e)
    STATE[5] = u32(STATE[5] + f)
    STATE[6] = u32(STATE[6] + g)
    STATE[7] = u32(STATE[7] + h)


def begin() -> None:
    """Start a hash."""
    global hashed_bytes
    hashed_bytes = 0
    for i in range(8):
        STATE[i] = INITIAL[i]


def update(data: View) -> None:
    """Add bytes to the hash. At most 512 MiB in all."""
    global hashed_bytes
    used = hashed_bytes & 63
    hashed_bytes = u32(hashed_bytes + len(data))
    at: u32 = 0
    if used > 0:
        taken = u32(min(BLOCK_BYTES - used, len(data)))
        BLOCK.put(used, data[0:taken])
        if used + taken < BLOCK_BYTES:
            return
        compress(BLOCK[0:BLOCK_BYTES])
        at = taken
    while at + BLOCK_BYTES <= len(data):
        compress(data[at : at + BLOCK_BYTES])
        at = u32(at + BLOCK_BYTES)
    BLOCK.put(0, data[at : len(data)])


def finish(out: Buffer, offset: u32) -> None:
    """Write the 32 bytes of the digest to `out` at `offset`."""
    used = hashed_bytes & 63
    BLOCK[used] = 0x80
    for i in range(used + 1, BLOCK_BYTES):
        BLOCK[i] = 0
    if used >= 56:
        compress(BLOCK[0:BLOCK_BYTES])
        for i in range(56):
            BLOCK[i] = 0
    BLOCK.put_u32(56, swapped(hashed_bytes >> 29))
    BLOCK.put_u32(60, swapped(u32(hashed_bytes << 3)))
    compress(BLOCK[0:BLOCK_BYTES])
    for i in range(8):
        put_u32_be(out, u32(offset + i * 4), STATE[i])


def put_u32_be(out: Buffer, offset: u32, value: u32) -> None:
    """Write `value` most significant byte first, as the network does."""
    out.put_u32(offset, swapped(value))


def swapped(value: u32) -> u32:
    """The number whose bytes in memory are those of `value` in network order."""
    odd = rotr32(value, 8) & 0xFF00FF00
    return odd | (rotr32(value, 24) & 0x00FF00FF)


def hmac(key: View, message: View, out: Buffer, offset: u32) -> None:
    """Write HMAC-SHA-256 of `message` under a key of 32 bytes to `out`.

    `message` may lie in `out`: it is read before anything is written.
    """
    expand_key(key, b"", ONCE, 0)
    begin_mac(ONCE, 0, BLOCK_BYTES)
    update(message)
    finish_mac(ONCE, 0, out, offset)


def expand_key(key: View, head: View, pads: Words, at: u32) -> None:
    """Write the states that all MACs under a key of 32 bytes start from.

    `head`, nothing or one block, is what their messages begin with. PADS_WORDS at `at`.
    """
    assert len(key) == DIGEST_BYTES
    hash_pad(key, 0x36)
    if len(head) > 0:
        compress(head)
    keep_state(pads, at)
    hash_pad(key, 0x5C)
    keep_state(pads, u32(at + 8))


def hash_pad(key: View, filler: u8) -> None:
    for i in range(BLOCK_BYTES):
        PAD[i] = (key[i] if i < len(key) else 0) ^ filler
    begin()
    compress(PAD[0:BLOCK_BYTES])


def keep_state(pads: Words, at: u32) -> None:
    for i in range(8):
        pads[u32(at + i)] = STATE[i]


def begin_mac(pads: Words, at: u32, hashed: u32) -> None:
    """Start a MAC at a state that is kept, `hashed` bytes of pad and head behind it."""
    global hashed_bytes
    hashed_bytes = hashed
    for i in range(8):
        STATE[i] = pads[u32(at + i)]


def finish_mac(pads: Words, at: u32, out: Buffer, offset: u32) -> None:
    """Write the 32 bytes of the MAC to `out` at `offset`."""
    finish(INNER, 0)
    begin_mac(pads, u32(at + 8), BLOCK_BYTES)
    update(INNER[0:DIGEST_BYTES])
    finish(out, offset)

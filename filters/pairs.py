r"""Header lists as the ABI carries them: reading and writing the pairs format.

Little-endian, unaligned: `u32 count`, then `u32 name bytes, u32 value bytes` for each
pair, then name, zero byte, value, zero byte for each. An empty list is no bytes at
all. [("a", "bc")] is

    01 00 00 00  01 00 00 00  02 00 00 00  61 00  62 63 00
    count        name bytes   value bytes  "a"    "bc"

Reading, in one pass over what `proxy_get_header_map_pairs` returned:

    at = pairs_start(pairs)
    for i in range(pair_count(pairs)):
        name, value, at = read_pair(pairs, i, at)

Writing, for `proxy_send_local_response` and others:

    at = begin_pairs(OUT, 1)
    at = put_pair(OUT, 0, at, b"x-reason", reason)
    proxy_send_local_response(403, details, body, OUT[0:at], GrpcStatus.NONE)

A list that contradicts itself reads as empty names and values, or is a bounds fault;
a list that does not fit `OUT` is a bounds fault. `find_header` counts repetitions,
which the host's look-up of a single header hides.
"""

from __future__ import annotations

from typing import Final

from filters.lang import Buffer, View, load_u32, u32

COUNT_BYTES: Final = 4
SIZES_BYTES: Final = 8


def pair_count(pairs: View) -> u32:
    """Return the number of pairs."""
    if len(pairs) == 0:
        return 0
    return load_u32(pairs, 0)


def pairs_start(pairs: View) -> u32:
    """Return the offset of the first name."""
    return u32(COUNT_BYTES + pair_count(pairs) * SIZES_BYTES)


def read_pair(pairs: View, index: u32, at: u32) -> tuple[View, View, u32]:
    """Return name and value of pair `index`, which is at `at`, and the next offset."""
    sizes = u32(COUNT_BYTES + index * SIZES_BYTES)
    name_end = u32(at + load_u32(pairs, sizes))
    value_start = u32(name_end + 1)
    value_end = u32(value_start + load_u32(pairs, u32(sizes + 4)))
    return pairs[at:name_end], pairs[value_start:value_end], u32(value_end + 1)


def find_header(pairs: View, wanted: View) -> tuple[u32, View]:
    """Return how often a header occurs, and its first value.

    `wanted` is in lower case, as names are in Envoy's maps.
    """
    first: View = b""
    found: u32 = 0
    at = pairs_start(pairs)
    for i in range(pair_count(pairs)):
        name, value, at = read_pair(pairs, i, at)
        if name == wanted:
            if found == 0:
                first = value
            found = u32(found + 1)
    return found, first


def begin_pairs(out: Buffer, count: u32) -> u32:
    """Start a list of exactly `count` pairs; return the offset of the first name."""
    out.put_u32(0, count)
    return u32(COUNT_BYTES + count * SIZES_BYTES)


def put_pair(out: Buffer, index: u32, at: u32, name: View, value: View) -> u32:
    """Write pair `index` at `at`; return the next offset, in the end the size."""
    sizes = u32(COUNT_BYTES + index * SIZES_BYTES)
    value_start = u32(at + len(name) + 1)
    end = u32(value_start + len(value))
    out.put_u32(sizes, len(name))
    out.put_u32(u32(sizes + 4), len(value))
    out.put(at, name)
    out[u32(value_start - 1)] = 0
    out.put(value_start, value)
    out[end] = 0
    return u32(end + 1)

"""A guest that lets tests call the filter's parts one by one, on both back ends.

Input is the VM configuration, output is the property "out"; the exports say which
part. Written in the guest language.
"""

from __future__ import annotations

from filters.abi import BufferType
from filters.address import read_address, read_ipv4, read_ipv6, write_address
from filters.configuration import read
from filters.hostcalls import proxy_get_buffer_bytes, proxy_set_property
from filters.key import (
    EXPECTED,
    PAIRWISE,
    compute_mac,
    derive_pairwise,
    key_fields,
    read_key_header,
)
from filters.lang import Buffer, View, Words, export, load_u32_be, load_u64, u32
from filters.pads import PADS, forget_all, is_kept, keep, place_of
from filters.path import NORMAL, normalise
from filters.sha256 import (
    begin,
    begin_mac,
    finish,
    finish_mac,
    hmac,
    update,
)
from filters.spent import BUCKETS, FORGOTTEN, FREE, MARKS, WAYS, spend
from filters.text import (
    is_base64url_of,
    line,
    read_base64url,
    read_decimal,
    start_line,
    write_base64url,
    write_decimal,
)

OUT = Buffer(512)
WORDS = Words(4)


def given() -> View:
    _, data = proxy_get_buffer_bytes(BufferType.VM_CONFIGURATION, 0, 65536)
    return data


@export
def probe_sha256(split: u32) -> None:
    data = given()
    begin()
    update(data[0:split])
    update(data[split : len(data)])
    finish(OUT, 0)
    proxy_set_property(b"out", OUT[0:32])


@export
def probe_hmac() -> None:
    """Input: 32 bytes of key, then the message."""
    data = given()
    hmac(data[0:32], data[32 : len(data)], OUT, 0)
    proxy_set_property(b"out", OUT[0:32])


@export
def probe_read_base64url() -> u32:
    ok, size = read_base64url(given(), OUT, 0)
    if ok:
        proxy_set_property(b"out", OUT[0:size])
    return 1 if ok else 0


@export
def probe_write_base64url() -> None:
    start_line()
    write_base64url(given())
    proxy_set_property(b"out", line())


@export
def probe_is_base64url_of(split: u32) -> bool:
    """Tell whether the input up to `split` is the rest in base64url."""
    data = given()
    return is_base64url_of(data[0:split], data[split : len(data)])


@export
def probe_decimal() -> u32:
    ok, value = read_decimal(given())
    start_line()
    write_decimal(value)
    proxy_set_property(b"out", line())
    return 1 if ok else 0


@export
def probe_address() -> u32:
    """Read the wire form, and write it again."""
    if not read_address(given(), WORDS):
        return 0
    write_address(WORDS, OUT)
    proxy_set_property(b"out", OUT[0:39])
    return 1


@export
def probe_ipv4() -> tuple[u32, u32]:
    ok, value = read_ipv4(given())
    return 1 if ok else 0, value


@export
def probe_ipv6() -> tuple[u32, u32, u32, u32, u32]:
    ok = read_ipv6(given(), WORDS)
    return 1 if ok else 0, WORDS[0], WORDS[1], WORDS[2], WORDS[3]


@export
def probe_mac(key_id: u32, epoch: u32, target: u32) -> None:
    """Input: receiving secret (32), source address (16). Output: K, then the MAC."""
    data = given()
    for i in range(4):
        WORDS[i] = load_u32_be(data, 32 + i * 4)
    derive_pairwise(data[0:32], WORDS)
    OUT.put(0, PAIRWISE[0:32])
    compute_mac(PAIRWISE[0:32], key_id, epoch, WORDS, target)
    OUT.put(32, EXPECTED[0:16])
    proxy_set_property(b"out", OUT[0:48])


@export
def probe_key_header() -> tuple[u32, u32, u32, u32]:
    ok = read_key_header(given())
    target, key_id, epoch = key_fields()
    return 1 if ok else 0, target, key_id, u32(epoch)


@export
def probe_spend() -> u32:
    """Input: MAC, time, newest time, 8 bytes each."""
    data = given()
    return spend(load_u64(data, 0), load_u64(data, 8), load_u64(data, 16))


@export
def probe_pads(row: u32, workload: u32) -> u32:
    """Input: key (32), head (64), message. Output: the MAC. 1: the pads were kept."""
    data = given()
    was_kept = is_kept(row, workload)
    if not was_kept:
        keep(row, workload, data[0:32], data[32:96])
    pads = u32(place_of(row, workload) + 2)
    begin_mac(PADS, pads, 128)
    update(data[96 : len(data)])
    finish_mac(PADS, pads, OUT, 0)
    proxy_set_property(b"out", OUT[0:32])
    return 1 if was_kept else 0


@export
def probe_forget_pads() -> None:
    forget_all()


@export
def probe_forget() -> None:
    """Spend nothing yet."""
    for i in range(BUCKETS * WAYS):
        MARKS[i].bits = FREE
    for i in range(BUCKETS):
        FORGOTTEN[i].bits = 0


@export
def probe_configuration() -> u32:
    return 1 if read(given()) else 0


@export
def probe_path() -> u32:
    """Output: the normal form, if there is one."""
    ok, size = normalise(given())
    proxy_set_property(b"out", NORMAL[0:size])
    return 1 if ok else 0

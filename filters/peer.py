"""The real address of a peer outside the overlay.

An HTTP filter under Istio sees a `source.address` that X-Forwarded-For forges. So this
module is also loaded as a network filter, in front of the HTTP connection manager: it
stores the connection's true peer in a property of the connection, and the HTTP side
reads nothing else. Without it peers outside the overlay are denied.
"""

from __future__ import annotations

from typing import Final

from filters.abi import Status
from filters.address import read_ipv4, read_ipv6
from filters.decide import Kind, Party, find_address4
from filters.hostcalls import (
    proxy_call_foreign_function,
    proxy_get_property,
    proxy_set_property,
)
from filters.lang import View, Words, u32
from filters.layout import Section
from filters.table import section_offset
from filters.text import index_of, read_decimal

# declare_property: name, type string, span of the connection or of the request.
DECLARE_PEER: Final = b"\x0a\x0cpepmesh_peer\x18\x01\x28\x02"
DECLARE_RULE: Final = b"\x0a\x0cpepmesh_rule\x18\x01\x28\x01"

WORDS = Words(4)


def declare_properties() -> None:
    """Fix how long the properties live; a repeated declaration is refused, harmless."""
    proxy_call_foreign_function(b"declare_property", DECLARE_PEER)
    proxy_call_foreign_function(b"declare_property", DECLARE_RULE)


def store_peer() -> None:
    """Keep the true peer of a new connection for the HTTP filter behind."""
    status, address = proxy_get_property(b"source\0address")
    if status == Status.OK:
        proxy_set_property(b"pepmesh_peer", address)


def read_peer(out: Party) -> bool:
    """Read the true peer into a party outside the overlay; False if unknown."""
    status, address = proxy_get_property(b"pepmesh_peer")
    return status == Status.OK and read_endpoint(address, out)


def read_endpoint(endpoint: View, out: Party) -> bool:
    """Read `1.2.3.4:80` or `[2001:db8::1]:80`; anything else is not an address."""
    if len(endpoint) > 0 and endpoint[0] == 91:
        end = index_of(endpoint, 93, 0)
        out.kind = Kind.IPV6
        if not read_ipv6(endpoint[1:end], WORDS):
            return False
        out.word0 = WORDS[0]
        out.word1 = WORDS[1]
        out.word2 = WORDS[2]
        out.word3 = WORDS[3]
        return endpoint[u32(end + 1) : u32(end + 2)] == b":"
    end = index_of(endpoint, 58, 0)
    ok, address = read_ipv4(endpoint[0:end])
    out.kind = Kind.IPV4
    out.word0 = 0
    out.word1 = 0
    out.word2 = 0
    out.word3 = address
    return ok and end < len(endpoint)


def port_of(endpoint: View) -> tuple[bool, u32]:
    """The number after the last colon."""
    start: u32 = 0
    at = index_of(endpoint, 58, 0)
    while at < len(endpoint):
        start = u32(at + 1)
        at = index_of(endpoint, 58, start)
    ok, port = read_decimal(endpoint[start : len(endpoint)])
    return ok and port <= 0xFFFF, u32(port)


def lives_in_member_block(peer: Party) -> bool:
    """Tell whether an address is in a range where only members live."""
    if peer.kind != Kind.IPV4:
        return False
    return find_address4(section_offset(Section.MEMBER_BLOCKS), peer.word3) == 1

"""What is known of a connection: its port, its real peer, the peer's certificate.

An HTTP filter under Istio sees a `source.address` that X-Forwarded-For forges. So this
module is also loaded as a network filter, in front of the HTTP connection manager: it
stores what is true of the connection in a property of the connection, and the HTTP
side reads nothing else. Without it peers outside the overlay are denied.

The certificate is known only after the handshake, so the first request adds it; later
requests learn everything from one host call.

    facts: port (u16, little-endian), 1 if the certificate was looked up, bytes of the
    peer's address, its instance (u32, 0: unknown), the network filter's context (u32,
    0: none) and the number of its VM (8 bytes), how many sources are bound (u32), the
    address as text, SPIFFE name (empty: none)
"""

from __future__ import annotations

from typing import Final

from filters.abi import Status
from filters.address import read_ipv4, read_ipv6
from filters.binding import VM, VM_BYTES, bind, is_bound, is_of_this_vm
from filters.hostcalls import (
    proxy_call_foreign_function,
    proxy_get_property,
    proxy_set_property,
)
from filters.identity import instance
from filters.lang import Buffer, View, Words, load_u16, load_u32, u8, u32
from filters.layout import Column, Section
from filters.lookup import last_start
from filters.party import Kind, Party
from filters.table import field, rows
from filters.text import index_of, read_decimal

# declare_property: name, type string, span of the connection or of the request.
DECLARE_FACTS: Final = b"\x0a\x12pepmesh_connection\x18\x01\x28\x02"
DECLARE_RULE: Final = b"\x0a\x0cpepmesh_rule\x18\x01\x28\x01"
NETWORK_AT: Final = 8
VM_AT: Final = 12
BOUND_AT: Final = VM_AT + VM_BYTES
HEAD_BYTES: Final = 24

# Behind one address is one sender; behind a gateway may be any number of them, and each
# that is bound costs Envoy some 200 bytes for as long as the connection lives.
MAX_BOUND: Final = 16
MAX_ADDRESS_BYTES: Final = 255

# Named anew when the layout changes: connections outlive the module that stored them.
FACTS_NAME: Final = b"pepmesh_connection"

WORDS = Words(4)
FACTS = Buffer(1024)


def declare_properties() -> None:
    """Fix how long the properties live; a repeated declaration is refused, harmless."""
    proxy_call_foreign_function(b"declare_property", DECLARE_FACTS)
    proxy_call_foreign_function(b"declare_property", DECLARE_RULE)


def store_connection(context_id: u32) -> None:
    """Keep what is true of a new connection for the HTTP filter behind."""
    status, address = proxy_get_property(b"source\0address")
    if status == Status.OK and len(address) <= MAX_ADDRESS_BYTES:
        proxy_set_property(FACTS_NAME, make_facts(address, context_id))


def make_facts(address: View, context_id: u32) -> View:
    """Lay out the facts of a connection, its certificate not yet looked up.

    `context_id` is the network filter's; 0: there is none.
    """
    port = destination_port()
    FACTS[0] = u8(port)
    FACTS[1] = u8(port >> 8)
    FACTS[2] = 0
    FACTS[3] = u8(len(address))
    FACTS.put_u32(4, peer_instance(address))
    FACTS.put_u32(NETWORK_AT, context_id)
    FACTS.put(VM_AT, VM[0:VM_BYTES])
    FACTS.put_u32(BOUND_AT, 0)
    FACTS.put(HEAD_BYTES, address)
    return FACTS[0 : HEAD_BYTES + len(address)]


def peer_instance(endpoint: View) -> u32:
    """The instance that a member at this address would have, or 0."""
    if len(endpoint) > 0 and endpoint[0] == 91:
        ok, number = instance(endpoint[1 : index_of(endpoint, 93, 0)])
    else:
        ok, number = instance(endpoint[0 : index_of(endpoint, 58, 0)])
    return number if ok else 0


def destination_port() -> u32:
    """The port that the connection came to; 0 if it cannot be told."""
    status, value = proxy_get_property(b"destination\0port")
    if status != Status.OK or len(value) != 8 or load_u32(value, 4) != 0:
        return 0
    port = load_u32(value, 0)
    return port if port <= 0xFFFF else 0


def connection_facts() -> View:
    """The facts of this request's connection, with its certificate looked up."""
    status, facts = proxy_get_property(FACTS_NAME)
    if status != Status.OK or len(facts) < HEAD_BYTES:
        facts = make_facts(b"", 0)  # no network filter: the peer stays unknown
    if facts[2] == 1:
        return facts
    found, name = proxy_get_property(b"connection\0uri_san_peer_certificate")
    size = len(facts)
    FACTS.put(0, facts)
    FACTS[2] = 1
    if found == Status.OK:
        FACTS.put(size, name)
        size = u32(size + len(name))
    proxy_set_property(FACTS_NAME, FACTS[0:size])
    return FACTS[0:size]


def facts_port(facts: View) -> u32:
    return load_u16(facts, 0)


def facts_instance(facts: View) -> u32:
    """The instance of the real peer; 0 if it is unknown."""
    return load_u32(facts, 4)


def facts_certificate(facts: View) -> View:
    """The peer's SPIFFE name, or nothing."""
    return facts[HEAD_BYTES + facts[3] : len(facts)]


def bind_source(
    facts: View, own_context: u32, source: View, takes_any_address: bool
) -> bool:
    """Keep that a source was checked against these facts; False if it is not kept.

    See filters/binding.py.
    """
    port = facts_port(facts)
    if is_bound(source, port, takes_any_address):
        return True
    network = load_u32(facts, NETWORK_AT)
    bound = load_u32(facts, BOUND_AT)
    number = facts[VM_AT:BOUND_AT]
    if network == 0 or bound >= MAX_BOUND or not is_of_this_vm(number):
        return False
    FACTS.put(0, facts)
    FACTS.put_u32(BOUND_AT, u32(bound + 1))
    if proxy_set_property(FACTS_NAME, FACTS[0 : len(facts)]) != Status.OK:
        return False
    return bind(network, own_context, source, port, takes_any_address)


def read_peer(facts: View, out: Party) -> bool:
    """Read the true peer into a party outside the overlay; False if unknown."""
    return read_endpoint(facts[HEAD_BYTES : HEAD_BYTES + facts[3]], out)


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
    blocks = rows(Section.MEMBER_BLOCKS)
    block = last_start(Column.BLOCK_START, 0, u32(blocks - 1), peer.word3)
    return field(Column.BLOCK_HOLDS_MEMBERS, block) == 1

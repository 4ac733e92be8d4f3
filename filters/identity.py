"""Who this proxy is: namespace, service account and labels -> workload id, address.

The facts come from the plugin configuration's `endpoint` or, inside Kubernetes, from
the proxy's node metadata. Their digest is looked up in the table: labels that the
table does not know mean no identity, which means that everything is denied.

digest = first 16 bytes of SHA-256(namespace 0 service-account 0 {key=value 0}), over
the policy-relevant label keys of the table, in its order, that the endpoint has.
"""

from __future__ import annotations

from filters.abi import Status
from filters.address import read_ipv4, read_ipv6
from filters.configuration import CONFIGURATION, find_label
from filters.hostcalls import proxy_get_property
from filters.lang import Buffer, View, Words, load_u32_be, u32
from filters.layout import (
    ADDRESS_WORD0_AT,
    ADDRESS_WORD1_AT,
    IDENTITY_BYTES,
    NONE,
    Section,
)
from filters.sha256 import begin, finish, put_u32_be, update
from filters.table import row, section_offset, section_rows, text, word, workload_row
from filters.text import index_of, line, start_line, write

DIGEST = Buffer(32)
ADDRESS_BYTES = Buffer(16)
SCRATCH = Words(4)


def find_workload(configuration: View) -> u32:
    """Derive the workload id from the facts, or NONE if there is no such workload."""
    begin()
    if not add_namespace_and_account(configuration):
        return NONE
    for i in range(section_rows(Section.LABEL_KEYS)):
        add_label(configuration, text(word(row(Section.LABEL_KEYS, i, 4))))
    finish(DIGEST, 0)
    return workload_of_digest(DIGEST[0:16])


def add_namespace_and_account(configuration: View) -> bool:
    if CONFIGURATION.has_endpoint:
        facts = CONFIGURATION
        update(configuration[facts.namespace : facts.namespace_end])
        update(b"\0")
        update(configuration[facts.service_account : facts.service_account_end])
        update(b"\0")
        return True
    found, namespace = node_metadata(b"NAMESPACE", b"")
    if not found:
        return False
    update(namespace)
    update(b"\0")
    found, account = node_metadata(b"SERVICE_ACCOUNT", b"")
    if not found:
        return False
    update(account)
    update(b"\0")
    return True


def add_label(configuration: View, key: View) -> None:
    """Add `key=value` if the endpoint has the label; an empty value counts."""
    if CONFIGURATION.has_endpoint:
        found, start, end = find_label(configuration, key)
        if found:
            add_pair(key, configuration[start:end])
    else:
        found, value = node_metadata(b"LABELS", key)
        if found:
            add_pair(key, value)


def add_pair(key: View, value: View) -> None:
    update(key)
    update(b"=")
    update(value)
    update(b"\0")


def node_metadata(field: View, key: View) -> tuple[bool, View]:
    """Read one leaf of the node metadata (envoy-wasm: single leaves, never a node)."""
    start_line()
    write(b"xds\0node\0metadata\0")
    write(field)
    if len(key) > 0:
        write(b"\0")
        write(key)
    status, value = proxy_get_property(line())
    return status == Status.OK, value


def workload_of_digest(digest: View) -> u32:
    """Find the workload of an identity digest, or NONE."""
    mask = u32(section_rows(Section.IDENTITIES) - 1)
    slot = load_u32_be(digest, 0) & mask
    while True:
        at = u32(section_offset(Section.IDENTITIES) + slot * IDENTITY_BYTES)
        workload = word(u32(at + 16))
        if workload == 0:
            return NONE
        if is_digest(at, digest):
            return workload
        slot = u32(slot + 1) & mask


def is_digest(at: u32, digest: View) -> bool:
    for i in range(4):
        if word(u32(at + i * 4)) != load_u32_be(digest, i * 4):
            return False
    return True


def own_address(configuration: View, workload: u32, out: Words) -> bool:
    """Fill in the overlay address of this endpoint; False if it has no address."""
    offset = workload_row(workload)
    if offset == NONE:
        return False
    out[0] = word(ADDRESS_WORD0_AT)
    out[1] = (word(ADDRESS_WORD1_AT) & 0xFFFF0000) | (word(offset) & 0xFFFF)
    out[2] = workload
    if CONFIGURATION.has_endpoint:
        facts = CONFIGURATION
        ok, number = instance(configuration[facts.address : facts.address_end])
        out[3] = number
        return ok
    found, addresses = node_metadata(b"INSTANCE_IPS", b"")
    if not found:
        return False
    ok, number = first_instance(addresses)
    out[3] = number
    return ok


def first_instance(addresses: View) -> tuple[bool, u32]:
    """The instance of the first IPv4 address of a comma-separated list, else IPv6."""
    at: u32 = 0
    while at < len(addresses):
        end = index_of(addresses, 44, at)
        ok, number = read_ipv4(addresses[at:end])
        if ok:
            return True, number
        at = u32(end + 1)
    return instance(addresses[0 : index_of(addresses, 44, 0)])


def instance(address: View) -> tuple[bool, u32]:
    """IPv4: the address. IPv6: the last 32 bits of the SHA-256 of its 16 bytes."""
    ok, number = read_ipv4(address)
    if ok:
        return number != 0, number
    if not read_ipv6(address, SCRATCH):
        return False, 0
    for i in range(4):
        put_u32_be(ADDRESS_BYTES, i * 4, SCRATCH[i])
    begin()
    update(ADDRESS_BYTES[0:16])
    finish(DIGEST, 0)
    return True, load_u32_be(DIGEST[0:32], 28)

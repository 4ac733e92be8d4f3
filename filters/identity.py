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
    NONE,
    Column,
    Section,
)
from filters.sha256 import begin, finish, put_u32_be, update
from filters.table import field, header_word, namespace, rows, text, workload_row
from filters.text import index_of, line, start_line, write

DIGEST = Buffer(32)
ADDRESS_BYTES = Buffer(16)
SCRATCH = Words(4)


def find_workload(configuration: View) -> u32:
    """Derive the workload id from the facts, or NONE if there is no such workload."""
    known, namespace_name, account = namespace_and_account(configuration)
    if not known:
        return NONE
    begin()
    update(namespace_name)
    update(b"\0")
    update(account)
    update(b"\0")
    for row in range(rows(Section.LABEL_KEYS)):
        add_label(configuration, text(field(Column.LABEL_KEY_TEXT, row)))
    finish(DIGEST, 0)
    return workload_of(DIGEST[0:8], namespace_name, account)


def namespace_and_account(configuration: View) -> tuple[bool, View, View]:
    if CONFIGURATION.has_endpoint:
        facts = CONFIGURATION
        return (
            True,
            configuration[facts.namespace : facts.namespace_end],
            configuration[facts.service_account : facts.service_account_end],
        )
    has_namespace, name = node_metadata(b"NAMESPACE", b"")
    has_account, account = node_metadata(b"SERVICE_ACCOUNT", b"")
    return has_namespace and has_account, name, account


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


def workload_of(digest: View, namespace_name: View, account: View) -> u32:
    """Find the workload of an identity, or NONE. Once per configuration: all are seen.

    The table has 8 bytes of the digest; namespace and account are compared as they are.
    """
    digest0 = load_u32_be(digest, 0)
    digest1 = load_u32_be(digest, 4)
    for row in range(rows(Section.WORKLOADS)):
        if (
            field(Column.WORKLOAD_DIGEST1, row) == digest1
            and field(Column.WORKLOAD_DIGEST0, row) == digest0
            and workload_row(u32(row + 1)) == row
            and namespace(field(Column.WORKLOAD_REALM, row)) == namespace_name
            and text(field(Column.WORKLOAD_ACCOUNT, row)) == account
        ):
            return u32(row + 1)
    return NONE


def own_address(configuration: View, workload: u32, out: Words) -> bool:
    """Fill in the overlay address of this endpoint; False if it has no address."""
    row = workload_row(workload)
    if row == NONE:
        return False
    out[0] = header_word(ADDRESS_WORD0_AT)
    realm = field(Column.WORKLOAD_REALM, row)
    out[1] = (header_word(ADDRESS_WORD1_AT) & 0xFFFF0000) | realm
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

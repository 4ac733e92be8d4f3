"""Targets: what a sender can name, found by the cluster that Envoy has chosen.

Istio names clusters `outbound|<port>|<subset>|<host>`. A Service's host is
`NAME.NAMESPACE.svc.cluster.local`; a workload that is reached directly has the host
`NAME.NAMESPACE.workload.pepmesh`.
"""

from __future__ import annotations

from typing import Final

from filters.lang import View, u32
from filters.layout import (
    NONE,
    PORT_BYTES,
    REALM_BYTES,
    TARGET_BYTES,
    TARGET_SERVICE,
    TCP,
    Section,
)
from filters.table import row, section_offset, section_rows, text, word
from filters.text import index_of, read_decimal, starts_with, text_hash

BAR: Final = 124


def is_service_cluster(cluster: View) -> bool:
    return starts_with(cluster, b"outbound|")


def cluster_port(cluster: View) -> tuple[bool, u32]:
    """The port in a cluster's name."""
    ok, port = read_decimal(cluster[9 : index_of(cluster, BAR, 9)])
    return ok and 0 < port <= 0xFFFF, u32(port)


def cluster_host(cluster: View) -> View:
    """The host in a cluster's name; empty if there is none."""
    subset = u32(index_of(cluster, BAR, 9) + 1)
    host = u32(index_of(cluster, BAR, subset) + 1)
    return cluster[host : len(cluster)]


def find_target(host: View) -> u32:
    """Offset of the row of a target, or NONE."""
    mask = u32(section_rows(Section.TARGETS) - 1)
    slot = text_hash(host) & mask
    while True:
        at = u32(section_offset(Section.TARGETS) + slot * TARGET_BYTES)
        if word(at) == 0:
            return NONE
        if is_host(at, host):
            return at
        slot = u32(slot + 1) & mask


def is_host(at: u32, host: View) -> bool:
    """Compare a host with a target's name, namespace and kind."""
    name = text(word(u32(at + 8)))
    halves = word(u32(at + 4))
    realm = row(Section.REALMS, halves >> 16, REALM_BYTES)
    namespace = text(word(u32(realm + 4)))
    dot = u32(len(name))
    if host[0:dot] != name or host[dot : u32(dot + 1)] != b".":
        return False
    start = u32(dot + 1)
    end = u32(start + len(namespace))
    if host[start:end] != namespace:
        return False
    if halves & 0xFFFF == TARGET_SERVICE:
        return host[end : len(host)] == b".svc.cluster.local"
    return host[end : len(host)] == b".workload.pepmesh"


def find_port(target: u32, port: u32) -> u32:
    """Offset of the row of a target's TCP port, or NONE."""
    first = word(u32(target + 12))
    for i in range(word(u32(target + 16))):
        at = row(Section.PORTS, u32(first + i), PORT_BYTES)
        if word(at) == 0 or word(at) == (TCP << 16 | port):
            return at
    return NONE

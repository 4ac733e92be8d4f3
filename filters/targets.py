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
    TARGET_SERVICE,
    TARGET_WORKLOAD,
    TCP,
    Column,
    Section,
)
from filters.table import field, namespace, next_slot, rows, slot, text
from filters.text import index_of, read_decimal, starts_with, text_hash

BAR: Final = 124
DOT: Final = 46

SERVICE_DOMAIN: Final = b".svc.cluster.local"
WORKLOAD_DOMAIN: Final = b".workload.pepmesh"


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
    """The row of a target, or NONE."""
    if ends_with(host, SERVICE_DOMAIN):
        return find_by_name(
            host[0 : size_without(host, SERVICE_DOMAIN)], TARGET_SERVICE
        )
    if ends_with(host, WORKLOAD_DOMAIN):
        name = host[0 : size_without(host, WORKLOAD_DOMAIN)]
        return find_by_name(name, TARGET_WORKLOAD)
    return NONE


def size_without(host: View, domain: View) -> u32:
    return u32(len(host) - min(len(domain), len(host)))


def ends_with(host: View, domain: View) -> bool:
    return host[size_without(host, domain) : len(host)] == domain


def find_by_name(name: View, kind: u32) -> u32:
    """The row of NAME.NAMESPACE, or NONE. A namespace has no dot, a name may have."""
    end: u32 = 0
    dot = index_of(name, DOT, 0)
    while dot < len(name):
        end = dot
        dot = index_of(name, DOT, u32(dot + 1))
    realm = find_realm(name[u32(end + 1) : len(name)])
    if realm == 0:
        return NONE
    return find_in_realm(realm, name[0:end], kind)


def find_realm(wanted: View) -> u32:
    """The realm id of a namespace; 0 if there is none."""
    slots = rows(Section.REALM_SLOTS)
    place = slot(text_hash(wanted), slots)
    for _ in range(slots):
        realm = field(Column.SLOT_REALM, place)
        if realm == 0 or namespace(realm) == wanted:
            return realm
        place = next_slot(place, slots)
    return 0


def find_in_realm(realm: u32, name: View, kind: u32) -> u32:
    first = field(Column.REALM_FIRST_TARGET, u32(realm - 1))
    slots = field(Column.REALM_TARGETS, u32(realm - 1))
    place = slot(text_hash(name), slots)
    for _ in range(slots):
        at = u32(first + place)
        if field(Column.TARGET_ID, at) == 0:
            return NONE
        is_kind = field(Column.TARGET_KIND, at) == kind
        if is_kind and text(field(Column.TARGET_NAME, at)) == name:
            return at
        place = next_slot(place, slots)
    return NONE


def is_port(row: u32, port: u32) -> bool:
    """Tell whether a service port is this TCP port; key 0 is any."""
    key = field(Column.PORT_KEY, row)
    return key == 0 or key == (TCP << 16 | port)

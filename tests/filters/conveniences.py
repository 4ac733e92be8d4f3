"""A guest that lets tests call what filters/ offers to every author of a filter."""

from __future__ import annotations

from filters.abi import GrpcStatus, MapType
from filters.environment import environment_value, read_environment
from filters.hostcalls import (
    proxy_get_header_map_pairs,
    proxy_get_property,
    proxy_set_header_map_pairs,
    proxy_set_property,
)
from filters.lang import Buffer, export, on_fault, u32, u64
from filters.local_response import refuse, refuse_connection
from filters.pairs import (
    begin_pairs,
    find_header,
    pair_count,
    pairs_start,
    put_pair,
    read_pair,
)
from filters.properties import (
    add_segment,
    declare_property,
    read_bool_property,
    read_u64_property,
)

OUT = Buffer(4096)


@export
def find() -> u32:
    """Look for the header x-a; keep its first value as the property "found"."""
    _, pairs = proxy_get_header_map_pairs(MapType.REQUEST_HEADERS)
    count, value = find_header(pairs, b"x-a")
    proxy_set_property(b"found", value)
    return count


@export
def copy() -> u32:
    """Copy the request headers to the response headers, one by one."""
    _, pairs = proxy_get_header_map_pairs(MapType.REQUEST_HEADERS)
    end = begin_pairs(OUT, pair_count(pairs))
    at = pairs_start(pairs)
    for i in range(pair_count(pairs)):
        name, value, at = read_pair(pairs, i, at)
        end = put_pair(OUT, i, end, name, value)
    return proxy_set_header_map_pairs(MapType.RESPONSE_HEADERS, OUT[0:end])


@export
def node_label() -> u32:
    """Read xds.node.metadata.LABELS.app, kept as the property "found"."""
    at = add_segment(OUT, 0, b"xds\0node\0metadata")
    at = add_segment(OUT, at, b"LABELS")
    at = add_segment(OUT, at, b"app")
    status, value = proxy_get_property(OUT[0:at])
    proxy_set_property(b"found", value)
    return status


@export
def flag() -> tuple[bool, bool]:
    found, value = read_bool_property(b"connection\0mtls")
    return found, value


@export
def number() -> tuple[bool, u64]:
    found, value = read_u64_property(b"destination\0port")
    return found, value


@export
def declare(kind: u32, span: u32) -> u32:
    return declare_property(b"conn", kind, span)


@export
def declare_long(size: u32) -> u32:
    return declare_property(OUT[0:size], 1, 2)


@export
def variable() -> u32:
    """Look for the variable KEY; 9 if the environment cannot be read."""
    is_read, variables = read_environment()
    if not is_read:
        return 9
    found, value = environment_value(variables, b"KEY")
    proxy_set_property(b"found", value)
    return 1 if found else 0


@export
def proxy_on_request_headers(context_id: u32, count: u32, end_of_stream: u32) -> u32:
    return refuse(403, b"denied", b"no", b"", GrpcStatus.PERMISSION_DENIED)


@export
def proxy_on_new_connection(context_id: u32) -> u32:
    return refuse_connection()


@on_fault
def faulted(context_id: u32, fault: u32) -> u32:
    assert False  # noqa: B011 (nothing is left to try)

"""The request headers that matter, found in one pass over all pairs.

One read of all pairs costs less than two single look-ups, and a single look-up shows
only the first of repeated headers. Places are offsets into the pairs.
"""

from __future__ import annotations

from filters.abi import MapType, Status
from filters.hostcalls import proxy_remove_header_map_value
from filters.lang import View, record, u32
from filters.pairs import pair_count, pairs_start, read_pair
from filters.text import starts_with


@record
class Request:
    """What one pass found; a count above 1 means that a header is repeated."""

    sources: u32 = 0
    source: u32 = 0
    source_end: u32 = 0
    keys: u32 = 0
    key: u32 = 0
    key_end: u32 = 0
    is_connect: bool = False
    is_grpc: bool = False
    method: u32 = 0
    method_end: u32 = 0
    path: u32 = 0
    path_end: u32 = 0
    host: u32 = 0
    host_end: u32 = 0
    path_state: u32 = 0  # filters/http.py: 0 not looked at yet
    path_bytes: u32 = 0  # of its normal form


REQUEST = Request()


def source_text(pairs: View) -> View:
    """The value of the source header: the last, if it is repeated."""
    return pairs[REQUEST.source : REQUEST.source_end]


def key_text(pairs: View) -> View:
    """The value of the key header: the last, if it is repeated."""
    return pairs[REQUEST.key : REQUEST.key_end]


def strip() -> bool:
    """Remove both overlay headers; False if the host would not.

    What an application sets is not ours, and what is ours is not the application's.
    """
    if REQUEST.sources > 0 and not is_removed(b"x-overlay-src"):
        return False
    return REQUEST.keys == 0 or is_removed(b"x-overlay-key")


def is_removed(name: View) -> bool:
    """Remove a header, however often it is there."""
    removed = proxy_remove_header_map_value(MapType.REQUEST_HEADERS, name)
    return removed == Status.OK


def scan(pairs: View) -> None:
    """Fill in REQUEST from the host's pairs (filters/pairs.py)."""
    REQUEST.sources = 0
    REQUEST.keys = 0
    REQUEST.is_connect = False
    REQUEST.is_grpc = False
    REQUEST.method_end = REQUEST.method
    REQUEST.path_end = REQUEST.path
    REQUEST.host_end = REQUEST.host
    REQUEST.path_state = 0
    at = pairs_start(pairs)
    for i in range(pair_count(pairs)):
        name, value, after = read_pair(pairs, i, at)
        look_at(name, value, u32(after - 1 - len(value)))
        at = after


def look_at(name: View, value: View, start: u32) -> None:
    """Note one header, told apart by the length of its name first."""
    size = len(name)
    end = u32(start + len(value))
    if size == 13:
        if name == b"x-overlay-src":
            REQUEST.sources = u32(REQUEST.sources + 1)
            REQUEST.source = start
            REQUEST.source_end = end
        elif name == b"x-overlay-key":
            REQUEST.keys = u32(REQUEST.keys + 1)
            REQUEST.key = start
            REQUEST.key_end = end
    elif size == 7:
        if name == b":method":
            REQUEST.is_connect = value == b"CONNECT"
            REQUEST.method = start
            REQUEST.method_end = end
    elif size == 5:
        if name == b":path":
            REQUEST.path = start
            REQUEST.path_end = end
    elif size == 10:
        if name == b":authority":
            REQUEST.host = start
            REQUEST.host_end = end
    elif size == 12 and name == b"content-type":
        REQUEST.is_grpc = starts_with(value, b"application/grpc")

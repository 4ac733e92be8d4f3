"""How Envoy keeps headers: order, and headers that cannot be repeated.

Pseudo headers come before others. Some headers ("inline" in Envoy) have one place: a
second value is joined to the first with a comma, whether it comes from the client or
from a filter, so a filter sees them once. All other headers repeat.

Source: Envoy 1.40 itself, asked with e2e/test_host_agrees.py: each name below was
added twice. Trailers and the maps of calls are taken to have no inline headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from filters.abi import MapType
from generator.wasm.context import HeaderList

_REQUEST: Final = """
    :authority :method :path :protocol :scheme accept accept-encoding
    access-control-request-headers access-control-request-method
    access-control-request-private-network authentication authorization cache-control
    cdn-loop connection content-encoding content-length content-type expect
    grpc-accept-encoding grpc-timeout if-match if-modified-since if-none-match if-range
    if-unmodified-since keep-alive origin pragma proxy-connection proxy-status referer
    te transfer-encoding upgrade user-agent via x-client-trace-id x-envoy-attempt-count
    x-envoy-decorator-operation x-envoy-downstream-service-cluster
    x-envoy-downstream-service-node x-envoy-expected-rq-timeout-ms
    x-envoy-external-address x-envoy-force-trace x-envoy-hedge-on-per-try-timeout
    x-envoy-internal x-envoy-ip-tags x-envoy-is-timeout-retry x-envoy-max-retries
    x-envoy-original-host x-envoy-original-path x-envoy-original-url
    x-envoy-retriable-header-names x-envoy-retriable-status-codes x-envoy-retry-grpc-on
    x-envoy-retry-on x-envoy-upstream-alt-stat-name
    x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-alt-response
    x-envoy-upstream-rq-timeout-ms x-envoy-upstream-stream-duration-ms
    x-forwarded-client-cert x-forwarded-for x-forwarded-host x-forwarded-port
    x-forwarded-proto x-request-id
"""
_RESPONSE: Final = """
    :status access-control-allow-credentials access-control-allow-headers
    access-control-allow-methods access-control-allow-origin
    access-control-allow-private-network access-control-expose-headers
    access-control-max-age cache-control connection content-encoding content-length
    content-type date etag expires grpc-message grpc-status keep-alive last-modified
    location proxy-connection proxy-status server transfer-encoding upgrade vary via
    x-envoy-attempt-count x-envoy-decorator-operation x-envoy-degraded
    x-envoy-immediate-health-check-fail x-envoy-ratelimited x-envoy-upstream-canary
    x-envoy-upstream-healthchecked-cluster x-envoy-upstream-service-time x-request-id
"""

INLINE: Final[Mapping[int, frozenset[bytes]]] = {
    MapType.REQUEST_HEADERS: frozenset(_REQUEST.encode().split()),
    MapType.RESPONSE_HEADERS: frozenset(_RESPONSE.encode().split()),
}


def canonical(map_type: int, name: bytes) -> bytes:
    """Return the name under which a map keeps a header."""
    lower = name.lower()
    is_host = map_type == MapType.REQUEST_HEADERS and lower == b"host"
    return b":authority" if is_host else lower


def add_header(headers: HeaderList, map_type: int, name: bytes, value: bytes) -> None:
    """Add a header beside others of its name, or join it to the one that is there."""
    key = canonical(map_type, name)
    if key in INLINE.get(map_type, ()):
        for i, (other, first) in enumerate(headers):
            if other == key:
                headers[i] = (key, first + b"," + value)
                return
    at = len(headers)
    if key.startswith(b":"):
        while at and not headers[at - 1][0].startswith(b":"):
            at -= 1
    headers.insert(at, (key, value))


def remove_header(headers: HeaderList, map_type: int, name: bytes) -> None:
    """Remove every header of a name."""
    key = canonical(map_type, name)
    headers[:] = [pair for pair in headers if pair[0] != key]


def replace_header(
    headers: HeaderList, map_type: int, name: bytes, value: bytes
) -> None:
    """Set a header, in the place of all others of its name."""
    remove_header(headers, map_type, name)
    add_header(headers, map_type, name, value)


def header_map(map_type: int, pairs: Iterable[tuple[bytes, bytes]]) -> HeaderList:
    """Return headers as Envoy keeps them, given as they were sent."""
    headers: HeaderList = []
    for name, value in pairs:
        add_header(headers, map_type, name, value)
    return headers

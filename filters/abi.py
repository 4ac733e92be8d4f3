"""The numbers of the proxy-wasm ABI 0.2.1 and of the WASI calls Envoy serves.

Source: github.com/proxy-wasm/spec, abi-versions/v0.2.1, and Envoy 1.40 where it
differs. Declarations of the hostcalls are in filters/hostcalls.py.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """What a hostcall answers. 5, 9 and 11 belong to older ABI versions."""

    OK = 0
    NOT_FOUND = 1
    BAD_ARGUMENT = 2
    SERIALIZATION_FAILURE = 3
    PARSE_FAILURE = 4
    INVALID_MEMORY_ACCESS = 6
    EMPTY = 7
    CAS_MISMATCH = 8
    INTERNAL_FAILURE = 10
    UNIMPLEMENTED = 12


class LogLevel(IntEnum):
    """`proxy_log`. Istio's proxies show WARN and above unless told otherwise."""

    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4
    CRITICAL = 5


class Action(IntEnum):
    """What a callback returns. In Envoy 1.40 a 2 from request headers *continues*,
    and 5 or more hangs the stream: return nothing but these two.
    """

    CONTINUE = 0
    PAUSE = 1


class MapType(IntEnum):
    """Header maps."""

    REQUEST_HEADERS = 0
    REQUEST_TRAILERS = 1
    RESPONSE_HEADERS = 2
    RESPONSE_TRAILERS = 3
    GRPC_INITIAL_METADATA = 4
    GRPC_TRAILING_METADATA = 5
    HTTP_CALL_RESPONSE_HEADERS = 6
    HTTP_CALL_RESPONSE_TRAILERS = 7


class BufferType(IntEnum):
    """Buffers. PLUGIN_CONFIGURATION can be read only inside `proxy_on_configure`."""

    REQUEST_BODY = 0
    RESPONSE_BODY = 1
    DOWNSTREAM_DATA = 2
    UPSTREAM_DATA = 3
    HTTP_CALL_RESPONSE_BODY = 4
    GRPC_MESSAGE = 5
    VM_CONFIGURATION = 6
    PLUGIN_CONFIGURATION = 7
    CALL_DATA = 8


class StreamType(IntEnum):
    """`proxy_continue_stream` and `proxy_close_stream`."""

    REQUEST = 0
    RESPONSE = 1
    DOWNSTREAM = 2
    UPSTREAM = 3


class PeerType(IntEnum):
    """Who closed a connection."""

    UNKNOWN = 0
    LOCAL = 1
    REMOTE = 2


class MetricType(IntEnum):
    """`proxy_define_metric`."""

    COUNTER = 0
    GAUGE = 1
    HISTOGRAM = 2


class GrpcStatus(IntEnum):
    """`proxy_send_local_response`; NONE for anything that is not gRPC."""

    NONE = -1
    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class TrafficDirection(IntEnum):
    """The property `xds.listener_direction`, eight bytes."""

    UNSPECIFIED = 0
    INBOUND = 1
    OUTBOUND = 2


class PropertyType(IntEnum):
    """Field `type` of Envoy's foreign function `declare_property`."""

    BYTES = 0
    STRING = 1
    FLATBUFFERS = 2
    PROTOBUF = 3


class PropertySpan(IntEnum):
    """Field `span` of `declare_property`: how long the value lives."""

    FILTER_CHAIN = 0
    REQUEST = 1
    CONNECTION = 2


class ClockId(IntEnum):
    """WASI `clock_time_get`; Envoy serves these two."""

    REALTIME = 0
    MONOTONIC = 1


class Errno(IntEnum):
    """What WASI calls answer (the part that Envoy uses)."""

    SUCCESS = 0
    BAD_ADDRESS = 21
    INVALID = 28
    NOT_SUPPORTED = 58


MAX_PAIRS: Final = 1024
"""A longer list given to the host is silently taken as empty (Envoy 1.40)."""

MAX_PAIRS_BYTES: Final = 1_048_576
"""So is a list of more bytes."""

MAX_RANDOM_BYTES: Final = 65_536
"""The most that one `random_get` gives."""

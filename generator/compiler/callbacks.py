"""What a module may export: the callbacks of proxy-wasm ABI 0.2.1 and the allocator.

Envoy refuses a module whose callback has the wrong signature, and ignores one whose
name it does not know: both are errors of the program here.

Source: proxy-wasm/spec, abi-versions/v0.2.1; proxy-wasm-cpp-host 52a0291,
include/proxy-wasm/wasm.h; envoy-wasm.md, section 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

MARKER: Final = "proxy_abi_version_0_2_1"
MALLOC: Final = "malloc"
MEMORY: Final = "memory"

RESERVED: Final[Mapping[str, str]] = {
    MARKER: "the compiler writes it",
    MEMORY: "the memory is exported under this name",
    "proxy_on_memory_allocate": "the compiler writes the allocator, as malloc",
    "_initialize": "nothing may run before the first callback",
    "_start": "nothing may run before the first callback",
    "main": "nothing may run before the first callback",
    "__main_void": "nothing may run before the first callback",
}

Answer = Literal["none", "action", "bool"]


@dataclass(frozen=True, slots=True)
class Callback:
    """Parameters by name (each an i32) and what is returned.

    `action` and `bool` are both one i32. A bool says "accepted": see export.py for
    what that means for a fault.
    """

    parameters: tuple[str, ...]
    answer: Answer = "none"


def _callback(parameters: str, answer: Answer = "none") -> Callback:
    return Callback(tuple(parameters.split()), answer)


CALLBACKS: Final[Mapping[str, Callback]] = {
    # Contexts and configuration.
    "proxy_on_context_create": _callback("context_id parent_context_id"),
    "proxy_on_vm_start": _callback("context_id vm_configuration_size", "bool"),
    "proxy_validate_configuration": _callback("context_id size", "bool"),
    "proxy_on_configure": _callback("context_id plugin_configuration_size", "bool"),
    "proxy_on_done": _callback("context_id", "bool"),
    "proxy_on_log": _callback("context_id"),
    "proxy_on_delete": _callback("context_id"),
    # Timers, queues, foreign functions.
    "proxy_on_tick": _callback("context_id"),
    "proxy_on_queue_ready": _callback("context_id queue_id"),
    "proxy_on_foreign_function": _callback("context_id function_id arguments_size"),
    # TCP.
    "proxy_on_new_connection": _callback("context_id", "action"),
    "proxy_on_downstream_data": _callback("context_id size end_of_stream", "action"),
    "proxy_on_upstream_data": _callback("context_id size end_of_stream", "action"),
    "proxy_on_downstream_connection_close": _callback("context_id peer_type"),
    "proxy_on_upstream_connection_close": _callback("context_id peer_type"),
    # HTTP.
    "proxy_on_request_headers": _callback("context_id count end_of_stream", "action"),
    "proxy_on_request_body": _callback("context_id size end_of_stream", "action"),
    "proxy_on_request_trailers": _callback("context_id count", "action"),
    "proxy_on_request_metadata": _callback("context_id count", "action"),
    "proxy_on_response_headers": _callback("context_id count end_of_stream", "action"),
    "proxy_on_response_body": _callback("context_id size end_of_stream", "action"),
    "proxy_on_response_trailers": _callback("context_id count", "action"),
    "proxy_on_response_metadata": _callback("context_id count", "action"),
    # Calls to other services.
    "proxy_on_http_call_response": _callback(
        "context_id token headers body_size trailers"
    ),
    "proxy_on_grpc_receive_initial_metadata": _callback("context_id token count"),
    "proxy_on_grpc_receive": _callback("context_id token size"),
    "proxy_on_grpc_receive_trailing_metadata": _callback("context_id token count"),
    "proxy_on_grpc_close": _callback("context_id token status"),
    # Envoy's own.
    "envoy_on_resolve_dns": _callback("context_id token size"),
    "envoy_on_stats_update": _callback("context_id size"),
}

PREFIXES: Final = ("proxy_", "envoy_")
"""An export that begins so must be in the table."""

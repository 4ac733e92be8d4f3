"""The functions that Envoy looks for in a module, with their Wasm signatures.

Source: envoy-wasm, section 2.1. An export of one of these names with another
signature makes Envoy refuse the module. All numbers are i32, so a signature is the
number of parameters and of results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ABI_MARKER: Final = "proxy_abi_version_0_2_1"
ALLOCATORS: Final = ("malloc", "proxy_on_memory_allocate")
"""Looked up in this order."""

CALLBACKS: Final[Mapping[str, tuple[int, int]]] = {
    ABI_MARKER: (0, 0),
    "malloc": (1, 1),
    "proxy_on_memory_allocate": (1, 1),
    "_initialize": (0, 0),
    "_start": (0, 0),
    "main": (2, 1),
    "__main_void": (0, 1),
    # plugin
    "proxy_on_context_create": (2, 0),
    "proxy_on_vm_start": (2, 1),
    "proxy_validate_configuration": (2, 1),
    "proxy_on_configure": (2, 1),
    "proxy_on_tick": (1, 0),
    "proxy_on_queue_ready": (2, 0),
    # connections
    "proxy_on_new_connection": (1, 1),
    "proxy_on_downstream_data": (3, 1),
    "proxy_on_upstream_data": (3, 1),
    "proxy_on_downstream_connection_close": (2, 0),
    "proxy_on_upstream_connection_close": (2, 0),
    # HTTP streams
    "proxy_on_request_headers": (3, 1),
    "proxy_on_request_body": (3, 1),
    "proxy_on_request_trailers": (2, 1),
    "proxy_on_request_metadata": (2, 1),
    "proxy_on_response_headers": (3, 1),
    "proxy_on_response_body": (3, 1),
    "proxy_on_response_trailers": (2, 1),
    "proxy_on_response_metadata": (2, 1),
    # calls
    "proxy_on_http_call_response": (5, 0),
    "proxy_on_grpc_receive_initial_metadata": (3, 0),
    "proxy_on_grpc_receive": (3, 0),
    "proxy_on_grpc_receive_trailing_metadata": (3, 0),
    "proxy_on_grpc_close": (3, 0),
    "proxy_on_foreign_function": (3, 0),
    # the end
    "proxy_on_done": (1, 1),
    "proxy_on_log": (1, 0),
    "proxy_on_delete": (1, 0),
    # Envoy's own
    "envoy_on_resolve_dns": (3, 0),
    "envoy_on_stats_update": (2, 0),
}

"""The callbacks of envoy-wasm.md, section 2.1, written out by hand.

Parameters and results, all i32. The table in the code must say the same.
"""

from __future__ import annotations

from generator.wasm.callbacks import CALLBACKS

SIGNATURES = {
    "proxy_abi_version_0_2_1": "->",
    "malloc": "i->i",
    "proxy_on_memory_allocate": "i->i",
    "_initialize": "->",
    "_start": "->",
    "main": "ii->i",
    "__main_void": "->i",
    "proxy_on_context_create": "ii->",
    "proxy_on_vm_start": "ii->i",
    "proxy_validate_configuration": "ii->i",
    "proxy_on_configure": "ii->i",
    "proxy_on_tick": "i->",
    "proxy_on_queue_ready": "ii->",
    "proxy_on_new_connection": "i->i",
    "proxy_on_downstream_data": "iii->i",
    "proxy_on_upstream_data": "iii->i",
    "proxy_on_downstream_connection_close": "ii->",
    "proxy_on_upstream_connection_close": "ii->",
    "proxy_on_request_headers": "iii->i",
    "proxy_on_request_body": "iii->i",
    "proxy_on_request_trailers": "ii->i",
    "proxy_on_request_metadata": "ii->i",
    "proxy_on_response_headers": "iii->i",
    "proxy_on_response_body": "iii->i",
    "proxy_on_response_trailers": "ii->i",
    "proxy_on_response_metadata": "ii->i",
    "proxy_on_http_call_response": "iiiii->",
    "proxy_on_grpc_receive_initial_metadata": "iii->",
    "proxy_on_grpc_receive": "iii->",
    "proxy_on_grpc_receive_trailing_metadata": "iii->",
    "proxy_on_grpc_close": "iii->",
    "proxy_on_foreign_function": "iii->",
    "proxy_on_done": "i->i",
    "proxy_on_log": "i->",
    "proxy_on_delete": "i->",
    "envoy_on_resolve_dns": "iii->",
    "envoy_on_stats_update": "ii->",
}


def test_signatures() -> None:
    written = {name: "i" * p + "->" + "i" * r for name, (p, r) in CALLBACKS.items()}
    assert written == SIGNATURES

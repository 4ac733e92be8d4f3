"""What Envoy's host offers: import module, name and Wasm signature.

A module that imports anything else does not load, so a `@hostcall` that is not here is
an error of the program. Signatures: i = i32, I = i64, parameters before the arrow.

Source: envoy-wasm.md, section 2.2, as linked by proxy-wasm-cpp-host 52a0291 for ABI
0.2.1; WASI as far as that host implements it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ENV: Final[Mapping[str, str]] = {
    # Log, time.
    "proxy_log": "iii->i",
    "proxy_get_log_level": "i->i",
    "proxy_get_current_time_nanoseconds": "i->i",
    "proxy_set_tick_period_milliseconds": "i->i",
    # Properties, buffers.
    "proxy_get_property": "iiii->i",
    "proxy_set_property": "iiii->i",
    "proxy_get_buffer_bytes": "iiiii->i",
    "proxy_get_buffer_status": "iii->i",
    "proxy_set_buffer_bytes": "iiiii->i",
    # Headers.
    "proxy_get_header_map_value": "iiiii->i",
    "proxy_add_header_map_value": "iiiii->i",
    "proxy_replace_header_map_value": "iiiii->i",
    "proxy_remove_header_map_value": "iii->i",
    "proxy_get_header_map_pairs": "iii->i",
    "proxy_set_header_map_pairs": "iii->i",
    "proxy_get_header_map_size": "ii->i",
    # Streams.
    "proxy_send_local_response": "iiiiiiii->i",
    "proxy_continue_stream": "i->i",
    "proxy_close_stream": "i->i",
    "proxy_set_effective_context": "i->i",
    "proxy_done": "->i",
    # Calls.
    "proxy_http_call": "iiiiiiiiii->i",
    "proxy_grpc_call": "iiiiiiiiiiii->i",
    "proxy_grpc_stream": "iiiiiiiii->i",
    "proxy_grpc_send": "iiii->i",
    "proxy_grpc_cancel": "i->i",
    "proxy_grpc_close": "i->i",
    "proxy_get_status": "iii->i",
    # Shared data, queues.
    "proxy_get_shared_data": "iiiii->i",
    "proxy_set_shared_data": "iiiii->i",
    "proxy_register_shared_queue": "iii->i",
    "proxy_resolve_shared_queue": "iiiii->i",
    "proxy_enqueue_shared_queue": "iii->i",
    "proxy_dequeue_shared_queue": "iii->i",
    # Metrics.
    "proxy_define_metric": "iiii->i",
    "proxy_increment_metric": "iI->i",
    "proxy_record_metric": "iI->i",
    "proxy_get_metric": "ii->i",
    # Envoy's own.
    "proxy_call_foreign_function": "iiiiii->i",
    "envoy_resolve_dns": "iii->i",
    "pthread_equal": "ii->i",
    "emscripten_notify_memory_growth": "i->",
}

WASI: Final[Mapping[str, str]] = {
    "environ_get": "ii->i",
    "environ_sizes_get": "ii->i",
    "args_get": "ii->i",
    "args_sizes_get": "ii->i",
    "random_get": "ii->i",
    "clock_time_get": "iIi->i",
    "fd_write": "iiii->i",
    "sched_yield": "->i",
}

HOST: Final[Mapping[str, Mapping[str, str]]] = {
    "env": ENV,
    "wasi_snapshot_preview1": WASI,
    "wasi_unstable": WASI,
}

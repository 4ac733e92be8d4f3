"""The hostcalls of envoy-wasm.md, section 2.2, written out by hand.

`signature` is the Wasm type: i = i32, I = i64, parameters before the arrow. `takes`
and `gives` say what the parameters mean: b = bytes (pointer, size), p = pointer to an
area, i and I = numbers; `gives` are result pointers in order. From these the tests
make modules, and they check the declarations in filters/ against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

WASI: Final = "wasi_snapshot_preview1"


@dataclass(frozen=True, slots=True)
class Row:
    """One hostcall."""

    signature: str
    takes: str
    gives: str = ""
    module: str = "env"

    @property
    def params(self) -> str:
        return self.signature.split("->")[0]

    @property
    def results(self) -> str:
        return self.signature.split("->")[1]


TABLE: Final[Mapping[str, Row]] = {
    "proxy_log": Row("iii->i", "ib"),
    "proxy_get_log_level": Row("i->i", "", "i"),
    "proxy_get_current_time_nanoseconds": Row("i->i", "", "I"),
    "proxy_set_tick_period_milliseconds": Row("i->i", "i"),
    "proxy_get_property": Row("iiii->i", "b", "b"),
    "proxy_set_property": Row("iiii->i", "bb"),
    "proxy_get_buffer_bytes": Row("iiiii->i", "iii", "b"),
    "proxy_get_buffer_status": Row("iii->i", "i", "ii"),
    "proxy_set_buffer_bytes": Row("iiiii->i", "iiib"),
    "proxy_get_header_map_value": Row("iiiii->i", "ib", "b"),
    "proxy_add_header_map_value": Row("iiiii->i", "ibb"),
    "proxy_replace_header_map_value": Row("iiiii->i", "ibb"),
    "proxy_remove_header_map_value": Row("iii->i", "ib"),
    "proxy_get_header_map_pairs": Row("iii->i", "i", "b"),
    "proxy_set_header_map_pairs": Row("iii->i", "ib"),
    "proxy_get_header_map_size": Row("ii->i", "i", "i"),
    "proxy_send_local_response": Row("iiiiiiii->i", "ibbbi"),
    "proxy_continue_stream": Row("i->i", "i"),
    "proxy_close_stream": Row("i->i", "i"),
    "proxy_http_call": Row("iiiiiiiiii->i", "bbbbi", "i"),
    "proxy_grpc_call": Row("iiiiiiiiiiii->i", "bbbbbi", "i"),
    "proxy_grpc_stream": Row("iiiiiiiii->i", "bbbb", "i"),
    "proxy_grpc_send": Row("iiii->i", "ibi"),
    "proxy_grpc_cancel": Row("i->i", "i"),
    "proxy_grpc_close": Row("i->i", "i"),
    "proxy_get_status": Row("iii->i", "", "ib"),
    "proxy_get_shared_data": Row("iiiii->i", "b", "bi"),
    "proxy_set_shared_data": Row("iiiii->i", "bbi"),
    "proxy_register_shared_queue": Row("iii->i", "b", "i"),
    "proxy_resolve_shared_queue": Row("iiiii->i", "bb", "i"),
    "proxy_enqueue_shared_queue": Row("iii->i", "ib"),
    "proxy_dequeue_shared_queue": Row("iii->i", "i", "b"),
    "proxy_define_metric": Row("iiii->i", "ib", "i"),
    "proxy_increment_metric": Row("iI->i", "iI"),
    "proxy_record_metric": Row("iI->i", "iI"),
    "proxy_get_metric": Row("ii->i", "i", "I"),
    "proxy_set_effective_context": Row("i->i", "i"),
    "proxy_done": Row("->i", ""),
    "proxy_call_foreign_function": Row("iiiiii->i", "bb", "b"),
    "envoy_resolve_dns": Row("iii->i", "b", "i"),
    "pthread_equal": Row("ii->i", "ii"),
    "emscripten_notify_memory_growth": Row("i->", "i"),
    "environ_sizes_get": Row("ii->i", "", "ii", WASI),
    "environ_get": Row("ii->i", "pp", "", WASI),
    "random_get": Row("ii->i", "pi", "", WASI),
    "clock_time_get": Row("iIi->i", "iI", "I", WASI),
}

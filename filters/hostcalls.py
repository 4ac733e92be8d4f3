"""What the host offers: every hostcall of proxy-wasm ABI 0.2.1 as Envoy 1.40 has it.

A declaration becomes an import of the module only where it is called. The first result
is the status (filters/abi.py, `Status`) unless the docstring says otherwise; further
results are zero or empty when the status is not OK. Views that the host returns live
until the callback ends. The WASI calls are in filters/wasi.py.

Source: github.com/proxy-wasm/spec, abi-versions/v0.2.1; signatures as linked by
proxy-wasm-cpp-host 52a0291. Not declared: `proxy_get_configuration`,
`proxy_continue_request` and the like, which belong to older ABI versions and which
Envoy refuses to link for this one.
"""
# mypy: disable-error-code="empty-body"
# (the host has the bodies)

from __future__ import annotations

from filters.lang import View, hostcall, i32, i64, u32, u64

# --- Log and time --------------------------------------------------------------------


@hostcall("env", "proxy_log")
def proxy_log(level: u32, message: View) -> u32:
    """Write a line to the proxy's log. `level` is a LogLevel."""
    ...


@hostcall("env", "proxy_get_log_level")
def proxy_get_log_level() -> tuple[u32, u32]:
    """Return the LogLevel below which lines are dropped."""
    ...


@hostcall("env", "proxy_get_current_time_nanoseconds")
def proxy_get_current_time_nanoseconds() -> tuple[u32, u64]:
    """Return the wall clock in nanoseconds since 1970."""
    ...


@hostcall("env", "proxy_set_tick_period_milliseconds")
def proxy_set_tick_period_milliseconds(period_ms: u32) -> u32:
    """Have `proxy_on_tick` called in every VM at this period; 0 stops it."""
    ...


# --- Properties and buffers ----------------------------------------------------------


@hostcall("env", "proxy_get_property")
def proxy_get_property(path: View) -> tuple[u32, View]:
    """Return a property; `path` is its segments with a zero byte between them."""
    ...


@hostcall("env", "proxy_set_property")
def proxy_set_property(name: View, value: View) -> u32:
    """Store a value as the filter state `wasm.<name>`."""
    ...


@hostcall("env", "proxy_get_buffer_bytes")
def proxy_get_buffer_bytes(buffer: u32, start: u32, length: u32) -> tuple[u32, View]:
    """Return at most `length` bytes of a BufferType from `start`.

    A body that is not available now is empty and OK.
    """
    ...


@hostcall("env", "proxy_get_buffer_status")
def proxy_get_buffer_status(buffer: u32) -> tuple[u32, u32, u32]:
    """Return the length of a BufferType and its flags."""
    ...


@hostcall("env", "proxy_set_buffer_bytes")
def proxy_set_buffer_bytes(buffer: u32, start: u32, length: u32, data: View) -> u32:
    """Replace the first `length` bytes (start 0), or append (start at the end)."""
    ...


# --- Headers -------------------------------------------------------------------------


@hostcall("env", "proxy_get_header_map_value")
def proxy_get_header_map_value(headers: u32, name: View) -> tuple[u32, View]:
    """Return the *first* value of a header: blind to repetition (filters/pairs.py)."""
    ...


@hostcall("env", "proxy_add_header_map_value")
def proxy_add_header_map_value(headers: u32, name: View, value: View) -> u32:
    """Add a header beside others of its name."""
    ...


@hostcall("env", "proxy_replace_header_map_value")
def proxy_replace_header_map_value(headers: u32, name: View, value: View) -> u32:
    """Set a header, in the place of all others of its name."""
    ...


@hostcall("env", "proxy_remove_header_map_value")
def proxy_remove_header_map_value(headers: u32, name: View) -> u32:
    """Remove every header of a name; OK too if there is none."""
    ...


@hostcall("env", "proxy_get_header_map_pairs")
def proxy_get_header_map_pairs(headers: u32) -> tuple[u32, View]:
    """Return all headers of a MapType, encoded (filters/pairs.py).

    A map that is not available now is empty and OK, unlike in the other calls. Some
    headers (`host`, `x-forwarded-for`, `user-agent`, ...) cannot be repeated: Envoy
    joins their values with a comma.
    """
    ...


@hostcall("env", "proxy_set_header_map_pairs")
def proxy_set_header_map_pairs(headers: u32, pairs: View) -> u32:
    """Replace all headers of a MapType; a malformed list is an empty one.

    Without `:authority`, `:path` and `x-forwarded-proto` a request finds no route.
    """
    ...


@hostcall("env", "proxy_get_header_map_size")
def proxy_get_header_map_size(headers: u32) -> tuple[u32, u32]:
    """Return the bytes of all names and values: not a number of headers."""
    ...


# --- The stream ----------------------------------------------------------------------


@hostcall("env", "proxy_send_local_response")
def proxy_send_local_response(
    code: u32, details: View, body: View, pairs: View, grpc_status: i32
) -> u32:
    """Answer the request here; the first call of a callback wins.

    It takes effect when the callback returns. A deny must check the status:
    filters/local_response.py does. In a network filter or a root context it answers OK
    and does nothing.
    """
    ...


@hostcall("env", "proxy_continue_stream")
def proxy_continue_stream(stream: u32) -> u32:
    """Resume a paused StreamType."""
    ...


@hostcall("env", "proxy_close_stream")
def proxy_close_stream(stream: u32) -> u32:
    """Reset a StreamType: for HTTP/1 that drops the connection."""
    ...


@hostcall("env", "proxy_set_effective_context")
def proxy_set_effective_context(context_id: u32) -> u32:
    """Make the following hostcalls act on another context."""
    ...


@hostcall("env", "proxy_done")
def proxy_done() -> u32:
    """Finish a root context whose `proxy_on_done` returned 0."""
    ...


# --- Calls to other services ---------------------------------------------------------


@hostcall("env", "proxy_http_call")
def proxy_http_call(
    cluster: View, headers: View, body: View, trailers: View, timeout_ms: u32
) -> tuple[u32, u32]:
    """Send a request; return the token of `proxy_on_http_call_response`."""
    ...


@hostcall("env", "proxy_grpc_call")
def proxy_grpc_call(
    target: View,
    service: View,
    method: View,
    metadata: View,
    message: View,
    timeout_ms: u32,
) -> tuple[u32, u32]:
    """Send a unary gRPC request; return its token."""
    ...


@hostcall("env", "proxy_grpc_stream")
def proxy_grpc_stream(
    target: View, service: View, method: View, metadata: View
) -> tuple[u32, u32]:
    """Open a gRPC stream; return its token."""
    ...


@hostcall("env", "proxy_grpc_send")
def proxy_grpc_send(token: u32, message: View, end_of_stream: u32) -> u32:
    """Send a message on a gRPC stream."""
    ...


@hostcall("env", "proxy_grpc_cancel")
def proxy_grpc_cancel(token: u32) -> u32:
    """Cancel a gRPC call or reset a gRPC stream."""
    ...


@hostcall("env", "proxy_grpc_close")
def proxy_grpc_close(token: u32) -> u32:
    """Close a gRPC call or stream."""
    ...


@hostcall("env", "proxy_get_status")
def proxy_get_status() -> tuple[u32, u32, View]:
    """Return the status code and message of the call that just ended."""
    ...


# --- Shared between VMs of one proxy -------------------------------------------------


@hostcall("env", "proxy_get_shared_data")
def proxy_get_shared_data(key: View) -> tuple[u32, View, u32]:
    """Return a shared value and its compare-and-swap number."""
    ...


@hostcall("env", "proxy_set_shared_data")
def proxy_set_shared_data(key: View, value: View, cas: u32) -> u32:
    """Store a shared value, unless `cas` is neither 0 nor current."""
    ...


@hostcall("env", "proxy_register_shared_queue")
def proxy_register_shared_queue(name: View) -> tuple[u32, u32]:
    """Open a queue of this VM, made if need be; return its id."""
    ...


@hostcall("env", "proxy_resolve_shared_queue")
def proxy_resolve_shared_queue(vm_id: View, name: View) -> tuple[u32, u32]:
    """Return the id of another VM's queue."""
    ...


@hostcall("env", "proxy_enqueue_shared_queue")
def proxy_enqueue_shared_queue(queue: u32, data: View) -> u32:
    """Add to the end of a queue."""
    ...


@hostcall("env", "proxy_dequeue_shared_queue")
def proxy_dequeue_shared_queue(queue: u32) -> tuple[u32, View]:
    """Take the first entry of a queue; EMPTY if there is none."""
    ...


# --- Metrics -------------------------------------------------------------------------


@hostcall("env", "proxy_define_metric")
def proxy_define_metric(kind: u32, name: View) -> tuple[u32, u32]:
    """Return an id of a metric. The same name again is the same metric, a new id."""
    ...


@hostcall("env", "proxy_increment_metric")
def proxy_increment_metric(metric: u32, delta: i64) -> u32:
    """Add to a counter, or add to or subtract from a gauge."""
    ...


@hostcall("env", "proxy_record_metric")
def proxy_record_metric(metric: u32, value: u64) -> u32:
    """Set a gauge, or record a value in a histogram."""
    ...


@hostcall("env", "proxy_get_metric")
def proxy_get_metric(metric: u32) -> tuple[u32, u64]:
    """Return the value of a counter or gauge."""
    ...


# --- Envoy's own ---------------------------------------------------------------------


@hostcall("env", "proxy_call_foreign_function")
def proxy_call_foreign_function(name: View, arguments: View) -> tuple[u32, View]:
    """Call a function of the proxy by name, such as `declare_property`."""
    ...


@hostcall("env", "envoy_resolve_dns")
def envoy_resolve_dns(address: View) -> tuple[u32, u32]:
    """Resolve a name; return the token of `envoy_on_resolve_dns`."""
    ...


@hostcall("env", "pthread_equal")
def pthread_equal(left: u32, right: u32) -> u32:
    """Return 1 if the numbers are equal (for other tool-chains' sake; no status)."""
    ...


@hostcall("env", "emscripten_notify_memory_growth")
def emscripten_notify_memory_growth(memory: u32) -> None:
    """Tell the host that memory grew (for other tool-chains' sake; it ignores it)."""
    ...

"""A guest that logs every callback, and obeys headers of the request."""

from __future__ import annotations

from filters.abi import Action, BufferType, LogLevel, MapType, Status, StreamType
from filters.hostcalls import (
    proxy_close_stream,
    proxy_continue_stream,
    proxy_done,
    proxy_get_buffer_bytes,
    proxy_get_header_map_value,
    proxy_http_call,
    proxy_log,
    proxy_send_local_response,
    proxy_set_buffer_bytes,
    proxy_set_effective_context,
)
from filters.lang import Buffer, View, export, on_fault, u32
from filters.pairs import begin_pairs, put_pair

OUT = Buffer(256)

waiting: u32 = 0
is_reluctant: bool = False


def say(what: View, context_id: u32) -> None:
    """Log `what` and one decimal digit."""
    OUT.put(0, what)
    OUT[len(what)] = 48 + context_id % 10
    proxy_log(LogLevel.INFO, OUT[0 : len(what) + 1])


@export
def proxy_on_context_create(context_id: u32, parent_id: u32) -> None:
    say(b"create ", context_id)


@export
def proxy_on_vm_start(context_id: u32, size: u32) -> u32:
    say(b"vm_start ", context_id)
    return 1


@export
def proxy_on_configure(context_id: u32, size: u32) -> u32:
    global is_reluctant
    say(b"configure ", context_id)
    _, text = proxy_get_buffer_bytes(BufferType.PLUGIN_CONFIGURATION, 0, size)
    assert text != b"fault"
    if text == b"reluctant":
        is_reluctant = True
    return 0 if text == b"bad" else 1


@on_fault
def faulted(context_id: u32, fault: u32) -> u32:
    assert context_id != 0
    _, text = proxy_get_header_map_value(MapType.REQUEST_HEADERS, b"x-do")
    assert text != b"trap"
    proxy_send_local_response(403, b"fault", b"", b"", -1)
    return Action.PAUSE


@export
def proxy_on_request_headers(context_id: u32, count: u32, end_of_stream: u32) -> u32:
    global waiting
    say(b"request ", context_id)
    say(b"headers ", count)
    _, wish = proxy_get_header_map_value(MapType.REQUEST_HEADERS, b"x-do")
    assert wish != b"fault" and wish != b"trap"
    if wish == b"close":
        proxy_close_stream(StreamType.REQUEST)
        return Action.PAUSE
    if wish == b"deny":
        proxy_send_local_response(403, b"no rule", b"no", b"", -1)
    if wish == b"ask":
        waiting = context_id
        ask()
        return Action.PAUSE
    return Action.CONTINUE


def ask() -> None:
    at = begin_pairs(OUT, 3)
    at = put_pair(OUT, 0, at, b":method", b"GET")
    at = put_pair(OUT, 1, at, b":path", b"/")
    at = put_pair(OUT, 2, at, b":authority", b"keys")
    status, _ = proxy_http_call(b"keys", OUT[0:at], b"", b"", 1000)
    assert status == Status.OK


@export
def proxy_on_http_call_response(
    context_id: u32, token: u32, headers: u32, body_size: u32, trailers: u32
) -> None:
    say(b"answer ", context_id)
    _, body = proxy_get_buffer_bytes(BufferType.HTTP_CALL_RESPONSE_BODY, 0, body_size)
    proxy_log(LogLevel.INFO, body)
    proxy_set_effective_context(waiting)
    proxy_continue_stream(StreamType.REQUEST)


@export
def proxy_on_request_body(context_id: u32, size: u32, end_of_stream: u32) -> u32:
    proxy_set_buffer_bytes(BufferType.REQUEST_BODY, 0, 0, b"> ")
    return Action.CONTINUE


@export
def proxy_on_response_headers(context_id: u32, count: u32, end_of_stream: u32) -> u32:
    say(b"response ", context_id)
    status, _ = proxy_get_header_map_value(MapType.REQUEST_HEADERS, b"x-do")
    say(b"request map ", status)
    return Action.CONTINUE


@export
def proxy_on_tick(context_id: u32) -> None:
    say(b"tick ", context_id)
    proxy_done()


@export
def proxy_on_new_connection(context_id: u32) -> u32:
    say(b"connection ", context_id)
    return Action.CONTINUE


@export
def proxy_on_downstream_data(context_id: u32, size: u32, end_of_stream: u32) -> u32:
    say(b"data ", size)
    return Action.PAUSE


@export
def proxy_on_log(context_id: u32) -> None:
    say(b"log ", context_id)


@export
def proxy_on_done(context_id: u32) -> u32:
    say(b"done ", context_id)
    return 0 if is_reluctant and context_id == 1 else 1


@export
def proxy_on_delete(context_id: u32) -> None:
    say(b"delete ", context_id)

"""Deny a request so that it stays denied.

`proxy_send_local_response` can fail, and a callback that then returns CONTINUE lets
the request through. So: try to answer; if that fails, reset the stream; if that
fails too, fault, which ends in the filter's `@on_fault` function or in a trap, and
Envoy fails closed. The result is always PAUSE, the only right one after a denial.
"""

from __future__ import annotations

from filters.abi import Action, Status, StreamType
from filters.hostcalls import proxy_close_stream, proxy_send_local_response
from filters.lang import View, i32, u32


def refuse(code: u32, details: View, body: View, pairs: View, grpc_status: i32) -> u32:
    """Answer the request here, or at least end it; return the action to return."""
    if proxy_send_local_response(code, details, body, pairs, grpc_status) != Status.OK:
        assert proxy_close_stream(StreamType.REQUEST) == Status.OK
    return Action.PAUSE


def refuse_connection() -> u32:
    """Close the connection of a network filter, which has no local responses."""
    assert proxy_close_stream(StreamType.DOWNSTREAM) == Status.OK
    return Action.PAUSE

"""Loop for ever on the path /endless, and refuse when the steps run out.

Envoy has no limit of its own: such a loop would take a worker thread for ever.
"""

from __future__ import annotations

from filters.abi import Action, GrpcStatus, MapType
from filters.hostcalls import proxy_get_header_map_value
from filters.lang import export, on_fault, u32
from filters.local_response import refuse


@export
def proxy_on_request_headers(context_id: u32, count: u32, end_of_stream: u32) -> u32:
    _, path = proxy_get_header_map_value(MapType.REQUEST_HEADERS, b":path")
    turns: u32 = 0
    while path == b"/endless":
        turns = u32(turns + 1)
    return Action.CONTINUE


@on_fault
def refuse_on_fault(context_id: u32, fault: u32) -> u32:
    return refuse(403, b"out_of_steps", b"", b"", GrpcStatus.NONE)

"""Trap on the path /trap: the handler of faults faults itself.

There is nothing left to do then but to let Envoy fail closed.
"""

from __future__ import annotations

from filters.abi import Action, MapType
from filters.hostcalls import proxy_get_header_map_value
from filters.lang import export, on_fault, u32


@export
def proxy_on_request_headers(context_id: u32, count: u32, end_of_stream: u32) -> u32:
    _, path = proxy_get_header_map_value(MapType.REQUEST_HEADERS, b":path")
    assert path != b"/trap"
    return Action.CONTINUE


@on_fault
def fault_again(context_id: u32, fault: u32) -> u32:
    assert fault == 0
    return Action.PAUSE

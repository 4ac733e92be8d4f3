"""Count requests per path prefix.

    pepmesh py2wasm filters/examples/count_requests.py -o count_requests.wasm

Load count_requests.wasm as filters/examples/README.md shows. The plugin configuration
is text, one prefix per line, at most 16:

    /cart
    /cart/items
    /pay

The first line that fits a path counts it, so put longer prefixes first. Envoy's
/stats then has `wasmcustom.requests_total./cart` and so on, and
`wasmcustom.requests_total.other` for the rest.

Shown here: parsing in `proxy_on_configure`, refusing what is not understood, and
metrics. The prefixes are the VM's, not the root context's: requests that are in flight
during an update are counted by the new ones, which for counting is good enough. A
filter that decides anything must keep its state per root context.
"""

from __future__ import annotations

from typing import Final

from filters.abi import Action, BufferType, LogLevel, MapType, MetricType, Status
from filters.hostcalls import (
    proxy_define_metric,
    proxy_get_buffer_bytes,
    proxy_get_header_map_value,
    proxy_increment_metric,
    proxy_log,
)
from filters.lang import Buffer, View, Words, export, u32

SLASH: Final = 47
LINE_FEED: Final = 10
STEM: Final = b"requests_total."

TEXT = Buffer(1024)
NAME = Buffer(1040)
STARTS = Words(16)
ENDS = Words(16)
METRICS = Words(17)

prefixes: u32 = 0


@export
def proxy_on_configure(context_id: u32, size: u32) -> u32:
    if size > len(TEXT):
        proxy_log(LogLevel.ERROR, b"the list of prefixes is longer than 1024 bytes")
        return 0
    status, text = proxy_get_buffer_bytes(BufferType.PLUGIN_CONFIGURATION, 0, size)
    if size > 0 and status != Status.OK:
        proxy_log(LogLevel.ERROR, b"the list of prefixes cannot be read")
        return 0
    TEXT.put(0, text)
    if not read_lines(len(text)):
        proxy_log(LogLevel.ERROR, b"write at most 16 prefixes, each with a / in front")
        return 0
    return 1 if define(len(METRICS) - 1, b"other") else 0


def read_lines(size: u32) -> bool:
    """Split TEXT into prefixes and define a counter for each."""
    global prefixes
    prefixes = 0
    start: u32 = 0
    for at in range(size + 1):
        if at == size or TEXT[at] == LINE_FEED:
            if at > start and not add_prefix(start, at):
                return False
            start = u32(at + 1)
    return True


def add_prefix(start: u32, end: u32) -> bool:
    global prefixes
    if prefixes == len(STARTS) or TEXT[start] != SLASH:
        return False
    STARTS[prefixes] = start
    ENDS[prefixes] = end
    if not define(prefixes, TEXT[start:end]):
        return False
    prefixes = u32(prefixes + 1)
    return True


def define(slot: u32, label: View) -> bool:
    """Define the counter `requests_total.<label>`."""
    NAME.put(0, STEM)
    NAME.put(len(STEM), label)
    name = NAME[0 : len(STEM) + len(label)]
    status, metric = proxy_define_metric(MetricType.COUNTER, name)
    METRICS[slot] = metric
    return status == Status.OK


@export
def proxy_on_request_headers(context_id: u32, count: u32, end_of_stream: u32) -> u32:
    _, path = proxy_get_header_map_value(MapType.REQUEST_HEADERS, b":path")
    if proxy_increment_metric(METRICS[slot_of(path)], 1) != Status.OK:
        proxy_log(LogLevel.WARN, b"a request was not counted")
    return Action.CONTINUE


def slot_of(path: View) -> u32:
    """Return the counter of the first prefix that fits; an absent path fits none."""
    for i in range(prefixes):
        prefix = TEXT[STARTS[i] : ENDS[i]]
        if len(path) >= len(prefix) and path[0 : len(prefix)] == prefix:
            return i
    return len(METRICS) - 1

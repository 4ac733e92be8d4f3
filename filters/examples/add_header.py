"""Add the header `x-filtered-by: python` to every response.

    pepmesh py2wasm filters/examples/add_header.py -o add_header.wasm

Load add_header.wasm as filters/examples/README.md shows. The plugin configuration, if
there is one, is used as the header's value.

Shown here: reading the configuration, keeping it in a static buffer, editing a header
map, and logging a status that is not OK instead of ignoring it.
"""

from __future__ import annotations

from typing import Final

from filters.abi import Action, BufferType, LogLevel, MapType, Status
from filters.hostcalls import (
    proxy_add_header_map_value,
    proxy_get_buffer_bytes,
    proxy_log,
)
from filters.lang import Buffer, View, export, u32

NAME: Final = b"x-filtered-by"
DEFAULT_VALUE: Final = b"python"
MAX_VALUE_BYTES: Final = 64

VALUE = Buffer(64)

value_size: u32 = 0


def keep_value(text: View) -> None:
    global value_size
    VALUE.put(0, text)
    value_size = len(text)


@export
def proxy_on_configure(context_id: u32, size: u32) -> u32:
    """Keep the value; refuse one that is too long or that would break the header."""
    if size == 0:
        keep_value(DEFAULT_VALUE)
        return 1
    if size > MAX_VALUE_BYTES:
        proxy_log(LogLevel.ERROR, b"the header's value is longer than 64 bytes")
        return 0
    status, text = proxy_get_buffer_bytes(BufferType.PLUGIN_CONFIGURATION, 0, size)
    if status != Status.OK or not is_printable(text):
        proxy_log(LogLevel.ERROR, b"the header's value cannot be read or printed")
        return 0
    keep_value(text)
    return 1


def is_printable(text: View) -> bool:
    for i in range(len(text)):
        if text[i] < 32 or text[i] > 126:
            return False
    return True


@export
def proxy_on_response_headers(context_id: u32, count: u32, end_of_stream: u32) -> u32:
    status = proxy_add_header_map_value(
        MapType.RESPONSE_HEADERS, NAME, VALUE[0:value_size]
    )
    if status != Status.OK:
        proxy_log(LogLevel.WARN, b"the header could not be added")
    return Action.CONTINUE

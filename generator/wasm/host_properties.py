"""Hostcalls on properties and buffers.

Source: envoy-wasm, section 2.6. The test gives the properties of connection, node and
so on; those of the request and response follow from the header maps. Reading
`node`, `route_name` and other names that Envoy 1.33 removed finds nothing, because no
one gives them. `set_property` in a root context has no stream to store to.
"""

from __future__ import annotations

from typing import Final

from filters.abi import BufferType, MapType, PropertySpan, Status
from generator.wasm.context import FilterState
from generator.wasm.state import HostState, served

ROOT_PROPERTIES: Final = (b"xds\0node\0", b"plugin_")
"""All that a root context can read: it has no stream."""

REQUEST_HEADERS: Final = {
    b"request\0path": b":path",
    b"request\0host": b":authority",
    b"request\0scheme": b":scheme",
    b"request\0method": b":method",
    b"request\0id": b"x-request-id",
    b"request\0referer": b"referer",
    b"request\0useragent": b"user-agent",
}


class PropertyCalls(HostState):
    """Properties and buffers."""

    @served
    def proxy_get_property(self, path: bytes) -> tuple[int, bytes]:
        if not path:
            return Status.SERIALIZATION_FAILURE, b""
        value = self._find_property(path.removesuffix(b"\0"))
        return (Status.NOT_FOUND, b"") if value is None else (Status.OK, value)

    def _find_property(self, path: bytes) -> bytes | None:
        given = self.properties.get(path)
        if self.context.is_root:
            return given if path.startswith(ROOT_PROPERTIES) else None
        if given is not None:
            return given
        stored = self._find_state(path.removeprefix(b"filter_state\0wasm."))
        return self._header_property(path) if stored is None else stored

    def _find_state(self, name: bytes) -> bytes | None:
        for values in (self.context.filter_state, self.context.connection):
            if name in values:
                return values[name].value
        return None

    def _header_property(self, path: bytes) -> bytes | None:
        if path.startswith(b"response\0headers\0"):
            name = path.removeprefix(b"response\0headers\0")
            return self._joined(MapType.RESPONSE_HEADERS, name)
        if path == b"response\0code":
            code = self._joined(MapType.RESPONSE_HEADERS, b":status")
            return None if code is None else int(code).to_bytes(8, "little")
        if path.startswith(b"request\0headers\0"):
            name = path.removeprefix(b"request\0headers\0")
            return self._joined(MapType.REQUEST_HEADERS, name)
        if path in (b"request\0url_path", b"request\0query"):
            return self._path_part(path)
        header = REQUEST_HEADERS.get(path)
        return self._joined(MapType.REQUEST_HEADERS, header) if header else None

    def _path_part(self, path: bytes) -> bytes | None:
        whole = self._joined(MapType.REQUEST_HEADERS, b":path")
        if whole is None:
            return None
        url_path, _, query = whole.partition(b"?")
        return query if path.endswith(b"query") else url_path

    def _joined(self, map_type: int, name: bytes) -> bytes | None:
        headers = self.context.header_maps.get(map_type, [])
        values = [value for key, value in headers if key == name.lower()]
        return b",".join(values) if values else None

    @served
    def proxy_set_property(self, name: bytes, value: bytes) -> int:
        context = self.context
        if context.is_root:
            return Status.NOT_FOUND
        root = context.parent_id
        is_readonly, span = self.declared.get((root, name), (False, 0))
        # what a network filter stores is its connection's, whatever the span
        is_shared = context.is_network or span == PropertySpan.CONNECTION
        values = context.connection if is_shared else context.filter_state
        state = values.setdefault(name, FilterState(None, is_readonly))
        if state.is_readonly and state.value is not None:
            return Status.BAD_ARGUMENT
        state.value = value
        return Status.OK

    # --- buffers ---------------------------------------------------------------------

    def _buffer(self, buffer: int) -> tuple[int, bytes]:
        """Return status and content: a body that is not there now is empty and OK."""
        if buffer > max(BufferType):
            return Status.BAD_ARGUMENT, b""
        if buffer == BufferType.VM_CONFIGURATION:
            return Status.OK, self.vm_configuration
        if buffer == BufferType.PLUGIN_CONFIGURATION:
            if not self.is_configuring:
                return Status.NOT_FOUND, b""
            return Status.OK, self.plugin_configuration
        missing = b"" if buffer != BufferType.HTTP_CALL_RESPONSE_BODY else None
        data = self.context.buffers.get(buffer, missing)
        return (Status.NOT_FOUND, b"") if data is None else (Status.OK, data)

    @served
    def proxy_get_buffer_bytes(
        self, buffer: int, start: int, length: int
    ) -> tuple[int, bytes]:
        status, data = self._buffer(buffer)
        return status, data[start : start + length]

    @served
    def proxy_get_buffer_status(self, buffer: int) -> tuple[int, int, int]:
        status, data = self._buffer(buffer)
        return status, len(data), 0

    @served
    def proxy_set_buffer_bytes(
        self, buffer: int, start: int, length: int, data: bytes
    ) -> int:
        status, old = self._buffer(buffer)
        if status != Status.OK:
            return status
        new = _edited(old, start, length, data)
        if new is None or buffer not in self.context.buffers:
            return Status.BAD_ARGUMENT
        self.context.buffers[buffer] = new
        return Status.OK


def _edited(old: bytes, start: int, length: int, data: bytes) -> bytes | None:
    """Replace the first bytes or append: Envoy knows no other edit."""
    if start == 0:
        return data + old[length:]
    return old + data if start >= len(old) else None

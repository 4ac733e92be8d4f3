"""Hostcalls on header maps.

Source: envoy-wasm, section 2.4. A look-up of one header shows only the first of
repeated ones. A map that is unknown or not available in this phase answers 2, except
that the list of pairs of one that is not available is empty and OK.
"""

from __future__ import annotations

from filters.abi import MapType, Status
from generator.wasm.header_map import (
    add_header,
    canonical,
    header_map,
    remove_header,
    replace_header,
)
from generator.wasm.pairs import decode_pairs, encode_pairs
from generator.wasm.state import HostState, served


class HeaderCalls(HostState):
    """Header maps."""

    @served
    def proxy_get_header_map_value(
        self, headers: int, name: bytes
    ) -> tuple[int, bytes]:
        pairs = self.header_maps.get(headers)
        if pairs is None:
            return Status.BAD_ARGUMENT, b""
        wanted = canonical(headers, name)
        for key, value in pairs:
            if key == wanted:
                return Status.OK, value
        return Status.NOT_FOUND, b""

    @served
    def proxy_add_header_map_value(
        self, headers: int, name: bytes, value: bytes
    ) -> int:
        pairs = self.header_maps.get(headers)
        if pairs is None:
            return Status.BAD_ARGUMENT
        add_header(pairs, headers, name, value)
        return Status.OK

    @served
    def proxy_replace_header_map_value(
        self, headers: int, name: bytes, value: bytes
    ) -> int:
        pairs = self.header_maps.get(headers)
        if pairs is None:
            return Status.BAD_ARGUMENT
        replace_header(pairs, headers, name, value)
        return Status.OK

    @served
    def proxy_remove_header_map_value(self, headers: int, name: bytes) -> int:
        pairs = self.header_maps.get(headers)
        if pairs is None:
            return Status.BAD_ARGUMENT
        remove_header(pairs, headers, name)
        return Status.OK

    @served
    def proxy_get_header_map_pairs(self, headers: int) -> tuple[int, bytes]:
        if headers > max(MapType):
            return Status.BAD_ARGUMENT, b""
        return Status.OK, encode_pairs(self.header_maps.get(headers, ()))

    @served
    def proxy_set_header_map_pairs(self, headers: int, pairs: bytes) -> int:
        old = self.header_maps.get(headers)
        if old is None:
            return Status.BAD_ARGUMENT
        old[:] = header_map(headers, decode_pairs(pairs))
        return Status.OK

    @served
    def proxy_get_header_map_size(self, headers: int) -> tuple[int, int]:
        pairs = self.header_maps.get(headers)
        if pairs is None:
            return Status.BAD_ARGUMENT, 0
        return Status.OK, sum(len(name) + len(value) for name, value in pairs)

"""One stream of a plugin, callback by callback, as Envoy drives it.

Which header maps exist in which phase follows envoy-wasm, section 2.4: request headers
are there until the filter lets them pass, and in the filter's own local reply; all are
back in `proxy_on_log`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from filters.abi import BufferType, MapType
from generator.wasm.context import Context, HeaderList, LocalResponse
from generator.wasm.header_map import header_map

PASSING: Final = (0, 2)
"""Actions of request headers with which Envoy 1.40 goes on."""


class Driver(Protocol):
    """What a stream needs of its plugin."""

    def run(
        self, context_id: int, export: str, *arguments: int, default: int = 0
    ) -> int: ...

    def end_stream(self, context: Context) -> None: ...


@dataclass
class Stream:
    """An HTTP request or a TCP connection.

    `data_after` is what the last data callback left of its buffer, `sent_headers`
    the request headers as the filter left them.
    """

    plugin: Driver
    context: Context
    data_after: bytes = b""
    _kept: HeaderList = field(default_factory=list)

    @property
    def sent_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        return tuple(self._kept)

    def _run(self, export: str, *arguments: int, default: int = 0) -> int:
        return self.plugin.run(
            self.context.context_id, export, *arguments, default=default
        )

    def request_headers(self, *, end_of_stream: bool = True) -> int:
        """Run `proxy_on_request_headers`; return its action."""
        maps = self.context.header_maps
        self._kept = maps[MapType.REQUEST_HEADERS]
        size = len(self._kept)
        action = self._run("proxy_on_request_headers", size, int(end_of_stream))
        if action in PASSING and self.context.local_response is None:
            del maps[MapType.REQUEST_HEADERS]  # they are on their way
        return action

    def request_body(self, data: bytes, *, end_of_stream: bool = True) -> int:
        """Run `proxy_on_request_body`; return its action."""
        return self._data(
            "proxy_on_request_body", BufferType.REQUEST_BODY, data, end_of_stream
        )

    def response_headers(
        self, headers: Sequence[tuple[bytes, bytes]], *, end_of_stream: bool = True
    ) -> int:
        """Run `proxy_on_response_headers` for the upstream's answer."""
        maps = self.context.header_maps
        maps.pop(MapType.REQUEST_HEADERS, None)
        maps[MapType.RESPONSE_HEADERS] = header_map(MapType.RESPONSE_HEADERS, headers)
        return self._run("proxy_on_response_headers", len(headers), int(end_of_stream))

    def answer_locally(self, response: LocalResponse) -> None:
        """Pass the filter's own local reply through the filter."""
        sent = [(b":status", str(response.code).encode()), *response.headers]
        if response.body:
            sent.append((b"content-length", str(len(response.body)).encode()))
            sent.append((b"content-type", b"text/plain"))
        headers = header_map(MapType.RESPONSE_HEADERS, sent)
        self.context.header_maps[MapType.RESPONSE_HEADERS] = headers
        self._run("proxy_on_response_headers", len(headers), int(not response.body))

    def response_body(self, data: bytes, *, end_of_stream: bool = True) -> int:
        """Run `proxy_on_response_body`; return its action."""
        return self._data(
            "proxy_on_response_body", BufferType.RESPONSE_BODY, data, end_of_stream
        )

    def new_connection(self) -> int:
        """Run `proxy_on_new_connection`; return its action."""
        return self._run("proxy_on_new_connection")

    def downstream_data(self, data: bytes, *, end_of_stream: bool = False) -> int:
        """Run `proxy_on_downstream_data`; return its action."""
        return self._data(
            "proxy_on_downstream_data", BufferType.DOWNSTREAM_DATA, data, end_of_stream
        )

    def upstream_data(self, data: bytes, *, end_of_stream: bool = False) -> int:
        """Run `proxy_on_upstream_data`; return its action."""
        return self._data(
            "proxy_on_upstream_data", BufferType.UPSTREAM_DATA, data, end_of_stream
        )

    def finish(self) -> None:
        """End the stream: log, done, delete."""
        if not self.context.is_network:
            self.context.header_maps.setdefault(MapType.REQUEST_HEADERS, self._kept)
        self._run("proxy_on_log")
        self.plugin.end_stream(self.context)

    def _data(
        self, export: str, buffer: BufferType, data: bytes, end_of_stream: bool
    ) -> int:
        self.context.buffers[buffer] = data
        try:
            return self._run(export, len(data), int(end_of_stream))
        finally:
            self.data_after = self.context.buffers.pop(buffer)

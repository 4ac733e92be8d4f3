"""A gRPC authorizer that says yes at once: the least that ext_authz can cost.

Usage: python authorizer.py ADDRESS PORT. It prints `ready` once it listens and ends
when its standard input does.

It speaks just enough HTTP/2: whatever the Check request says, the answer is the same
three frames, so neither HPACK nor protobuf is decoded. A library for gRPC, in Python or
not, would take several times as long. (Envoy itself cannot answer gRPC with a constant
message: its direct responses to gRPC requests have no body.)
"""

from __future__ import annotations

import asyncio
import struct
import sys
from typing import Final

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD_BYTES: Final = 9
_DATA, _HEADERS, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 4, 6, 8
_END_STREAM: Final = 0x1
_ACK: Final = 0x1
_END_HEADERS: Final = 0x4
_WINDOW_BYTES: Final = 2**20

# RFC 7541: `:status: 200` is entry 8, `content-type` is entry 31, both of the static
# table; the literals are never put into the dynamic table.
_STATUS_OK: Final = b"\x88\x0f\x10\x10application/grpc"
_TRAILERS: Final = b"\x00\x0bgrpc-status\x010"
_YES: Final = b"\x1a\x00"  # a CheckResponse with an empty `ok_response`
_MESSAGE: Final = struct.pack(">BI", 0, len(_YES)) + _YES


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame: length 24 bits, type, flags, stream, payload."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(
        f">BBI{len(payload)}s", kind, flags, stream, payload
    )


def answer(stream: int) -> bytes:
    """Return a whole response: headers, one message, trailers."""
    return (
        frame(_HEADERS, _END_HEADERS, stream, _STATUS_OK)
        + frame(_DATA, 0, stream, _MESSAGE)
        + frame(_HEADERS, _END_HEADERS | _END_STREAM, stream, _TRAILERS)
    )


class Authorizer(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._buffer = b""
        self._unacknowledged_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._transport.write(frame(_SETTINGS, 0, 0) + self._window(_WINDOW_BYTES))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._buffer.startswith(_PREFACE):
            self._buffer = self._buffer[len(_PREFACE) :]
        written = []
        while len(self._buffer) >= _HEAD_BYTES:
            length = int.from_bytes(self._buffer[:3], "big")
            end = _HEAD_BYTES + length
            if len(self._buffer) < end:
                break
            written.append(self._reply(self._buffer[:end]))
            self._buffer = self._buffer[end:]
        self._transport.write(b"".join(written))

    def _reply(self, received: bytes) -> bytes:
        kind, flags, stream = struct.unpack_from(">BBI", received, 3)
        payload = received[_HEAD_BYTES:]
        if kind == _SETTINGS and not flags & _ACK:
            return frame(_SETTINGS, _ACK, 0)
        if kind == _PING and not flags & _ACK:
            return frame(_PING, _ACK, 0, payload)
        reply = self._account(len(payload)) if kind == _DATA else b""
        if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
            reply += answer(stream)
        return reply

    def _account(self, size: int) -> bytes:
        """Open the connection's window again before the sender runs out of it."""
        self._unacknowledged_bytes += size
        if self._unacknowledged_bytes < _WINDOW_BYTES // 2:
            return b""
        opened, self._unacknowledged_bytes = self._unacknowledged_bytes, 0
        return self._window(opened)

    def _window(self, size: int) -> bytes:
        return frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", size))


async def serve(address: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(Authorizer, address, port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))

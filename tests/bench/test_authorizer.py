"""The gRPC authorizer: just enough HTTP/2, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from e2e.bench.authorizer import Authorizer, frame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4


class Written(asyncio.Transport):
    """Keeps what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.data += data


def connected() -> tuple[Authorizer, Written]:
    authorizer, transport = Authorizer(), Written()
    authorizer.connection_made(transport)
    transport.data = b""
    return authorizer, transport


def frames(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    while data:
        size = int.from_bytes(data[:3], "big")
        yield data[3], data[4], int.from_bytes(data[5:9], "big"), data[9 : 9 + size]
        data = data[9 + size :]


def test_settings_and_pings_are_acknowledged() -> None:
    authorizer, transport = connected()
    authorizer.data_received(PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0))
    authorizer.data_received(frame(PING, 0, 0, b"12345678"))
    assert list(frames(transport.data)) == [
        (SETTINGS, ACK, 0, b""),
        (PING, ACK, 0, b"12345678"),
    ]


def test_a_check_is_answered_when_it_is_complete() -> None:
    authorizer, transport = connected()
    check = frame(HEADERS, END_HEADERS, 5, b"?") + frame(DATA, END_STREAM, 5, b"?" * 9)
    for position in range(len(check)):  # in any pieces
        assert transport.data == b""
        authorizer.data_received(check[position : position + 1])
    headers, message, trailers = frames(transport.data)
    assert headers[:3] == (HEADERS, END_HEADERS, 5)
    assert headers[3].endswith(b"application/grpc")
    assert message == (DATA, 0, 5, b"\0\0\0\0\x02\x1a\0")
    assert trailers[:3] == (HEADERS, END_HEADERS | END_STREAM, 5)
    assert trailers[3] == b"\x00\x0bgrpc-status\x010"


def test_window_is_opened_by_what_was_received() -> None:
    authorizer, transport = connected()
    for _ in range(40):
        authorizer.data_received(frame(DATA, 0, 1, b"x" * 16_384))
    kind, _, stream, size = next(frames(transport.data))
    assert (kind, stream) == (WINDOW_UPDATE, 0)
    assert int.from_bytes(size, "big") == 2**19

"""The applications of the test mesh: one process that answers for all of them.

Usage: python origin.py < PLACES, where PLACES is JSON: {"ADDRESS:PORT": "NAME"}.
It answers every HTTP/1.1 request with JSON: who it is and what it received, so that
tests can see which headers reached the application. A path that begins with /hold is
answered late, one with /cut not at all. It prints `ready` once it listens and ends when
its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from functools import partial

_HOLD_SECONDS = 0.3


class Origin(asyncio.Protocol):
    """One connection to one application; requests are answered in turn."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = [_pair(line) for line in head[1:]]
            size = _body_size(dict(headers), self._buffer[end + 4 :])
            if size is None:
                return
            self._buffer = self._buffer[end + 4 + size :]
            self._answer(head[0], headers, size)

    def _answer(self, start: str, headers: list[tuple[str, str]], size: int) -> None:
        method, path, _ = start.split(" ", 2)
        body = json.dumps(
            {
                "name": self._name,
                "method": method,
                "path": path,
                "headers": headers,
                "body_bytes": size,
            }
        ).encode()
        head = (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        answer = head.encode() + body
        if path.startswith("/cut"):
            self._transport.abort()
        elif path.startswith("/hold"):
            loop = asyncio.get_running_loop()
            loop.call_later(_HOLD_SECONDS, self._transport.write, answer)
        else:
            self._transport.write(answer)


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()


def _body_size(headers: Mapping[str, str], rest: bytes) -> int | None:
    """Return the body's size on the wire, None while it is not complete."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        end = b"0\r\n\r\n"
        if rest.startswith(end):
            return len(end)
        found = rest.find(b"\r\n" + end)
        return None if found < 0 else found + 2 + len(end)
    size = int(headers.get("content-length", "0"))
    return size if len(rest) >= size else None


async def serve(places: Mapping[str, str]) -> None:
    """Listen on every place until standard input ends."""
    loop = asyncio.get_running_loop()
    for place, name in places.items():
        address, _, port = place.rpartition(":")
        await loop.create_server(partial(Origin, name), address, int(port))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    places = json.loads(sys.stdin.readline())
    asyncio.run(serve(places))


if __name__ == "__main__":
    main()

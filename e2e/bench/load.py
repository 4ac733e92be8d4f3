"""Clients that send their next request when they have the answer.

One request in flight keeps queueing out of the latencies, and wakes Envoy once per
request with cold caches: the dearest way to serve. A crowd keeps Envoy busy, which is
what a sidecar under load costs; latencies then say little.
"""

from __future__ import annotations

import socket
from time import perf_counter_ns
from types import TracebackType
from typing import Self

from e2e.probe import Headers

_LENGTH = b"content-length: "
_PATIENCE_S = 120.0  # RBAC with 100,000 rules on a busy machine takes some of it


class Unexpected(Exception):
    """The measured listener did not answer 200: the figures would mean nothing."""


class Client:
    """One kept-alive HTTP/1.1 connection from a given address."""

    def __init__(self, source: str, address: str, port: int) -> None:
        self._socket = socket.create_connection(
            (address, port), timeout=_PATIENCE_S, source_address=(source, 0)
        )
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """Return the socket's descriptor, for `select`."""
        return self._socket.fileno()

    def send(self, request: bytes, count: int) -> list[int]:
        """Send `request` `count` times; return each latency in nanoseconds."""
        latencies = []
        for _ in range(count):
            start = perf_counter_ns()
            self.start(request)
            self.finish()
            latencies.append(perf_counter_ns() - start)
        return latencies

    def start(self, request: bytes) -> None:
        self._socket.sendall(request)

    def finish(self) -> None:
        """Wait for the answer to what was started."""
        answer = self._socket.recv(65536)
        while not _is_complete(answer):
            more = self._socket.recv(65536)
            if not more:
                raise Unexpected(f"connection closed after {answer[:200]!r}")
            answer += more
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise Unexpected(answer[:400].decode(errors="replace"))


class Crowd:
    """As many clients as a listener shall serve at a time."""

    def __init__(self, source: str, address: str, port: int, size: int) -> None:
        self.clients = [Client(source, address, port) for _ in range(size)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self.clients:
            client.__exit__(kind, error, trace)

    def send(self, request: bytes, count: int) -> list[int]:
        """Send `request` about `count` times, all clients at once; see `Client`."""
        latencies = []
        for _ in range(-(-count // len(self.clients))):
            start = perf_counter_ns()
            for client in self.clients:
                client.start(request)
            for client in self.clients:
                client.finish()
                latencies.append(perf_counter_ns() - start)
        return latencies


def _is_complete(answer: bytes) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    start = answer.find(_LENGTH, 0, end)
    if start < 0:
        raise Unexpected(answer[:400].decode(errors="replace"))
    stop = answer.index(b"\r\n", start)
    return len(answer) >= end + 4 + int(answer[start + len(_LENGTH) : stop])


def request_bytes(authority: str, headers: Headers) -> bytes:
    """Return a request such as a service sends: a dozen headers and no body."""
    lines = [
        "GET /api/v1/orders/4711?expand=items HTTP/1.1",
        f"host: {authority}",
        "user-agent: shop-client/3.2 (linux; x86_64)",
        "accept: application/json",
        "accept-encoding: identity",
        "authorization: Bearer 9c4b1f6e2d7a48d0a3b5c6d7e8f90a1b",
        "x-request-id: 6f1c2d3e-4a5b-4c6d-8e7f-90a1b2c3d4e5",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cookie: session=0123456789abcdef0123456789abcdef",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()

"""Load generators: what they count, and what they refuse to count."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from e2e.bench.load import Unexpected, request_bytes
from e2e.bench.paced import CONNECTIONS, PacedClient
from e2e.bench.saturated import read_flood

REQUEST = request_bytes("bench", [])
STALL_S = 0.1


@contextmanager
def stalling_server(status: int) -> Iterator[int]:
    """Answer every request, but none before `STALL_S` have passed since the first."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS)
    first: list[float] = []
    answer = f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client may be gone
            while connection.recv(65536):
                first.append(time.monotonic())
                time.sleep(max(0.0, first[0] + STALL_S - time.monotonic()))
                connection.sendall(answer)

    def accept() -> None:
        for _ in range(CONNECTIONS):
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with listener:
        yield listener.getsockname()[1]


def test_waiting_for_a_free_connection_counts() -> None:
    rate, count = 1_000, 100
    with (
        stalling_server(200) as port,
        PacedClient("127.0.0.1", "127.0.0.1", port) as client,
    ):
        pace = client.run(REQUEST, rate, count)
    # Request n was planned n ms after the first, and nobody was answered in 100 ms.
    least = sorted((STALL_S - n / rate) * 1e6 for n in range(count))
    found = sorted(pace.latencies_us)
    assert len(found) == count
    assert all(a >= b for a, b in zip(found, least, strict=True))
    assert len(pace.late_us) < count  # those that waited for others are not our fault
    assert pace.rate < 2 * rate


def test_other_answers_than_200_are_no_figures() -> None:
    with (
        stalling_server(403) as port,
        PacedClient("127.0.0.1", "127.0.0.1", port) as client,
        pytest.raises(Unexpected, match="403"),
    ):
        client.run(REQUEST, 1_000, 10)


WRK = """\
Running 1s test @ http://127.16.1.1:8443
  1 threads and 32 connections
Requests/sec:   8000.00
{"requests": 8000, "duration_us": 500000, "p50_us": 90, "p90_us": 100, "p99_us": 120, \
"failed": %d}
"""


def test_what_wrk_says() -> None:
    found = read_flood(WRK % 0)
    assert found.requests == 8_000
    assert found.rate == 16_000
    assert found.latencies_us == {"p50_us": 90, "p90_us": 100, "p99_us": 120}


def test_failed_requests_are_no_figures() -> None:
    with pytest.raises(Unexpected, match="3 of 8000"):
        read_flood(WRK % 3)


def test_no_answers_are_a_rate_of_zero() -> None:
    assert read_flood(WRK.replace('"requests": 8000', '"requests": 0') % 0).rate == 0

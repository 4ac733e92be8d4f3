"""Requests at a fixed rate, whatever the answers do (an open loop).

When each request is to be sent is fixed in advance, and its latency is counted from
that moment: if Envoy falls behind, requests queue here and their waiting counts, as it
would for people (leaving it out is known as coordinated omission). The generator says
how late it sent by its own fault, and how many answers came per second, so that a rate
that was not kept shows.
"""

from __future__ import annotations

import ctypes
import gc
import select
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from e2e.bench.load import Client, Crowd

CONNECTIONS: Final = 16
_LEAD_NS: Final = 1_000_000
_SPIN_NS: Final = 80_000  # `select` wakes some 50 µs late: the rest is spent awake
_PATIENCE_S: Final = 120.0
_PR_SET_TIMERSLACK: Final = 29


@dataclass(frozen=True, slots=True)
class Pace:
    """What came of it: latencies in the order of answers; answers per second.

    `late_us`: how much later than planned a request was sent though a connection was
    free, one number per such request.
    """

    latencies_us: tuple[float, ...]
    late_us: tuple[float, ...]
    rate: float


class PacedClient(Crowd):
    """A crowd that sends when it is time, and not when it has an answer."""

    def __init__(self, source: str, address: str, port: int) -> None:
        super().__init__(source, address, port, CONNECTIONS)

    def run(self, request: bytes, rate: int, count: int) -> Pace:
        """Send `count` requests at `rate` per second.

        Raises: Unexpected if an answer is not 200, TimeoutError if none comes for long.
        """
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1)
        gc.disable()
        try:
            return _Run(self.clients, request, rate, count).run()
        finally:
            gc.enable()


class _Run:
    """The state of one run; times in ns of `perf_counter_ns`."""

    def __init__(
        self, clients: list[Client], request: bytes, rate: int, count: int
    ) -> None:
        self._request = request
        self._count = count
        self._begin = time.perf_counter_ns() + _LEAD_NS
        self._step = 1e9 / rate
        self._started = 0
        self._due: deque[int] = deque()
        self._free = deque(clients)
        self._busy: dict[Client, int] = {}
        self._latencies: list[float] = []
        self._late: list[float] = []

    def run(self) -> Pace:
        while len(self._latencies) < self._count:
            self._send_due()
            self._receive()
        elapsed = time.perf_counter_ns() - self._begin
        rate = (self._count - 1) / (elapsed / 1e9)
        return Pace(tuple(self._latencies), tuple(self._late), rate)

    def _planned(self) -> int:
        return self._begin + round(self._started * self._step)

    def _send_due(self) -> None:
        now = time.perf_counter_ns()
        while self._started < self._count and (planned := self._planned()) <= now:
            self._started += 1
            self._due.append(planned)
            if len(self._due) <= len(self._free):
                self._late.append((now - planned) / 1000)
        while self._due and self._free:
            client = self._free.popleft()
            self._busy[client] = self._due.popleft()
            client.start(self._request)

    def _receive(self) -> None:
        wait_s = self._wait_s()
        ready, _, _ = select.select(list(self._busy), [], [], wait_s)
        if not ready and wait_s == _PATIENCE_S:
            raise TimeoutError(f"no answer for {_PATIENCE_S:g} s")
        for client in ready:
            client.finish()
            planned = self._busy.pop(client)
            self._latencies.append((time.perf_counter_ns() - planned) / 1000)
            self._free.append(client)

    def _wait_s(self) -> float:
        """Return how long nothing needs to be sent; 0 shortly before the next."""
        if self._started == self._count or not self._free:
            return _PATIENCE_S
        ahead = self._planned() - time.perf_counter_ns() - _SPIN_NS
        return max(0.0, ahead / 1e9)

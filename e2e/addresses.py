"""Loopback addresses for one run: every pod, origin and outsider gets its own.

The second octet says what role an address plays, so that the shop's manifests can
name networks; the third is the number of the run, so that runs do not meet.

    127.16.RUN.n   a pod: its sidecar listens here, and its traffic leaves from here
    127.17.RUN.n   the application behind that sidecar ("origin"); policy never sees it
    127.33.RUN.n   somebody in an office
    127.40.RUN.n   somebody on the guest network

A run number is held by a listening socket; a second run that wants it takes another.
Linux routes all of 127.0.0.0/8 to the loopback device; other systems do not.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_HELD_HOST = 254
_HELD_PORT = 20000


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of one run."""

    run: int

    def pod(self, number: int) -> str:
        return self._at(16, number)

    def origin(self, number: int) -> str:
        return self._at(17, number)

    def office(self, number: int) -> str:
        return self._at(33, number)

    def guest(self, number: int) -> str:
        return self._at(40, number)

    def _at(self, role: int, number: int) -> str:
        if not 1 <= number < _HELD_HOST:
            raise ValueError(f"address number {number} is outside 1..{_HELD_HOST - 1}")
        return f"127.{role}.{self.run}.{number}"


@contextmanager
def claim_addresses() -> Iterator[Addresses]:
    """Hold a free run number for as long as the block lasts."""
    first = os.getpid() % 256
    for run in ((first + step) % 256 for step in range(256)):
        holder = socket.socket()
        try:
            holder.bind((f"127.16.{run}.{_HELD_HOST}", _HELD_PORT))
            holder.listen()
        except OSError:
            holder.close()
            continue
        with holder:
            yield Addresses(run)
        return
    raise RuntimeError("all 256 runs on this machine are taken")

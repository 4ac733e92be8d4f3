"""Load from wrk, a generator in C that costs little beside what it measures.

`apt-get install wrk` on Debian and Ubuntu. It sends one request again and again on
connections that it keeps; its own address cannot be chosen. A `Host` of one's own must
be spelt so, with a capital, or wrk adds another.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from e2e.background import Background
from e2e.bench.results import CannotMeasure
from e2e.probe import Headers

SLICE_SECONDS: Final = 5
"""Keys live for half a minute at least: headers are made anew for each slice."""

_SERVED: Final = re.compile(r"(\d+) requests in ")
_REFUSED: Final = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_BROKEN: Final = re.compile(r"Socket errors: (.*)")


class NoWrk(CannotMeasure):
    """wrk is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "the load comes from wrk, which is not installed: "
            "apt-get install wrk (Debian, Ubuntu; as root)"
        )


def find_wrk() -> str:
    """Return wrk's path. Raises: NoWrk."""
    found = shutil.which("wrk")
    if found is None:
        raise NoWrk
    return found


@dataclass(frozen=True, slots=True)
class Served:
    """Answers that came, and among them or beside them those that were not 2xx."""

    requests: int = 0
    lost: int = 0

    def __add__(self, other: Served) -> Served:
        return Served(self.requests + other.requests, self.lost + other.lost)


def run_wrk(
    url: str,
    headers: Headers = (),
    *,
    connections: int = 16,
    seconds: int = SLICE_SECONDS,
) -> Served:
    """Send `GET url` as fast as it is answered.

    Raises: NoWrk; CalledProcessError if nobody listens there.
    """
    command = [find_wrk(), "-t", "1", "-c", str(connections), "-d", f"{seconds}s"]
    for name, value in headers:
        command += ["-H", f"{name}: {value}"]
    result = subprocess.run([*command, url], check=True, capture_output=True, text=True)
    return read_report(result.stdout)


def read_report(text: str) -> Served:
    """Read what wrk prints at its end; raise ValueError if it is something else."""
    served = _SERVED.search(text)
    if served is None:
        raise ValueError(f"not a report of wrk: {text[-200:]!r}")
    refused, broken = _REFUSED.search(text), _BROKEN.search(text)
    lost = int(refused[1]) if refused else 0
    if broken:
        lost += sum(int(number) for number in re.findall(r"\d+", broken[1]))
    return Served(int(served[1]), lost)


class Load(Background):
    """wrk, again and again, as long as the block lasts. `served` is known after it."""

    def __init__(
        self, url: str, headers: Callable[[], Headers] = tuple, connections: int = 8
    ) -> None:
        super().__init__("load")
        self.served = Served()
        self._url, self._headers, self._connections = url, headers, connections

    def turn(self) -> None:
        headers = self._headers()
        self.served += run_wrk(self._url, headers, connections=self._connections)

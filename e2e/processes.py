"""Child processes that end with the block that started them, however it ends.

Each child has a process group of its own, so Ctrl-C in a terminal reaches only us and
we stop the children in order; each is on a leash (`leash.py`) for the case that we
are killed outright. Only processes started here are ever signalled, by their pid.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_LEASH = Path(__file__).with_name("leash.py")
_GRACE_SECONDS = 5.0


class Timeout(Exception):
    """Something that should have happened by a deadline did not."""


def wait_until(
    condition: Callable[[], bool], what: str, timeout_s: float = 20.0
) -> None:
    """Poll `condition` until it holds; raise `Timeout` naming `what` otherwise."""
    deadline = time.monotonic() + timeout_s
    pause = 0.002
    while not condition():
        if time.monotonic() > deadline:
            raise Timeout(f"waited {timeout_s:g} s for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


class Children:
    """The processes started in one block."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, command: Sequence[str], output: Path) -> subprocess.Popen[bytes]:
        """Start `command` with its output in a file; standard input is a pipe."""
        leashed = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *command]
        with output.open("ab") as stream:
            child = subprocess.Popen(
                leashed,
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._running.append(child)
        return child

    def stop(self) -> None:
        """Ask every child to end, then make it end, then reap it."""
        for child in self._running:
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        for child in self._running:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdin is not None:
                child.stdin.close()
        self._running.clear()


@contextmanager
def children() -> Iterator[Children]:
    """Start processes that end with the block, also on an exception or Ctrl-C."""
    family = Children()
    try:
        yield family
    finally:
        family.stop()


def cpu_ns(pid: int) -> int:
    """Return the CPU time of all threads of a process, from the scheduler."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def resident_bytes(pid: int) -> int:
    """Return the memory of a process that is in RAM, what it shares included."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == "Rss":
            return int(value.removesuffix("kB")) * 1024
    raise ValueError(f"no resident set of process {pid}")

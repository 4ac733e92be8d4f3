"""`make demo` itself: its exit codes, its output, and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.processes import wait_until

ROOT = Path(__file__).parent.parent


@contextmanager
def running_demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the demo; all it makes is under `folder`."""
    with subprocess.Popen(
        [sys.executable, "-m", "e2e.demo"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        try:
            yield demo
        finally:
            demo.kill()


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of all processes that mention `folder`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has just ended
            continue
        if str(folder) in command:
            found.append(command)
    return found


def test_the_demo_agrees_with_policy_and_says_what_it_costs(tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    assert "✗ not what policy says 0" in output
    assert "NetworkPolicy/shop/default-deny/egress/default" in output
    assert "| pepmesh inbound |" in output
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_demo_leaves_nothing_running(how: signal.Signals, tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        wait_until(lambda: len(processes_of(tmp_path)) >= 12, "all Envoys", 60)
        demo.send_signal(how)
        output, _ = demo.communicate(timeout=30)
    assert demo.returncode == (130 if how is signal.SIGINT else -how), output
    wait_until(lambda: processes_of(tmp_path) == [], "the end of all processes")

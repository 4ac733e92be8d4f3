"""`make demo` itself: its exit codes, its output, and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from e2e import demo
from e2e.processes import wait_until
from generator.errors import PolicyError

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
    ) as process:
        try:
            yield process
        finally:
            process.kill()


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
    with running_demo(tmp_path) as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "✗ not what policy says 0" in output
    assert "NetworkPolicy/shop/default-deny/egress/default" in output
    assert "| pepmesh inbound |" in output
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_demo_leaves_nothing_running(how: signal.Signals, tmp_path: Path) -> None:
    with running_demo(tmp_path) as process:
        wait_until(lambda: len(processes_of(tmp_path)) >= 12, "all Envoys", 60)
        process.send_signal(how)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == (130 if how is signal.SIGINT else -how), output
    wait_until(lambda: processes_of(tmp_path) == [], "the end of all processes")


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        (False, 1, "NOT as policy says; logs are in"),
        (PolicyError.of("POL0015", "no such thing"), 2, "no such thing"),
    ],
    ids=["disagreement", "bad manifests"],
)
def test_the_demo_does_not_hide_a_failure(
    found: bool | PolicyError,
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(console: Console, folder: Path) -> bool:
        if isinstance(found, PolicyError):
            raise found
        return found

    monkeypatch.setattr(demo, "run", run)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert demo.main() == code
    assert said in capsys.readouterr().out
    assert len(list(tmp_path.iterdir())) == (1 if code == 1 else 0)

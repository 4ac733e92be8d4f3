"""Nothing survives: not a failing block, not Ctrl-C, not SIGKILL of the parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.addresses import claim_addresses
from e2e.processes import Children, Timeout, children, wait_until

_PARENT = """
import sys, time
from pathlib import Path
from e2e.processes import children
with children() as family:
    pids = [
        family.start(["/bin/sleep", "300"], Path(sys.argv[1])).pid for _ in range(2)
    ]
    print(*pids, flush=True)
    time.sleep(300)
"""


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_children_end_with_their_parent(how: signal.Signals, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path / "log")],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    wait_until(lambda: all(is_alive(pid) for pid in pids), "the children")
    os.kill(parent.pid, how)
    parent.wait(10)
    parent.stdout.close()
    assert len(pids) == 2
    wait_until(lambda: not any(is_alive(pid) for pid in pids), "the children's end")


def test_children_end_with_a_failing_block(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), children() as family:
        pid = family.start(["/bin/sleep", "300"], tmp_path / "log").pid
        _ = 1 / 0
    assert not is_alive(pid)


def test_a_child_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("e2e.processes._GRACE_SECONDS", 0.2)
    log = tmp_path / "log"
    stubborn = "trap '' TERM; echo ready; while :; do sleep 1; done"
    with children() as family:
        pid = family.start(["/bin/sh", "-c", stubborn], log).pid
        wait_until(lambda: log.read_text() == "ready\n", "the shell")
    assert not is_alive(pid)


def test_a_child_gets_a_process_group_of_its_own(
    family: Children, tmp_path: Path
) -> None:
    child = family.start(["/bin/sleep", "300"], tmp_path / "log")
    assert os.getpgid(child.pid) == child.pid


def test_waiting_has_a_deadline() -> None:
    with pytest.raises(Timeout, match=r"0\.05 s for the moon"):
        wait_until(lambda: False, "the moon", timeout_s=0.05)


def test_two_runs_never_share_addresses() -> None:
    with claim_addresses() as one, claim_addresses() as other:
        assert one.run != other.run
        assert one.pod(1) != other.pod(1)

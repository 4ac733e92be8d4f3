"""`pepmesh build --watch`: stays, builds what changes, keeps what is good."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from generator.cli.watching import changed, changes, snapshot
from tests.support.cli import files_below, program, run
from tests.support.meshes import policy

WATCH = ("build", "-f", "policies", "--out", "mesh.wasm", "--watch")
PATIENCE_S = 120


class Watching:
    """The running program, and the lines that it writes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: Queue[str] = Queue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.put(line)

    def line(self) -> str:
        return self.lines.get(timeout=PATIENCE_S)

    def interrupt(self) -> tuple[int, str]:
        """End it as Ctrl-C does; return its exit code and what is on stderr."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE_S)
        return code, self.process.stderr.read() if self.process.stderr else ""


@contextmanager
def watching(folder: Path) -> Iterator[Watching]:
    process = subprocess.Popen(
        program(*WATCH),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def test_builds_again_and_keeps_the_last_good_module(shop: Path) -> None:
    module, policies = shop / "mesh.wasm", shop / "policies" / "policies.yaml"
    good = policies.read_text()
    with watching(shop) as watched:
        assert " first build: " in watched.line()
        first = module.read_bytes()

        policies.write_text(good + policy("more", spec="{podSelector: {}}"))
        line = watched.line()
        assert " policies/policies.yaml: " in line and "sha256:" in line
        second = module.read_bytes()
        assert f"{len(second):,} bytes" in line and second != first

        policies.write_text("kind: [")
        assert "policies/policies.yaml: " in (line := watched.line())
        assert "nothing is written" in line
        assert module.read_bytes() == second

        policies.write_text(good)
        assert "sha256:" in watched.line()
        code, err = watched.interrupt()
    assert (code, err.count("INP0003")) == (0, 1)
    assert {p.name for p in shop.iterdir()} == {
        "policies",
        "mesh.wasm",
        "overlay.lock.yaml",
    }
    after = files_below(shop)
    assert run("build", "-f", "policies", "--out", "mesh.wasm").code == 0
    assert files_below(shop) == after


def test_the_lock_file_is_an_input(shop: Path) -> None:
    lock = shop / "overlay.lock.yaml"
    with watching(shop) as watched:
        watched.line()
        text = lock.read_text()
        row = next(line for line in text.split("\n") if '"cart"' in line)
        lock.write_text(text.replace(row, row.replace("{", '{"revoked": true, ', 1)))
        assert " overlay.lock.yaml: " in (line := watched.line()) and "sha256" in line
        assert watched.interrupt()[0] == 0
    assert '"revoked": true' in lock.read_text()


@pytest.mark.parametrize("more", [("-f", "-"), ("-o", "json")])
def test_what_it_does_not_go_with(shop: Path, more: tuple[str, str]) -> None:
    ran = run(*WATCH, *more)
    assert ran.code == 2 and "--watch" in ran.err
    assert not (shop / "mesh.wasm").exists()


def test_changes_are_seen_once_they_are_over(tmp_path: Path) -> None:
    """A file that is still being written is left alone until it stays the same."""
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_text("1")
    steps: Iterator[Callable[[], object]] = iter(
        [
            lambda: file.write_text("22"),
            lambda: file.write_text("333"),
            lambda: None,
            other.touch,
            lambda: None,
            other.unlink,
            lambda: None,
        ]
    )
    looks = []

    def sleep(_: float) -> None:
        looks.append(next(steps)())

    found = changes(lambda: [file, other], snapshot([file, other]), sleep)
    assert list(islice(found, 3)) == [[file], [other], [other]]
    assert len(looks) == 7


def test_a_file_that_is_replaced_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    before = snapshot([file])
    (tmp_path / "b").write_text("2")
    (tmp_path / "b").replace(file)
    assert changed(before, snapshot([file])) == [file]
    assert changed(before, before) == []

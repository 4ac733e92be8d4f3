"""Drive a real headless Chromium through its DevTools pipe; nothing else is needed.

Chromium reads commands from descriptor 3 and writes answers and events to descriptor
4, JSON that ends with a zero byte. It gets a profile of its own and a proxy that is
not there, so that whatever it wants from a network fails.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
MISSING: Final = (
    "Chromium is not installed, and the page of `simulate -o html` is tested in it: "
    "apt-get install chromium, or `make chromium`"
)
FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--remote-debugging-pipe", "--proxy-server=127.0.0.1:9"),
)
PATIENCE_S: Final = 60.0

Message = dict[str, Any]


class Chromium:
    """One page. `requests` and `complaints` have all that it asked for and said."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._buffer = b""
        self._last_id = 0
        self._session = ""
        self._events: list[Message] = []

    def open(self, path: Path) -> None:
        """Load a file in a new page, and wait until it is loaded."""
        self._session, self._events = "", []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        found = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=path.as_uri())
        while not self._named("Page.loadEventFired"):
            self._read()

    def call(self, method: str, **parameters: object) -> Message:
        """Send a command and return its answer."""
        self._last_id += 1
        message: Message = {"id": self._last_id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._last_id:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: Message = answer["result"]
                return result

    def ask(self, expression: str) -> Any:
        """Return the value of an expression in the page; promises are awaited."""
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key)

    @property
    def requests(self) -> list[str]:
        """The addresses of everything that the page asked for."""
        found = self._named("Network.requestWillBeSent")
        return [event["params"]["request"]["url"] for event in found]

    @property
    def complaints(self) -> list[Message]:
        """Everything on the console, exceptions, and what the browser has to say."""
        kinds = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [e for k in (*kinds, "Log.entryAdded") for e in self._named(k)]

    def _named(self, method: str) -> list[Message]:
        return [event for event in self._events if event.get("method") == method]

    def _read(self) -> Message:
        """Return the next message; events are kept too."""
        deadline = time.monotonic() + PATIENCE_S
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._from], [], [], max(left, 0))
            data = os.read(self._from, 1 << 16) if ready else b""
            assert data, "Chromium does not answer"
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: Message = json.loads(text)
        if "id" not in message:
            self._events.append(message)
        return message


def find_program() -> str:
    """Return the path of Chromium. Fails, and never skips, where there is none."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert found is not None, MISSING
    return found


@contextmanager
def running_chromium(folder: Path) -> Iterator[Chromium]:
    """Start Chromium with an empty profile below a folder; end it afterwards."""
    program = find_program()
    their_input, our_output = os.pipe()
    our_input, their_output = os.pipe()
    pid = _spawn(program, folder, their_input, their_output)
    os.close(their_input)
    os.close(their_output)
    try:
        yield Chromium(our_output, our_input)
    finally:
        os.close(our_output)
        os.close(our_input)
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _spawn(program: str, folder: Path, reader: int, writer: int) -> int:
    profile = folder / "profile"
    arguments = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    # Away from 3 and 4 first: they may be one of the two themselves.
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (reader, writer)]
    log = os.open(folder / "chromium.log", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        return os.posix_spawn(
            program,
            arguments,
            {**os.environ, "HOME": str(folder)},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, high[0], 3),
                (os.POSIX_SPAWN_DUP2, high[1], 4),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setpgroup=0,
        )
    finally:
        for fd in (*high, log):
            os.close(fd)

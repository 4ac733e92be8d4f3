"""A thread that does one turn after another, as long as a block lasts."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self


class Background:
    """What fails in a turn ends the thread, and is raised where the block ends."""

    def __init__(self, name: str) -> None:
        self._is_over = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self.check()

    def turn(self) -> None:
        """Do one turn."""
        raise NotImplementedError

    def finish(self) -> None:
        """Clean up after the last turn, whether it failed or not."""

    def check(self) -> None:
        """Raise what failed."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._is_over.is_set():
                self.turn()
        except BaseException as failure:  # noqa: BLE001 - raised to who waits
            self._failure = failure
        finally:
            self.finish()

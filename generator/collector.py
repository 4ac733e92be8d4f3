"""Pause Python's cyclic collector: trees, models and tables have no cycles.

It would look at every live object again and again: a third of the time of a build. A
pause alone only puts that off, since what was made meanwhile is new to the collector
when it goes on; so whoever has built takes that out of its sight.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause it, unless it is off already."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def forget_objects() -> None:
    """Take all objects out of the collector's sight: they go with their last reference.

    Cycles among them that are garbage already stay for ever.
    """
    gc.freeze()


def collect_and_forget() -> None:
    """Collect the garbage of objects made since the last time, then forget the rest.

    For a moment when nobody waits.
    """
    gc.collect()
    gc.freeze()

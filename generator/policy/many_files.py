"""Read many files in several processes: what one says does not depend on the others.

Part of `load`. Worth it from some megabytes on, since what was read has to be brought
back; below, and where there is one core, files are read here. The result is the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from signal import SIG_IGN, SIGINT, signal
from typing import Any, Final

from generator.collector import paused_collector
from generator.policy.contents import Contents, read_contents
from generator.source import SourceFile

WORTH_IT: Final = 4_000_000
"""Characters of text, of all files together."""

PIECES: Final = 8
"""Per process: the last ones to finish should not be waited for long."""


def read_many(
    files: Sequence[SourceFile], default_namespace: str
) -> Iterator[Contents]:
    """Yield what each file says, in their order. Nothing is raised."""
    processes = min(os.cpu_count() or 1, len(files))
    if processes < 2 or sum(len(file.text) for file in files) < WORTH_IT:
        for file in files:
            yield read_contents(file, default_namespace)
        return
    # A fork of a process with threads can hang, so the workers start from nothing.
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    # Ctrl-C is for the one who waits.
    quiet: dict[str, Any] = {"initializer": signal, "initargs": (SIGINT, SIG_IGN)}
    with ProcessPoolExecutor(processes, mp_context=context, **quiet) as pool:
        pieces = _split(files, processes * PIECES)
        namespaces = [default_namespace] * len(pieces)
        for contents in pool.map(_read_piece, pieces, namespaces):
            yield from contents


def _split(files: Sequence[SourceFile], count: int) -> list[Sequence[SourceFile]]:
    size = -(-len(files) // count)
    return [files[start : start + size] for start in range(0, len(files), size)]


def _read_piece(files: Sequence[SourceFile], default_namespace: str) -> list[Contents]:
    with paused_collector():
        return [read_contents(file, default_namespace) for file in files]

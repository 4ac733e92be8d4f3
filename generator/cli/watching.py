"""Notice changes of files by looking again and again.

Portable, and right on network and container file systems where the kernel's notices do
not arrive. A change is another set of files, or another time, size or inode of one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

INTERVAL_S: Final = 0.5

_State = tuple[int, int, int]
Snapshot = Mapping[Path, _State]


def snapshot(files: Iterable[Path]) -> Snapshot:
    """Return the state of files; those that are not there are left out."""
    found: dict[Path, _State] = {}
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        found[file] = status.st_mtime_ns, status.st_size, status.st_ino
    return found


def changed(before: Snapshot, after: Snapshot) -> list[Path]:
    """Return the files that differ, sorted."""
    return sorted(
        file
        for file in before.keys() | after.keys()
        if before.get(file) != after.get(file)
    )


def changes(
    list_files: Callable[[], Iterable[Path]],
    first: Snapshot,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[list[Path]]:
    """Yield the files that changed since `first`, whenever some have.

    A change is yielded once it has been the same at two looks: editors and tools write
    in several steps.
    """
    known = seen = first
    while True:
        sleep(INTERVAL_S)
        now = snapshot(list_files())
        if now == seen and now != known:
            found = changed(known, now)
            known = now
            yield found
        seen = now

"""`pepmesh build --watch`: build, wait for a change, build again.

One line per build on stdout: when, what changed, how long it took, and what came of it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from generator.build import Built
from generator.cli.building import Builder
from generator.cli.output import write
from generator.cli.reporting import keep, print_findings
from generator.cli.watching import changes, snapshot
from generator.collector import collect_and_forget, paused_collector
from generator.errors import ToolError
from generator.policy.files import list_files


def keep_building(builder: Builder) -> None:
    """Build until somebody interrupts, which is the way to end it.

    What is wrong is printed, and the last files stay. Raises: nothing that a person can
    repair in a manifest.
    """
    places = builder.places

    def watched() -> list[Path]:
        found = list_files(places.paths, recursive=places.recursive)
        return [*found, places.lock]

    try:
        with paused_collector():
            first = snapshot(watched())
            _build(builder, [])
            for found in changes(watched, first):
                is_ours = _is_ours(builder)
                foreign = [f for f in found if f != places.lock or not is_ours]
                if foreign:
                    _build(builder, foreign)
    except KeyboardInterrupt:
        return


def _is_ours(builder: Builder) -> bool:
    """Tell whether the lock file is as it was written here."""
    path = builder.places.lock
    try:
        return builder.written.get(path) == path.read_bytes()
    except OSError:
        return False


def _build(builder: Builder, changed: Sequence[Path]) -> None:
    head = f"{time.strftime('%H:%M:%S')} {_what(changed)}"
    before = builder.written
    start = time.perf_counter()
    try:
        built = builder.build()
    except ToolError as error:
        keep(builder.session, error)
        ending = "nothing is written"
    else:
        is_new = builder.written != before
        ending = _result(built) if is_new else "no rule and no id is different"
    print_findings(builder.session)
    write(f"{head}: {time.perf_counter() - start:.2f} s, {ending}")
    collect_and_forget()


def _what(changed: Sequence[Path]) -> str:
    if not changed:
        return "first build"
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return f"{changed[0]}{more}"


def _result(built: Built) -> str:
    return f"{len(built.module):,} bytes, {built.digest}"

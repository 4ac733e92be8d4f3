"""Two branches of a lock file merge row by row, or fail loudly; nothing is renumbered.

The merges are git's own.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from generator.errors import OverlayError
from generator.overlay.build import build_overlay
from generator.overlay.lock import Lock, revoke
from generator.overlay.lock_reader import read_lock
from generator.overlay.lock_writer import write_lock
from generator.policy.model import Member, Model
from generator.source import SourceFile
from tests.overlay.shapes import member, model, selecting
from tests.overlay.strategies import models
from tests.overlay.test_lock_update import check_step

SHOP = [member(name) for name in ("cart", "db", "mail", "search", "web")]


def lock_of(found: Model, before: Lock | None = None) -> Lock:
    return build_overlay(found, before, name="shop")[1]


def app_model(*members: Member) -> Model:
    return model(*members, selecting("app"))


def merge(base: Lock, ours: Lock, theirs: Lock, *options: str) -> str:
    """Return what `git merge` would leave in the working tree."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, lock in (("ours", ours), ("base", base), ("theirs", theirs)):
            paths.append(Path(folder, name))
            paths[-1].write_text(write_lock(lock))
        command = ["git", "merge-file", "-p", *options, *map(str, paths)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode < 128, run.stderr
        return run.stdout


def read(text: str) -> Lock:
    return read_lock(SourceFile("overlay.lock.yaml", text))


BASE = lock_of(app_model(*SHOP))


def test_distant_rows_merge() -> None:
    ours = lock_of(app_model(*SHOP[1:]), BASE)
    theirs = revoke(BASE, 4)
    merged = read(merge(BASE, ours, theirs))
    assert merged == revoke(ours, 4)


def test_the_same_addition_on_both_branches_merges() -> None:
    both = lock_of(app_model(*SHOP, member("pay")), BASE)
    theirs = revoke(both, 1)
    assert read(merge(BASE, both, theirs)) == theirs


def test_two_additions_conflict_and_the_markers_are_found() -> None:
    ours = lock_of(app_model(*SHOP, member("pay")), BASE)
    theirs = lock_of(app_model(*SHOP, member("ship")), BASE)
    with pytest.raises(OverlayError, match="OVL0016"):
        read(merge(BASE, ours, theirs))


def test_taking_both_sides_of_a_conflict_is_found() -> None:
    ours = lock_of(app_model(*SHOP, member("pay")), BASE)
    theirs = lock_of(app_model(*SHOP, member("ship")), BASE)
    with pytest.raises(OverlayError, match="OVL0013") as caught:
        read(merge(BASE, ours, theirs, "--union"))
    problems = caught.value.diagnostics
    assert [p.message for p in problems] == [
        "id 6 is given twice in workloads",
        "id 6 is given twice in targets",
    ]
    for problem in problems:
        (note,) = problem.notes
        assert problem.span and note.span
        assert problem.span.start.line == note.span.start.line + 1


def test_one_workload_with_two_ids_is_found() -> None:
    pay, ship = member("pay"), member("ship")
    ours = lock_of(app_model(*SHOP, ship), BASE)
    theirs = lock_of(app_model(*SHOP, pay), BASE)
    theirs = lock_of(app_model(*SHOP, pay, ship), theirs)
    with pytest.raises(OverlayError, match="OVL0015") as caught:
        read(merge(BASE, ours, theirs, "--union"))
    messages = [p.message for p in caught.value.diagnostics]
    assert "rows 6 and 7 of workloads describe one thing" in messages


@pytest.mark.parametrize("options", [(), ("--union",), ("--ours",)])
@given(models(), models(), models(), st.integers(0, 6))
def test_merges_are_whole_or_loud(
    options: tuple[str, ...], base: Model, one: Model, two: Model, revoked: int
) -> None:
    start = lock_of(base)
    ours, theirs = lock_of(one, start), lock_of(two, start)
    if any(row.id == revoked for row in theirs.workloads):
        theirs = revoke(theirs, revoked)
    try:
        merged = read(merge(start, ours, theirs, *options))
    except OverlayError as error:
        event(f"loud: {error.diagnostics[0].code}")
        return
    event("whole")
    for section in ("realms", "workloads", "targets"):
        names = [
            {row.id: row.name for row in getattr(lock, section)}
            for lock in (ours, theirs)
        ]
        for row in getattr(merged, section):
            assert row.name in (names[0].get(row.id), names[1].get(row.id))
    for found in (base, one, two):
        check_step(merged, found)

"""What `diff` compares: manifests, a git revision of them, or a built module.

    text -> Input (texts, or the bytes of a module) -> Side

The side before is what was: what there is to warn about it is not said any more.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

from generator.analysis.diff.sides import Side, member_networks, mesh_side, module_side
from generator.analysis.engine import Engine
from generator.build import DEFAULT_OVERLAY, build_mesh
from generator.cli.files import read_bytes, read_source
from generator.cli.inputs import check_ties, shorten
from generator.cli.revision_manifests import (
    read_revision,
    top_around,
    tree_path,
    without_submodules,
)
from generator.cli.revisions import Revision, common_ancestor, open_revision
from generator.cli.session import Session
from generator.errors import Diagnostic
from generator.overlay.lock import Lock
from generator.overlay.lock_reader import read_lock
from generator.policy.files import read_files
from generator.policy.findings import Findings
from generator.policy.load import LoadError, load_sources
from generator.policy.model import Model
from generator.source import SourceFile

MAGIC: Final = b"\0asm"


@dataclass(frozen=True, slots=True)
class Input:
    """One side as it was read. Either `module` or `files`."""

    title: str
    files: tuple[SourceFile, ...] = ()
    module: bytes | None = None
    lock: Lock | None = None


# --- reading -------------------------------------------------------------------------


def read_input(
    session: Session, text: str, lock_path: Path | None, *, recursive: bool
) -> Input:
    """Read what a person names: a file or folder, a module, `-`, or REV:PATH."""
    if ":" in text and not _is_there(Path(text)):
        name, _, path = text.partition(":")
        return _read_named(session, name, path, lock_path, recursive)
    lock = _read_lock(session, lock_path)
    if text != "-" and _is_module(Path(text)):
        return Input(text, module=read_bytes(Path(text)), lock=lock)
    return Input(text, _read_paths(session, (text,), recursive), lock=lock)


def _read_named(
    session: Session, name: str, path: str, lock_path: Path | None, recursive: bool
) -> Input:
    """Read REV:PATH, where PATH is from the top unless it starts with a dot."""
    top = top_around(".")
    revision = open_revision(top, name)
    here = tree_path(top, path) if path.startswith(".") else path.rstrip("/")
    lock = _read_old_lock(session, revision, lock_path)
    title = revision.title(path)
    if revision.has_file(revision.followed(here)):
        data = revision.read(here)
        if data.startswith(MAGIC):
            return Input(title, module=data, lock=lock)
    files = _of_revision(session, revision, (here,), recursive)
    return Input(title, files, lock=lock)


def read_revisions(
    session: Session,
    spec: str,
    paths: tuple[str, ...],
    lock_path: Path | None,
    *,
    recursive: bool,
) -> tuple[Input, Input]:
    """Read REV and the working tree, REV1..REV2, or REV1...REV2: since they parted."""
    top = top_around(paths[0])
    places = tuple(tree_path(top, path) for path in paths)
    one, dots, other = spec.partition("..")
    old = one or "HEAD"
    if other.startswith("."):
        other = other[1:]
        old = common_ancestor(top, old, other or "HEAD")
    before = _at(session, open_revision(top, old), places, lock_path, recursive)
    if dots:
        revision = open_revision(top, other or "HEAD")
        return before, _at(session, revision, places, lock_path, recursive)
    files = _read_paths(session, paths, recursive)
    files = without_submodules(files, top)
    lock = _read_lock(session, lock_path)
    return before, Input("the working tree", files, lock=lock)


def _at(
    session: Session,
    revision: Revision,
    places: tuple[str, ...],
    lock_path: Path | None,
    recursive: bool,
) -> Input:
    files = _of_revision(session, revision, places, recursive)
    lock = _read_old_lock(session, revision, lock_path)
    return Input(revision.name, files, lock=lock)


def _of_revision(
    session: Session, revision: Revision, places: tuple[str, ...], recursive: bool
) -> tuple[SourceFile, ...]:
    with session.progress(f"reading {revision.name}"):
        files, notes = read_revision(revision, places, recursive=recursive)
    session.report(notes)
    return files


def _read_paths(
    session: Session, paths: tuple[str, ...], recursive: bool
) -> tuple[SourceFile, ...]:
    findings = Findings()
    stdin = None
    if "-" in paths:
        stdin = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")
    names = [shorten(path) for path in paths]
    with session.progress("reading manifests"):
        files = read_files(names, findings, recursive=recursive, stdin=stdin)
    if findings.has_errors:
        raise LoadError(findings.sorted(), {file.name: file for file in files})
    session.report(findings.sorted())
    return files


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _is_module(path: Path) -> bool:
    return path.is_file() and read_bytes(path).startswith(MAGIC)


def _read_lock(session: Session, path: Path | None) -> Lock | None:
    return None if path is None else _parsed(session, read_source(path))


def _read_old_lock(
    session: Session, revision: Revision, path: Path | None
) -> Lock | None:
    """Read the lock file as it was; None if it was not there yet."""
    if path is None:
        return None
    place = tree_path(revision.top, str(path))
    if not revision.has_file(place):
        return None
    text = revision.read(place).decode(errors="replace")
    return _parsed(session, SourceFile(revision.title(place), text))


def _parsed(session: Session, source: SourceFile) -> Lock:
    session.remember({source.name: source})
    return read_lock(source)


# --- building ------------------------------------------------------------------------


def open_sides(session: Session, before: Input, after: Input) -> tuple[Side, Side]:
    """Make both sides answer.

    A module may have ranges where only members live: what is built here to be compared
    with it gets the same.
    """
    engines = [Engine(i.module) if i.module else None for i in (before, after)]
    networks = tuple(
        network
        for engine in engines
        if engine is not None
        for network in member_networks(engine.table)
    )
    return (
        _open(session, before, engines[0], networks, is_before=True),
        _open(session, after, engines[1], networks, is_before=False),
    )


def _open(
    session: Session,
    given: Input,
    engine: Engine | None,
    networks: tuple[IPv4Network, ...],
    *,
    is_before: bool,
) -> Side:
    if engine is not None:
        return module_side(given.title, engine)
    model = _load(session, given, is_before)
    name = given.lock.name if given.lock else DEFAULT_OVERLAY
    with session.progress("building the module"):
        built = build_mesh(model, given.lock, name=name, member_cidrs=networks)
    if not is_before:
        session.report(built.diagnostics)
    return mesh_side(given.title, Engine(built.module), built.overlay)


def _load(session: Session, given: Input, is_before: bool) -> Model:
    """Load manifests. Ties are an error only where somebody can still mend them."""
    session.remember({file.name: file for file in given.files})
    loaded = load_sources(given.files)
    if is_before:
        return loaded.model
    session.report(loaded.diagnostics)
    check_ties(session, loaded.model)
    return loaded.model


def notes_of(notes: tuple[str, ...]) -> list[Diagnostic]:
    return [Diagnostic("RUN0045", note) for note in notes]

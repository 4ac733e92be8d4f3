"""Read what commands work on: manifests and lock file, and build what is forgotten."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

from generator.build import DEFAULT_OVERLAY, Built, build_mesh
from generator.cli.files import read_source
from generator.cli.session import Session
from generator.errors import PolicyError
from generator.overlay.lock import Lock
from generator.overlay.lock_reader import read_lock
from generator.policy.load import LoadMemory, load_model
from generator.policy.model import Model
from generator.policy.ties import find_ties


def read_model(
    session: Session,
    paths: tuple[str, ...],
    recursive: bool,
    memory: LoadMemory | None = None,
) -> Model:
    """Load manifests; keep their texts and what there is to say about them."""
    names = [shorten(path) for path in paths]
    stdin = None
    if "-" in paths:
        stdin = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")
    with session.progress("reading manifests"):
        loaded = load_model(names, recursive=recursive, stdin=stdin, memory=memory)
    session.remember(loaded.sources)
    session.report(loaded.diagnostics)
    check_ties(session, loaded.model)
    return loaded.model


def check_ties(session: Session, model: Model) -> None:
    """Raises: PolicyError POL0041, unless somebody said to go on: then warn."""
    ties = find_ties(model)
    if ties and "POL0041" not in session.suppressed:
        raise PolicyError(ties)
    session.report(replace(tie, is_suppressed=True) for tie in ties)


def shorten(path: str) -> str:
    """Spell a path below the current folder relative to it.

    Rules carry the names of their files, so one mesh should have one spelling.
    """
    parts = Path(path)
    if path == "-" or ".." in parts.parts:
        return path
    try:
        return str(parts.relative_to(Path.cwd()) if parts.is_absolute() else parts)
    except ValueError:
        return path


def read_lock_file(session: Session, path: Path) -> Lock:
    source = read_source(path)
    session.remember({source.name: source})
    return read_lock(source)


def build_throw_away(session: Session, model: Model, lock: Lock | None) -> Built:
    """Build a module to ask and to forget; without a lock file with any ids."""
    name = lock.name if lock else DEFAULT_OVERLAY
    with session.progress("building the module"):
        built = build_mesh(model, lock, name=name)
    session.report(built.diagnostics)
    return built

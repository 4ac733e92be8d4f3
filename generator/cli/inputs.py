"""Read what commands work on: manifests, lock file, and the module made of them."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from generator.analysis.engine import Engine
from generator.analysis.errors import QuestionError
from generator.build import DEFAULT_OVERLAY, Built, build_mesh
from generator.cli.files import read_bytes, read_source
from generator.cli.session import Session
from generator.errors import PolicyError
from generator.overlay.build import build_overlay
from generator.overlay.lock import Lock
from generator.overlay.lock_reader import read_lock
from generator.overlay.model import Overlay
from generator.policy.load import ContentsMemory, load_model
from generator.policy.model import Model
from generator.policy.ties import find_ties
from generator.table.build import DIGEST_BYTES


@dataclass(frozen=True, slots=True)
class Mesh:
    """A module ready to answer, and the model and overlay that give it names."""

    engine: Engine
    model: Model
    overlay: Overlay


def read_model(
    session: Session,
    paths: tuple[str, ...],
    recursive: bool,
    memory: ContentsMemory | None = None,
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


def open_mesh(
    session: Session, model: Model, lock_path: Path | None, module_path: Path | None
) -> Mesh:
    """Make an engine of a built module, or of one made here."""
    lock = read_lock_file(session, lock_path) if lock_path else None
    if module_path is None:
        built = build_throw_away(session, model, lock)
        return Mesh(Engine(built.module), model, built.overlay)
    engine = Engine(read_bytes(module_path))
    name = lock.name if lock else DEFAULT_OVERLAY
    overlay, _, diagnostics = build_overlay(model, lock, name=name)
    session.report(diagnostics)
    _check_fit(engine, overlay, module_path)
    return Mesh(engine, model, overlay)


def _check_fit(engine: Engine, overlay: Overlay, path: Path) -> None:
    """Refuse a module whose numbers mean something else.

    Raises: QuestionError RUN0012.
    """
    mine = {w.id: w.digest[:DIGEST_BYTES] for w in overlay.workloads}
    theirs = {row.id: row.digest for row in engine.table.workloads}
    if mine != theirs or overlay.id != engine.table.overlay_id:
        message = f"{path} has other workloads than the manifests and the lock file"
        raise QuestionError.of("RUN0012", message)

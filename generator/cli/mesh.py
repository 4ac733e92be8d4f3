"""Open a mesh to ask it: a module that runs, and what gives its numbers names.

Apart from `inputs`, since a build needs no wasmtime, which takes a while to import.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from generator.analysis.engine import Engine
from generator.analysis.errors import QuestionError
from generator.build import DEFAULT_OVERLAY
from generator.cli.files import read_bytes
from generator.cli.inputs import build_throw_away, read_lock_file
from generator.cli.session import Session
from generator.overlay.build import build_overlay
from generator.overlay.model import Overlay
from generator.policy.model import Model
from generator.table.build import DIGEST_BYTES


@dataclass(frozen=True, slots=True)
class Mesh:
    """A module ready to answer, and the model and overlay that give it names."""

    engine: Engine
    model: Model
    overlay: Overlay


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

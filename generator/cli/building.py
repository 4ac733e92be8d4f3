"""Build once, or again: read manifests and lock file, write module and lock file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from filters.bundle import MAX_KEYS
from generator.build import DEFAULT_OVERLAY, Built, Memory, build_mesh
from generator.cli.files import read_bytes, write_files
from generator.cli.inputs import read_lock_file, read_model
from generator.cli.session import Session
from generator.collector import paused_collector
from generator.memory import Last
from generator.overlay.lock import Lock
from generator.overlay.lock_writer import LockTextMemory, write_lock


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything comes from and goes to."""

    paths: tuple[str, ...]
    recursive: bool
    module: Path
    lock: Path


@dataclass
class Builder:
    """Builds one overlay, and remembers of it what saves time."""

    session: Session
    places: Places
    name: str | None
    overlay_id: int | None
    member_cidrs: Sequence[IPv4Network]
    max_keys: int = MAX_KEYS
    memory: Memory = field(default_factory=Memory)
    lock_texts: LockTextMemory = field(default_factory=LockTextMemory)
    lock_text: Last[bytes] = field(default_factory=Last)
    written: dict[Path, bytes] = field(default_factory=dict)
    last_lock: Lock | None = None

    def build(self) -> Built:
        """Build, and write both files if something in them is new.

        Raises: ToolError; then nothing is written.
        """
        with paused_collector():
            return self._build()

    def _build(self) -> Built:
        session, places = self.session, self.places
        model = read_model(session, places.paths, places.recursive, self.memory.load)
        lock = self._read_lock()
        with session.progress("building the module"):
            built = build_mesh(
                model,
                lock,
                name=self.name or (lock.name if lock else DEFAULT_OVERLAY),
                overlay_id=self.overlay_id,
                member_cidrs=self.member_cidrs,
                max_keys=self.max_keys,
                memory=self.memory,
            )
        session.report(built.diagnostics)
        text = self.lock_text.get(
            built.lock, lambda: write_lock(built.lock, self.lock_texts).encode()
        )
        # The lock file first: a module without its ids would be renumbered.
        files = {places.lock: text, places.module: built.module}
        if files != self.written:
            write_files(files)
        self.written, self.last_lock = files, built.lock
        return built

    def _read_lock(self) -> Lock | None:
        """Read the lock file, unless it is the one that was written here."""
        path = self.places.lock
        if not path.exists():
            return None
        if self.last_lock and read_bytes(path) == self.written[path]:
            return self.last_lock
        return read_lock_file(self.session, path)

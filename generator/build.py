"""Build a mesh: the whole way from a model to the module that Envoy loads.

    manifests -> model -> overlay -> rule table -> module

Same inputs, same bytes. Nothing is written here; the caller decides what becomes a
file, and writes all of it or none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

import filters
from generator.collector import paused_collector
from generator.compiler import Program, link_program, prepare_file
from generator.errors import Diagnostic
from generator.memory import Last
from generator.overlay.build import build_overlay, overlay_inputs
from generator.overlay.lock import Lock
from generator.overlay.model import Overlay
from generator.policy.load import ContentsMemory
from generator.policy.model import Model
from generator.table.build import build_table
from generator.table.encode import encode_table
from generator.table.model import RuleTable

DEFAULT_OVERLAY: Final = "mesh"
FILTER: Final = Path(filters.__file__).parent / "pep.py"
ARENA_BYTES: Final = 72 * 1024
"""Room for what the host returns in one callback: a configuration, the environment, or
a request's headers, of which Envoy by default takes 60 KiB."""


class Memory:
    """What one build leaves to the next one of the same overlay."""

    def __init__(self) -> None:
        self.contents = ContentsMemory()
        self.overlay: Last[tuple[Overlay, Lock, tuple[Diagnostic, ...]]] = Last()


@dataclass(frozen=True)
class Built:
    """A module with its table, and the overlay and lock file that it agrees with."""

    module: bytes
    table_bytes: bytes
    table: RuleTable
    overlay: Overlay
    lock: Lock
    diagnostics: tuple[Diagnostic, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the rule table, which names the policy that is enforced."""
        return table_digest(self.table_bytes)


def build_mesh(
    model: Model,
    lock: Lock | None = None,
    *,
    name: str = DEFAULT_OVERLAY,
    overlay_id: int | None = None,
    member_cidrs: Sequence[IPv4Network] = (),
    memory: Memory | None = None,
) -> Built:
    """Build the module of an overlay; without a lock file ids are throw-away.

    With a `memory` of earlier builds it takes less time; the result is the same.
    Raises: ToolError of the step that found something wrong.
    """
    with paused_collector():
        memory = memory or Memory()
        overlay, new_lock, diagnostics = memory.overlay.get(
            (lock, name, overlay_id, overlay_inputs(model)),
            lambda: build_overlay(model, lock, name=name, overlay_id=overlay_id),
        )
        table = build_table(model, overlay, member_cidrs)
        table_bytes = encode_table(table)
        module = compile_filter(table_bytes)
    return Built(module, table_bytes, table, overlay, new_lock, diagnostics)


def compile_filter(table_bytes: bytes) -> bytes:
    """Compile the filter around a table."""
    embedded = {"table": table_bytes} if table_bytes else {}
    linked = link_program(_filter(), embedded=embedded, arena_bytes=ARENA_BYTES)
    return linked.to_bytes()


@cache
def _filter() -> Program:
    """Compile the filter once: tables differ, its code does not."""
    return prepare_file(FILTER)


def table_digest(table_bytes: bytes) -> str:
    return "sha256:" + hashlib.sha256(table_bytes).hexdigest()

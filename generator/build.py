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
from filters.bundle import MAX_KEYS, ROW_BYTES
from generator.collector import paused_collector
from generator.compiler import Program, link_program, prepare_file
from generator.errors import Diagnostic
from generator.memory import Last
from generator.overlay.build import OverlayMemory, build_overlay, overlay_inputs
from generator.overlay.lock import Lock
from generator.overlay.model import Overlay
from generator.policy.load import LoadMemory
from generator.policy.model import Model
from generator.table.build import TableMemory, build_table
from generator.table.encode import EncodingMemory, encode_table
from generator.table.model import RuleTable

DEFAULT_OVERLAY: Final = "mesh"
FILTER: Final = Path(filters.__file__).parent / "pep.py"
ARENA_BYTES: Final = 72 * 1024
"""Room for what the host returns in one callback: a configuration, the environment, or
a request's headers, of which Envoy by default takes 60 KiB. More keys take more."""


class Memory:
    """What one build leaves to the next one of the same overlay."""

    def __init__(self) -> None:
        self.load = LoadMemory()
        self.numbered: Last[tuple[Overlay, Lock, tuple[Diagnostic, ...]]] = Last()
        self.overlay = OverlayMemory()
        self.table = TableMemory()
        self.encoding = EncodingMemory()


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
    max_keys: int = MAX_KEYS,
    memory: Memory | None = None,
) -> Built:
    """Build the module of an overlay; without a lock file ids are throw-away.

    `max_keys` are those that one workload may hold; each takes 133 bytes of memory.
    With a `memory` of earlier builds it takes less time; the result is the same.
    Raises: ToolError of the step that found something wrong.
    """
    with paused_collector():
        memory = memory or Memory()
        inputs = overlay_inputs(model, memory.overlay)
        overlay, new_lock, diagnostics = memory.numbered.get(
            (lock, name, overlay_id, inputs),
            lambda: build_overlay(
                model, lock, name=name, overlay_id=overlay_id, memory=memory.overlay
            ),
        )
        table = build_table(model, overlay, member_cidrs, memory.table)
        table_bytes = encode_table(table, memory.encoding)
        module = compile_filter(table_bytes, max_keys)
    return Built(module, table_bytes, table, overlay, new_lock, diagnostics)


def compile_filter(table_bytes: bytes, max_keys: int = MAX_KEYS) -> bytes:
    """Compile the filter around a table."""
    embedded = {"table": table_bytes} if table_bytes else {}
    arena_bytes = ARENA_BYTES + _text_bytes(max(0, max_keys - MAX_KEYS))
    linked = link_program(_filter(max_keys), embedded=embedded, arena_bytes=arena_bytes)
    return linked.to_bytes()


@cache
def _filter(max_keys: int) -> Program:
    """Compile the filter once: tables differ, its code does not."""
    return prepare_file(FILTER, constants={"filters.bundle.MAX_KEYS": max_keys})


def _text_bytes(keys: int) -> int:
    """Return what keys take in a configuration: base64, of 4 letters for 3 bytes."""
    return -(-keys * ROW_BYTES // 3) * 4


def table_digest(table_bytes: bytes) -> str:
    return "sha256:" + hashlib.sha256(table_bytes).hexdigest()

"""Write `overlay.lock.yaml`, and compute the check of its rows.

Where in the pipeline: `Lock -> text`; `lock_reader` is the way back. One row per line,
sorted by id, so that version control merges row by row. Same lock, same bytes:

    - {"id": 7, "namespace": "shop", "serviceAccount": "cart", "labels":
       {"app": "cart"}, "check": "1f2e3d4c"}        (on one line)

A row is JSON, which is YAML in flow style and fast to read (`row_lines`). Names
are plain (OVL0004), so that no reader takes one for a number or needs an escape.

`check` is the first 8 hex digits of the SHA-256 of a JSON list: overlay id, section,
id, and the row's names (for a workload with its labels, which only `update` rewrites).
It finds a changed id or name and a row of another overlay. It is no signature.
`retired` and `revoked` are outside it: people set the second.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from json.encoder import encode_basestring
from typing import Final

from generator.memory import Attached
from generator.overlay.lock import Lock, RealmRow, TargetRow, WorkloadRow
from generator.overlay.model import DEFAULT_CLUSTER
from generator.overlay.naming import overlay_id_text
from generator.overlay.nodes import API_VERSION

LOCK_KIND: Final = "OverlayLock"
_quoted: Final = encode_basestring
"""Spells a text as JSON does. Rows are put together by hand, since there are many."""

Row = RealmRow | WorkloadRow | TargetRow

_HEAD: Final = """\
# Made by pepmesh. Keep it in version control: an id is given once and never again.
# By hand only this: `revoked: true` in a workload's row.
"""


class LockTextMemory:
    """The text of rows, by section and row; all of one overlay.

    Rows never change; what is in their text but not in them is the overlay's id.
    """

    def __init__(self) -> None:
        self._texts: dict[str, Attached[Row, str]] = {}
        self._overlay_id: int | None = None

    def texts(self, section: str, rows: Iterable[Row], overlay_id: int) -> list[str]:
        if overlay_id != self._overlay_id:
            self._texts.clear()
            self._overlay_id = overlay_id
        known = self._texts.setdefault(section, Attached())
        return known.get_all(rows, lambda row: _row(row, overlay_id))


def write_lock(lock: Lock, memory: LockTextMemory | None = None) -> str:
    """Return the text of a lock file."""
    memory = LockTextMemory() if memory is None else memory
    number = overlay_id_text(lock.overlay_id)
    check = overlay_check(lock.overlay_id, lock.name)
    overlay = {"name": lock.name, "id": number, "check": check}
    sections: dict[str, tuple[Row, ...]] = {
        "realms": lock.realms,
        "workloads": lock.workloads,
        "targets": lock.targets,
    }
    lines = [
        _HEAD + f"apiVersion: {API_VERSION}",
        f"kind: {LOCK_KIND}",
        f"overlay: {json.dumps(overlay, ensure_ascii=False)}",
        _block("labelKeys", map(_quoted, lock.label_keys)),
        *(
            _block(name, memory.texts(name, rows, lock.overlay_id))
            for name, rows in sections.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def overlay_check(overlay_id: int, name: str) -> str:
    """Return the check of the file's own name and id."""
    return _check_of(overlay_id, f'"overlay",{_quoted(name)}')


def row_check(overlay_id: int, row: Row) -> str:
    """Return the check of a row."""
    match row:
        case RealmRow(number, name):
            names = ",".join(map(_quoted, name))
            return _check_of(overlay_id, f'"realms",{number},{names}')
        case WorkloadRow(number, (cluster, namespace, account, labels)):
            names = ",".join(map(_quoted, (cluster, namespace, account)))
            pairs = "".join(f",[{_quoted(k)},{_quoted(v)}]" for k, v in labels)
            return _check_of(overlay_id, f'"workloads",{number},{names}{pairs}')
        case TargetRow(number, target):
            names = ",".join(map(_quoted, target))
            return _check_of(overlay_id, f'"targets",{number},{names}')


def _check_of(overlay_id: int, values: str) -> str:
    text = f'["{overlay_id_text(overlay_id)}",{values}]'
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _row(row: Row, overlay_id: int) -> str:
    check = row_check(overlay_id, row)
    return f'{{"id": {row.id}, {_names_of(row)}{_flags_of(row)}, "check": "{check}"}}'


def _names_of(row: Row) -> str:
    match row:
        case RealmRow(_, (cluster, namespace)):
            return f'{_cluster(cluster)}"namespace": {_quoted(namespace)}'
        case WorkloadRow(_, (cluster, namespace, account, labels)):
            pairs = ", ".join(f"{_quoted(k)}: {_quoted(v)}" for k, v in labels)
            names = f'{_cluster(cluster)}"namespace": {_quoted(namespace)}'
            account = f'"serviceAccount": {_quoted(account)}'
            return f'{names}, {account}, "labels": {{{pairs}}}'
        case TargetRow(_, (kind, namespace, name)):
            names = f'"namespace": {_quoted(namespace)}, "name": {_quoted(name)}'
            return f'"kind": {_quoted(kind)}, {names}'


def _cluster(name: str) -> str:
    return "" if name == DEFAULT_CLUSTER else f'"cluster": {_quoted(name)}, '


def _flags_of(row: Row) -> str:
    flags = ', "retired": true' if row.retired else ""
    if isinstance(row, WorkloadRow) and row.revoked:
        flags += ', "revoked": true'
    return flags


def _block(name: str, items: Iterable[str]) -> str:
    lines = [f"- {item}" for item in items]
    return "\n".join([f"{name}:", *lines]) if lines else f"{name}: []"

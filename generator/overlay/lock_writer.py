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
from typing import Final

from generator.overlay.lock import Lock, RealmRow, TargetRow, WorkloadRow
from generator.overlay.model import DEFAULT_CLUSTER
from generator.overlay.naming import overlay_id_text
from generator.overlay.nodes import API_VERSION

LOCK_KIND: Final = "OverlayLock"
_FLOW: Final = json.JSONEncoder(ensure_ascii=False)
_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
Row = RealmRow | WorkloadRow | TargetRow

_HEAD: Final = """\
# Made by pepmesh. Keep it in version control: an id is given once and never again.
# By hand only this: `revoked: true` in a workload's row.
"""


def write_lock(lock: Lock) -> str:
    """Return the text of a lock file."""
    overlay = {"name": lock.name, "id": overlay_id_text(lock.overlay_id)}
    check = overlay_check(lock.overlay_id, lock.name)
    lines = [
        _HEAD + f"apiVersion: {API_VERSION}",
        f"kind: {LOCK_KIND}",
        f"overlay: {_flow({**overlay, 'check': check})}",
        *_block("labelKeys", map(_flow, lock.label_keys)),
        *_rows("realms", lock.realms, lock.overlay_id),
        *_rows("workloads", lock.workloads, lock.overlay_id),
        *_rows("targets", lock.targets, lock.overlay_id),
    ]
    return "\n".join(lines) + "\n"


def overlay_check(overlay_id: int, name: str) -> str:
    """Return the check of the file's own name and id."""
    return _check_of(overlay_id, "overlay", name)


def row_check(overlay_id: int, row: Row) -> str:
    """Return the check of a row."""
    match row:
        case RealmRow(number, name):
            return _check_of(overlay_id, "realms", number, name.cluster, name.namespace)
        case WorkloadRow(number, identity):
            texts = (identity.cluster, identity.namespace, identity.service_account)
            values = (number, *texts, *identity.labels)
            return _check_of(overlay_id, "workloads", *values)
        case TargetRow(number, target):
            texts = (target.kind.value, target.namespace, target.name)
            return _check_of(overlay_id, "targets", number, *texts)


def _check_of(overlay_id: int, *values: object) -> str:
    listed = [overlay_id_text(overlay_id), *values]
    text = _COMPACT.encode(listed)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _rows(section: str, rows: Iterable[Row], overlay_id: int) -> list[str]:
    texts = []
    for row in rows:
        fields = {"id": row.id, **_names_of(row), **_flags_of(row)}
        texts.append(_flow({**fields, "check": row_check(overlay_id, row)}))
    return _block(section, texts)


def _names_of(row: Row) -> dict[str, object]:
    match row:
        case RealmRow(_, name):
            return {**_cluster(name.cluster), "namespace": name.namespace}
        case WorkloadRow(_, identity):
            return {
                **_cluster(identity.cluster),
                "namespace": identity.namespace,
                "serviceAccount": identity.service_account,
                "labels": dict(identity.labels),
            }
        case TargetRow(_, target):
            return {
                "kind": target.kind.value,
                "namespace": target.namespace,
                "name": target.name,
            }


def _cluster(name: str) -> dict[str, str]:
    return {} if name == DEFAULT_CLUSTER else {"cluster": name}


def _flags_of(row: Row) -> dict[str, bool]:
    flags = {"retired": row.retired}
    if isinstance(row, WorkloadRow):
        flags["revoked"] = row.revoked
    return {name: True for name, is_set in flags.items() if is_set}


def _block(name: str, items: Iterable[str]) -> list[str]:
    lines = [f"- {item}" for item in items]
    return [f"{name}:", *lines] if lines else [f"{name}: []"]


def _flow(value: object) -> str:
    """Spell a value as JSON, which is YAML in flow style."""
    return _FLOW.encode(value)

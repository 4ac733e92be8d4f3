"""Read `overlay.lock.yaml` and refuse what `update` must not build on.

Where in the pipeline: `text -> Lock`; `lock_writer` is the way back and documents the
format. What a merge or a hand got wrong is an error that points at the row. Nothing
is ever repaired by giving a new number: a lock that cannot be trusted stops the build.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from generator.errors import Diagnostic, Note, OverlayError
from generator.overlay.address import MAX_REALM, MAX_WORKLOAD_ID
from generator.overlay.lock import (
    MAX_TARGET_ID,
    Lock,
    RealmName,
    RealmRow,
    TargetRow,
    WorkloadRow,
)
from generator.overlay.lock_writer import LOCK_KIND, Row, overlay_check, row_check
from generator.overlay.model import DEFAULT_CLUSTER, Identity, TargetKind, TargetName
from generator.overlay.naming import check_overlay_name, parse_overlay_id
from generator.overlay.nodes import Fields, read_document
from generator.source import SourceFile

_FILE: Final = (
    "apiVersion",
    "kind",
    "overlay",
    "labelKeys",
    "realms",
    "workloads",
    "targets",
)
_REALM: Final = ("id", "cluster", "namespace", "retired", "check")
_WORKLOAD: Final = (*_REALM, "serviceAccount", "labels", "revoked")
_TARGET: Final = ("id", "kind", "namespace", "name", "retired", "check")

_Row = TypeVar("_Row", RealmRow, WorkloadRow, TargetRow)


def read_lock(source: SourceFile) -> Lock:
    """Read a lock file.

    Raises: OverlayError OVL0007, OVL0010, OVL0011, OVL0016, OVL0017 for the file,
    OVL0013 to OVL0015 and OVL0019 for its rows, all of these at once.
    """
    file = read_document(source, LOCK_KIND)
    file.finish(_FILE)
    overlay = file.mapping("overlay")
    overlay.finish(("name", "id", "check"))
    name = check_overlay_name(overlay.text("name"), overlay.span_of("name"))
    overlay_id = parse_overlay_id(overlay.text("id"), overlay.span_of("id"))
    if overlay.text("check") != overlay_check(overlay_id, name):
        message = "the overlay's name or id is not what pepmesh wrote"
        raise OverlayError.of("OVL0014", message, overlay.span)
    problems: list[Diagnostic] = []
    lock = Lock(
        name,
        overlay_id,
        tuple(sorted(set(file.texts("labelKeys")))),
        _section(file, "realms", _realm, overlay_id, problems),
        _section(file, "workloads", _workload, overlay_id, problems),
        _section(file, "targets", _target, overlay_id, problems),
        overlay.span,
    )
    problems += _find_misfits(lock)
    if problems:
        raise OverlayError(problems)
    return lock


def _section(
    file: Fields,
    name: str,
    read: Callable[[Fields], _Row],
    overlay_id: int,
    problems: list[Diagnostic],
) -> tuple[_Row, ...]:
    rows: list[_Row] = []
    for fields in file.rows(name):
        row = read(fields)
        rows.append(row)
        if fields.text("check") != row_check(overlay_id, row):
            message = f"row {row.id} of {name} is not what pepmesh wrote"
            problems.append(Diagnostic("OVL0014", message, fields.span))
    problems += _find_repeats(name, rows)
    return tuple(sorted(rows, key=lambda row: row.id))


def _realm(fields: Fields) -> RealmRow:
    fields.finish(_REALM)
    return RealmRow(
        fields.number("id", MAX_REALM),
        RealmName(fields.text("cluster", DEFAULT_CLUSTER), fields.text("namespace")),
        fields.flag("retired"),
        fields.span,
    )


def _workload(fields: Fields) -> WorkloadRow:
    fields.finish(_WORKLOAD)
    name = Identity(
        fields.text("cluster", DEFAULT_CLUSTER),
        fields.text("namespace"),
        fields.text("serviceAccount"),
        fields.mapping("labels").pairs(),
    )
    number = fields.number("id", MAX_WORKLOAD_ID)
    flags = fields.flag("retired"), fields.flag("revoked")
    return WorkloadRow(number, name, *flags, fields.span)


def _target(fields: Fields) -> TargetRow:
    fields.finish(_TARGET)
    kinds = {kind.value: kind for kind in TargetKind}
    kind = fields.text("kind")
    if kind not in kinds:
        message = f'a target is of kind {" or ".join(kinds)}, not "{kind}"'
        raise OverlayError.of("OVL0011", message, fields.span_of("kind"))
    name = TargetName(kinds[kind], fields.text("namespace"), fields.text("name"))
    number = fields.number("id", MAX_TARGET_ID)
    return TargetRow(number, name, fields.flag("retired"), fields.span)


# --- rows among each other ------------------------------------------------------------


def _find_repeats(section: str, rows: Iterable[Row]) -> Iterator[Diagnostic]:
    """Find ids given twice, and things that two rows describe.

    Only workloads may have several rows of one name, all but one of them retired:
    what a row says of its workload depends on the label keys of its time.
    """
    by_id: dict[int, Row] = {}
    by_name: dict[object, Row] = {}
    for row in rows:
        first = by_id.setdefault(row.id, row)
        if first is not row:
            message = f"id {row.id} is given twice in {section}"
            yield _pair("OVL0013", message, row, first)
        if row.retired and isinstance(row, WorkloadRow):
            continue
        first = by_name.setdefault(row.name, row)
        if first is not row and first.id != row.id:
            message = f"rows {first.id} and {row.id} of {section} describe one thing"
            yield _pair("OVL0015", message, row, first)


def _pair(code: str, message: str, row: Row, first: Row) -> Diagnostic:
    return Diagnostic(code, message, row.span, notes=(Note("first here", first.span),))


def _find_misfits(lock: Lock) -> Iterator[Diagnostic]:
    """Find workloads in use that lack a realm or use a label key not listed."""
    realms = {row.name for row in lock.realms if not row.retired}
    label_keys = set(lock.label_keys)
    for row in lock.workloads:
        if row.retired:
            continue
        name = row.name
        if RealmName(name.cluster, name.namespace) not in realms:
            message = f'workload {row.id}: namespace "{name.namespace}" has no realm'
            yield Diagnostic("OVL0019", message, row.span)
        for key, _ in name.labels:
            if key not in label_keys:
                message = f'workload {row.id}: "{key}" is not in labelKeys'
                yield Diagnostic("OVL0019", message, row.span)

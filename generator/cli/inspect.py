"""`pepmesh inspect`: what is in a module, read back from its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from generator.analysis.documents import inspection_document
from generator.analysis.engine import Engine
from generator.analysis.inspection import (
    Inspected,
    Permission,
    inspect_table,
)
from generator.analysis.key_ranges import keys_text
from generator.analysis.sizes import module_parts
from generator.build import table_digest
from generator.cli.files import read_bytes
from generator.cli.options import FILE, colour_option, output_option
from generator.cli.output import write, write_json, write_table
from generator.cli.session import Session, pass_session
from generator.overlay.naming import overlay_id_text
from generator.policy.model import Direction
from generator.table.model import RuleTable

PEER_COLUMN = {Direction.INGRESS: "FROM", Direction.EGRESS: "TO"}


@click.command("inspect")
@click.argument("module_path", type=FILE, metavar="MODULE")
@output_option("table", "json")
@colour_option
@pass_session
def inspect_command(session: Session, module_path: Path, output: str) -> None:
    """Show the rules that are inside a module, and its size.

    Everything is read back from the binary: for each workload who may reach it and
    whom it may reach, on which ports, by which rule.

    \b
    Example:
      pepmesh inspect mesh.wasm
    """
    module = read_bytes(module_path)
    engine = Engine(module)
    found = inspect_table(engine.table)
    if output == "json":
        write_json(inspection_document(module, engine.table_bytes, engine.table, found))
        return
    for direction in Direction:
        peer = PEER_COLUMN[direction]
        header = ("WORKLOAD", "ACTION", peer, "PORTS", "REQUESTS", "RULE", "PLACE")
        write_table(session, header, _rows(engine.table, found, direction))
        write("")
    write_table(session, ("PART", "BYTES"), module_parts(module, engine.table_bytes))
    write("")
    write(f"overlay {overlay_id_text(engine.table.overlay_id)}")
    write(table_digest(engine.table_bytes))


def _rows(
    table: RuleTable, found: list[Inspected], direction: Direction
) -> Iterator[tuple[str, ...]]:
    """Yield what all rules say, in the order of evaluation."""
    for one in found:
        title = f"{one.title} (revoked)" if one.workload.revoked else one.title
        for permission in one.permissions[direction]:
            yield title, *_cells(table, permission)
        isolated_by = one.isolated_by[direction]
        if isolated_by is not None:
            place = table.rule_name(isolated_by), table.rule_place(isolated_by)
            others = "everybody else" if one.permissions[direction] else "anyone"
            yield title, "Deny", others, "all ports", "-", *place


def _cells(table: RuleTable, permission: Permission) -> tuple[str, ...]:
    named = ("- (not isolated)", "-")
    if permission.rule is not None:
        named = table.rule_name(permission.rule), table.rule_place(permission.rule)
    requests = "; ".join(permission.requests) or "-"
    ports = keys_text(permission.keys)
    return str(permission.action), permission.peer, ports, requests, *named

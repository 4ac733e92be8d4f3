"""`pepmesh inspect`: what is in a module, read back from its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from generator.analysis.documents import inspection_document
from generator.analysis.engine import Engine
from generator.analysis.inspection import Inspected, inspect_table
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
        header = ("WORKLOAD", PEER_COLUMN[direction], "PORTS", "RULE", "PLACE")
        write_table(session, header, _rows(engine.table, found, direction))
        write("")
    write_table(session, ("PART", "BYTES"), module_parts(module, engine.table_bytes))
    write("")
    write(f"overlay {overlay_id_text(engine.table.overlay_id)}")
    write(table_digest(engine.table_bytes))


def _rows(
    table: RuleTable, found: list[Inspected], direction: Direction
) -> Iterator[tuple[str, str, str, str, str]]:
    for one in found:
        title = f"{one.title} (revoked)" if one.workload.revoked else one.title
        isolated_by = one.isolated_by[direction]
        if isolated_by is None:
            yield title, "anyone", "all ports", "- (not isolated)", "-"
            continue
        permissions = one.permissions[direction]
        for permission in permissions:
            rule = isolated_by if permission.rule is None else permission.rule
            name, place = table.rule_name(rule), table.rule_place(rule)
            yield title, permission.peer, keys_text(permission.keys), name, place
        if not permissions:
            name, place = table.rule_name(isolated_by), table.rule_place(isolated_by)
            yield title, "nobody", "-", name, place

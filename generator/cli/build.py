"""`pepmesh build`: manifests and lock file in, module and lock file out."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import click

from generator.analysis.documents import build_document
from generator.analysis.sizes import by_policy, module_parts
from generator.build import DEFAULT_OVERLAY, Built
from generator.cli.building import Builder, Places
from generator.cli.files import refuse_overwriting
from generator.cli.options import (
    FILE,
    LOCK_FILE,
    colour_option,
    ipv4_block,
    lock_option,
    manifest_options,
    max_keys_option,
    output_option,
    overlay_id,
)
from generator.cli.output import write, write_json, write_table
from generator.cli.session import Session, pass_session
from generator.cli.watch import keep_building
from generator.collector import forget_objects, paused_collector


@click.command("build")
@manifest_options
@click.option(
    "--out", type=FILE, required=True, metavar="FILE", help="Where the module goes."
)
@lock_option("Ids of the overlay; made if it is not there.", LOCK_FILE)
@click.option(
    "--overlay",
    "name",
    metavar="NAME",
    help=f"Name of the overlay.  [default: the lock file's, or {DEFAULT_OVERLAY}]",
)
@click.option(
    "--overlay-id",
    "number",
    type=overlay_id,
    metavar="HEX",
    help="Id of the overlay, 10 hex digits.",
)
@click.option(
    "--member-cidr",
    "member_cidrs",
    type=ipv4_block,
    metavar="CIDR",
    multiple=True,
    help="Range where only members live: no key, no entry. Repeatable.",
)
@max_keys_option
@click.option(
    "--watch",
    "is_watching",
    is_flag=True,
    help="Stay, and build again whenever a file changes. Ctrl-C ends it.",
)
@output_option("table", "json")
@colour_option
@pass_session
def build_command(
    session: Session,
    paths: tuple[str, ...],
    recursive: bool,
    out: Path,
    lock_path: Path,
    name: str | None,
    number: int | None,
    member_cidrs: tuple[IPv4Network, ...],
    max_keys: int,
    is_watching: bool,
    output: str,
) -> None:
    """Build the module that every Envoy of the overlay loads.

    Same manifests and lock file, same bytes. Module and lock file are written
    together, or neither is.

    With --watch what did not change is not done again, and while manifests are
    wrong the last module stays where it is.

    \b
    Example:
      pepmesh build -f policies/ -f inventory.yaml --out mesh.wasm
      pepmesh build -f policies/ --out mesh.wasm --watch
    """
    inputs = [Path(path) for path in paths if path != "-"]
    refuse_overwriting(out, lock_path, *inputs)
    refuse_overwriting(lock_path, *inputs)
    places = Places(paths, recursive, out, lock_path)
    builder = Builder(session, places, name, number, member_cidrs, max_keys)
    if is_watching:
        if "-" in paths or output != "table":
            message = "--watch goes with files and folders, and with -o table"
            raise click.UsageError(message)
        keep_building(builder)
        return
    with paused_collector():
        _print(session, builder.build(), out, lock_path, output)
        forget_objects()


def _print(
    session: Session, built: Built, out: Path, lock_path: Path, output: str
) -> None:
    if output == "json":
        document = build_document(built.module, built.table_bytes, built.table)
        files = {"module": str(out), "lock": str(lock_path)}
        overlay = {"overlay": built.overlay.name}
        write_json({**document, **files, **overlay})
        return
    table = built.table
    parts = [*module_parts(built.module, built.table_bytes)]
    parts.append((str(out), len(built.module)))
    write_table(session, ("PART", "BYTES"), parts)
    write("")
    largest = by_policy(table, built.table_bytes)
    if largest:
        write_table(session, ("LARGEST POLICIES", "BYTES"), largest)
        write("")
    write(
        f"{len(table.policies)} policies, {len(table.rules)} rules, "
        f"{len(table.workloads)} workloads, {len(table.targets)} targets; "
        f"overlay {built.overlay.name}, lock file {lock_path}"
    )
    write(built.digest)

"""`pepmesh build`: manifests and lock file in, module and lock file out."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import click

from generator.analysis.documents import build_document
from generator.analysis.sizes import by_policy, module_parts
from generator.build import DEFAULT_OVERLAY, Built, build_mesh
from generator.cli.files import refuse_overwriting, write_files
from generator.cli.inputs import read_lock_file, read_model
from generator.cli.options import (
    FILE,
    LOCK_FILE,
    colour_option,
    ipv4_block,
    lock_option,
    manifest_options,
    output_option,
    overlay_id,
)
from generator.cli.output import write, write_json, write_table
from generator.cli.session import Session, pass_session
from generator.overlay.lock_writer import write_lock


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
    output: str,
) -> None:
    """Build the module that every Envoy of the overlay loads.

    Same manifests and lock file, same bytes. Module and lock file are written
    together, or neither is.

    \b
    Example:
      pepmesh build -f policies/ -f inventory.yaml --out mesh.wasm
    """
    inputs = [Path(path) for path in paths if path != "-"]
    refuse_overwriting(out, lock_path, *inputs)
    refuse_overwriting(lock_path, *inputs)
    model = read_model(session, paths, recursive)
    lock = read_lock_file(session, lock_path) if lock_path.exists() else None
    with session.progress("building the module"):
        built = build_mesh(
            model,
            lock,
            name=name or (lock.name if lock else DEFAULT_OVERLAY),
            overlay_id=number,
            member_cidrs=member_cidrs,
        )
    session.report(built.diagnostics)
    text = write_lock(built.lock).encode()
    # The lock file first: a module without its ids would be renumbered.
    write_files({lock_path: text, out: built.module})
    _print(session, built, out, lock_path, output)


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
    largest = by_policy(table)
    if largest:
        write_table(session, ("LARGEST POLICIES", "BYTES"), largest)
        write("")
    write(
        f"{len(table.policies)} policies, {len(table.rules)} rules, "
        f"{len(table.workloads)} workloads, {len(table.targets)} targets; "
        f"overlay {built.overlay.name}, lock file {lock_path}"
    )
    write(built.digest)

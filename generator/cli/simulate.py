"""`pepmesh simulate`: all flows that policy allows."""

from __future__ import annotations

from pathlib import Path

import click

from generator.analysis.key_ranges import ports_text
from generator.analysis.simulate import simulate, simulation_document
from generator.cli.inputs import open_mesh, read_model
from generator.cli.options import (
    FILE,
    colour_option,
    lock_option,
    manifest_options,
    output_option,
)
from generator.cli.output import write_csv, write_json, write_table
from generator.cli.session import Session, pass_session

COLUMNS = ("SOURCE", "DESTINATION", "PROTOCOL", "PORTS")


@click.command("simulate", short_help="Print all flows that policy allows.")
@manifest_options
@lock_option("Lock file; only revoked workloads make a difference.")
@click.option(
    "--module",
    "module_path",
    type=FILE,
    metavar="FILE",
    help="Ask this module, built from these manifests, instead of a new one.",
)
@output_option("table", "json", "csv")
@colour_option
@pass_session
def simulate_command(
    session: Session,
    paths: tuple[str, ...],
    recursive: bool,
    lock_path: Path | None,
    module_path: Path | None,
    output: str,
) -> None:
    """Print all allowed flows between workloads, and with addresses outside.

    The built module answers, not a second implementation. A flow is printed if some
    pod of the source may reach some pod of the destination.

    \b
    Example:
      pepmesh simulate -f policies/ -R -o json
    """
    model = read_model(session, paths, recursive)
    mesh = open_mesh(session, model, lock_path, module_path)
    with session.progress("asking the module"):
        connections = simulate(mesh.engine, mesh.overlay)
    if output == "json":
        write_json(simulation_document(connections))
        return
    rows = [
        (c.source, c.destination, c.protocol, ports_text(c.ports)) for c in connections
    ]
    if output == "csv":
        write_csv([name.lower() for name in COLUMNS], rows)
    else:
        write_table(session, COLUMNS, rows)

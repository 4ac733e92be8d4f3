"""`pepmesh py2wasm`: compile any filter that is written in the guest language."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.files import read_source, refuse_overwriting, write_files
from generator.cli.options import FILE, colour_option
from generator.cli.session import Session, pass_session
from generator.compiler import compile_file
from generator.errors import CompileError


@click.command("py2wasm", short_help="Compile an Envoy filter written in Python.")
@click.argument("path", type=FILE, metavar="FILE")
@click.option(
    "-o", "--out", type=FILE, required=True, metavar="OUT", help="Where it goes."
)
@colour_option
@pass_session
def py2wasm_command(session: Session, path: Path, out: Path) -> None:
    """Compile an Envoy filter written in Python to a proxy-wasm module.

    \b
    Example:
      pepmesh py2wasm my_filter.py -o my_filter.wasm
    """
    refuse_overwriting(out, path)
    source = read_source(path)
    session.remember({source.name: source})
    with session.progress(f"compiling {path}"):
        try:
            module = compile_file(path).to_bytes()
        except CompileError as error:
            _remember_imported(session, error)
            raise
    write_files({out: module})
    click.echo(f"{out}: {len(module):,} bytes", err=True)


def _remember_imported(session: Session, error: CompileError) -> None:
    """Keep the texts of imported modules that an error points at."""
    files = {d.span.file for d in error.diagnostics if d.span is not None}
    for name in sorted(files - session.sources.keys()):
        session.remember({name: read_source(Path(name))})

"""`pepmesh scaffold`: a starter policy, test and traffic file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from generator.analysis.errors import QuestionError
from generator.cli.files import make_folders, write_files
from generator.cli.inputs import read_model
from generator.cli.options import FILE, colour_option
from generator.cli.output import write
from generator.cli.session import Session, pass_session
from generator.cli.suggestions import complete_workload
from generator.scaffold.starter import EXAMPLE, KINDS, PARTS, make_starter


@click.command("scaffold", short_help="Write a starter policy, test and traffic file.")
@click.argument("part", type=click.Choice(PARTS))
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default=KINDS[0],
    show_default=True,
    help="What kind of policy to start with.",
)
@click.option(
    "-f",
    "--filename",
    "paths",
    metavar="FILE|DIR|-",
    multiple=True,
    help="Manifests that have the workload. Without them an example is written.",
)
@click.option(
    "-R", "--recursive", is_flag=True, help="Read the subfolders of folders too."
)
@click.option(
    "--for",
    "workload",
    metavar="NS/NAME",
    shell_complete=complete_workload,
    help="The workload that the starter is about.",
)
@click.option(
    "--out-dir",
    "folder",
    type=FILE,
    metavar="DIR",
    help="Write files to this folder instead of standard output.",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there already.")
@colour_option
@pass_session
def scaffold_command(
    session: Session,
    part: str,
    kind: str,
    paths: tuple[str, ...],
    recursive: bool,
    workload: str | None,
    folder: Path | None,
    force: bool,
) -> None:
    """Write a starter policy, its test cases and a traffic file, with comments.

    The files load beside the manifests, and the test cases pass as they are. A test
    alone, for a workload of yours, is about the policies that are there already.

    \b
    Example:
      pepmesh scaffold all -f manifests/ --for shop/cart --out-dir manifests/
      pepmesh scaffold all | pepmesh test -f -
    """
    if bool(paths) != bool(workload):
        raise click.UsageError("-f and --for go together: which workload, and where?")
    sources = None
    if paths:
        read_model(session, paths, recursive)
        sources = tuple(session.sources.values())
    with session.progress("asking the module"):
        starter = make_starter(sources, workload or EXAMPLE, kind, part)
    if folder is None:
        write("---\n".join(starter.files.values()).removesuffix("\n"))
    else:
        _write_files(folder, starter.files, force=force)


def _write_files(folder: Path, files: Mapping[str, str], *, force: bool) -> None:
    """Write all files, or none if one of them is there already."""
    texts = {folder / name: text.encode() for name, text in files.items()}
    taken = ", ".join(str(path) for path in texts if path.exists())
    if taken and not force:
        raise QuestionError.of("RUN0026", f"already there: {taken}")
    make_folders(folder)
    write_files(texts)
    write("\n".join(str(path) for path in texts))

"""`pepmesh diff`: the access that two versions of policy do not have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from generator.analysis.diff.access import Kind
from generator.analysis.diff.diff import Difference, compare
from generator.analysis.diff.document import (
    CSV_HEADER,
    difference_document,
    difference_rows,
)
from generator.analysis.diff.github import difference_commands
from generator.analysis.diff.markdown import difference_markdown
from generator.analysis.diff.text import difference_text
from generator.cli.diff_inputs import (
    Input,
    notes_of,
    open_sides,
    read_input,
    read_revisions,
)
from generator.cli.options import (
    colour_option,
    lock_option,
    output_option,
    recursive_option,
    suppress_option,
)
from generator.cli.output import Answer, write, write_csv, write_json
from generator.cli.session import Session, pass_session

FAILING: Final = {
    "any": frozenset(Kind),
    "gained": frozenset({Kind.GAINED, Kind.CHANGED}),
    "lost": frozenset({Kind.LOST, Kind.CHANGED}),
}


@click.command("diff", short_help="Compare the access that two policies give.")
@click.argument("inputs", metavar="[BEFORE AFTER]", nargs=-1)
@click.option(
    "--git",
    "revisions",
    metavar="REV|REV1..REV2",
    help="Compare a git revision with the working tree, or two; ... as in git diff.",
)
@click.option(
    "-f",
    "--filename",
    "paths",
    metavar="FILE|DIR",
    multiple=True,
    help="With --git: what to compare. Repeatable.  [default: the current folder]",
)
@recursive_option
@suppress_option
@lock_option("Lock file; only revoked workloads make a difference.")
@click.option(
    "--fail-on",
    type=click.Choice(list(FAILING)),
    default="any",
    show_default=True,
    help="Exit 1 only if access was gained, or lost.",
)
@click.option("--exit-zero", is_flag=True, help="Exit 0 also if access changes.")
@output_option("text", "json", "md", "csv", "github")
@colour_option
@pass_session
def diff_command(
    session: Session,
    inputs: tuple[str, ...],
    revisions: str | None,
    paths: tuple[str, ...],
    recursive: bool,
    lock_path: Path | None,
    fail_on: str,
    exit_zero: bool,
    output: str,
) -> Answer:
    """Print the access that is gained and lost from BEFORE to AFTER, and why.

    Either is a file or folder of manifests, - for standard input, a built module, or
    REV:PATH of git. Both are built, and the modules are asked; only access counts, not
    names, order or comments. Exits 0 if no access changes, 1 if some does.

    \b
    Example:
      pepmesh diff main:policies policies
      pepmesh diff --git origin/main... -f policies -R -o md > comment.md
      pepmesh diff deployed.wasm policies --fail-on gained
    """
    before, after = _read(session, inputs, revisions, paths, lock_path, recursive)
    sides = open_sides(session, before, after)
    with session.progress("asking both modules"):
        found = compare(*sides)
    session.report(notes_of(found.notes))
    _write(session, found, output)
    is_failing = any(found.count(kind) for kind in FAILING[fail_on])
    return Answer.NO if is_failing and not exit_zero else Answer.YES


def _read(
    session: Session,
    inputs: tuple[str, ...],
    revisions: str | None,
    paths: tuple[str, ...],
    lock_path: Path | None,
    recursive: bool,
) -> tuple[Input, Input]:
    if revisions is None:
        _check_two(inputs, paths)
        before, after = inputs
        return (
            read_input(session, before, lock_path, recursive=recursive),
            read_input(session, after, lock_path, recursive=recursive),
        )
    if inputs:
        raise click.UsageError("--git compares what -f names: give no BEFORE and AFTER")
    if "-" in paths:
        raise click.UsageError("standard input is in no git revision")
    chosen = paths or (".",)
    return read_revisions(session, revisions, chosen, lock_path, recursive=recursive)


def _check_two(inputs: tuple[str, ...], paths: tuple[str, ...]) -> None:
    if paths:
        raise click.UsageError("-f goes with --git: give BEFORE and AFTER as they are")
    if len(inputs) != 2:
        raise click.UsageError("give BEFORE and AFTER, or --git REV")
    if inputs == ("-", "-"):
        raise click.UsageError("standard input can be one side only")


def _write(session: Session, found: Difference, output: str) -> None:
    match output:
        case "json":
            write_json(difference_document(found))
        case "md":
            write(difference_markdown(found).removesuffix("\n"))
        case "csv":
            write_csv(CSV_HEADER, difference_rows(found))
        case "github":
            write("\n".join(difference_commands(found)))
        case _:
            write(difference_text(found), session)

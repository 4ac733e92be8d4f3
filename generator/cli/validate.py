"""`pepmesh validate`: everything that there is to say about manifests."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Final

import click

from generator.cli.inputs import shorten
from generator.cli.options import (
    colour_option,
    output_file_option,
    output_option,
    paths_options,
)
from generator.cli.output import Answer, deliver, json_text, table_text
from generator.cli.session import Session, pass_session
from generator.enforcement.model import Row
from generator.errors import Severity, render
from generator.policy.load import Loaded, load_model
from generator.reports.document import validation_document
from generator.reports.finding import Finding, make_findings, summary
from generator.reports.github import github_text
from generator.reports.objects import Objects
from generator.reports.sarif import sarif_document
from generator.reports.suppression import Suppression, parse_suppression
from generator.validation import Validation, validate

COLOURS: Final = {"error": "red", "warning": "yellow", "info": "cyan"}
COLUMNS: Final = ("STATUS", "RULE", "PLACE", "WHY")


def suppression(text: str) -> Suppression:
    try:
        return parse_suppression(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("validate", short_help="Check policies: schema, meaning, lint.")
@paths_options
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    default="error",
    show_default=True,
    help="Exit 1 if something at least as bad is found.",
)
@click.option(
    "--suppress",
    "suppressions",
    type=suppression,
    multiple=True,
    metavar="CODE[=KIND NS/NAME]",
    help="Take a finding as known: everywhere, or in some objects; * is a wildcard. "
    "Repeatable. Warnings and remarks, and the error POL0041.",
)
@click.option(
    "--strict",
    "is_strict",
    is_flag=True,
    help="Objects of kinds that pepmesh does not read are errors.",
)
@click.option(
    "--enforcement",
    "has_rows",
    is_flag=True,
    help="Also print for each rule what a proxy can do about it. JSON always has that.",
)
@output_option("table", "json", "sarif", "github")
@output_file_option
@colour_option
@pass_session
def validate_command(
    session: Session,
    paths: tuple[str, ...],
    recursive: bool,
    fail_on: Severity,
    suppressions: tuple[Suppression, ...],
    is_strict: bool,
    has_rows: bool,
    output: str,
    output_path: Path | None,
) -> Answer:
    """Say everything that there is to say about manifests.

    What cannot be read as policy, what would stop a build, and what is legal but
    hardly meant: rules that never decide, selectors that select nobody, ports that
    nobody has. `pepmesh codes` explains every code. Exit 1: something was found that
    is at least as bad as --fail-on, whatever the output.

    \b
    Example:
      pepmesh validate -f policies/ -R --fail-on warning
      pepmesh validate -f . -R -o sarif --output-file pepmesh.sarif
      pepmesh validate -f policies/ --suppress "LNT0003=NetworkPolicy shop/*"
    """
    if has_rows and output not in ("table", "json"):
        raise click.UsageError("--enforcement needs -o table or -o json")
    with session.progress("reading and checking manifests"):
        found = validate(lambda: _load(paths, recursive), is_strict=is_strict)
        objects = Objects(found.sources)
        findings = make_findings(found.diagnostics, objects, suppressions)
    shown = found.rows if has_rows else None
    text = _text(session, output, findings, found, shown, is_file=bool(output_path))
    if text or output_path is not None:
        deliver(session, text, output_path)
    click.echo(summary(findings), err=True)
    if found.rows is None:
        click.echo("not linted: correct the errors first", err=True)
    wanted = (f for f in findings if not f.suppressed_by and f.is_at_least(fail_on))
    return Answer.NO if any(wanted) else Answer.YES


def _load(paths: tuple[str, ...], recursive: bool) -> Loaded:
    stdin = None
    if "-" in paths:
        stdin = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")
    names = [shorten(path) for path in paths]
    return load_model(names, recursive=recursive, stdin=stdin)


def _text(
    session: Session,
    output: str,
    findings: tuple[Finding, ...],
    found: Validation,
    shown: tuple[Row, ...] | None,
    *,
    is_file: bool,
) -> str:
    match output:
        case "json":
            return json_text(validation_document(findings, found.rows))
        case "sarif":
            return json_text(sarif_document(findings))
        case "github":
            return github_text(findings)
    is_coloured = not is_file and session.wants_colour(sys.stdout)
    parts = [
        _painted(finding, found, is_coloured)
        for finding in findings
        if not finding.suppressed_by
    ]
    if shown is not None:
        parts.append(table_text(COLUMNS, map(_cells, shown), is_bold=is_coloured))
    return "\n\n".join(parts)


def _painted(finding: Finding, found: Validation, is_coloured: bool) -> str:
    text = render(finding.diagnostic, found.sources)
    severity, code = finding.diagnostic.severity, finding.diagnostic.code
    mark = f"{severity}[{code}]"
    if not is_coloured:
        return text
    return text.replace(mark, click.style(mark, fg=COLOURS[severity], bold=True), 1)


def _cells(row: Row) -> tuple[str, str, str, str]:
    reasons = [reason.text for reason in row.reasons]
    if row.policy.is_audited:
        reasons.insert(0, "audited: counted and logged, never enforced")
    place = f"{row.span.file}:{row.span.start.line + 1}"
    return row.status.value, row.name, place, "; ".join(reasons) or "-"

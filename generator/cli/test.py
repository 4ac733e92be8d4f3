"""`pepmesh test`: the cases that stand beside policies, asked of the built module."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from generator.analysis.cases.coverage import Coverage, measure_coverage
from generator.analysis.cases.junit import junit_text
from generator.analysis.cases.lines import github_text, tap_text
from generator.analysis.cases.reader import Suite, find_test_files, read_suites
from generator.analysis.cases.report import (
    Listing,
    percent,
    report_document,
    report_text,
)
from generator.analysis.cases.run import SuiteResult, run_suites, select_cases
from generator.analysis.explain.explainer import Explainer
from generator.analysis.names import Names
from generator.build import table_digest
from generator.cli.inputs import read_model, shorten
from generator.cli.mesh import Mesh, open_mesh
from generator.cli.options import (
    FILE,
    colour_option,
    lock_option,
    manifest_options,
    module_option,
    output_option,
)
from generator.cli.output import Answer, write, write_json
from generator.cli.session import Session, pass_session
from generator.errors import Diagnostic

FAIL: Final = re.compile(r"^FAIL\b", re.MULTILINE)


def pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise click.BadParameter(f"not a regular expression: {error}") from None


@click.command("test", short_help="Run the test cases that stand beside policies.")
@manifest_options
@click.option(
    "--tests",
    "test_paths",
    type=FILE,
    multiple=True,
    metavar="FILE|DIR",
    help="More cases: a file, or the *_test.yaml of a folder. Repeatable.",
)
@click.option(
    "--run",
    "wanted",
    type=pattern,
    metavar="REGEX",
    help="Run only cases in whose name this is found.",
)
@click.option(
    "--coverage",
    "all_rules",
    is_flag=True,
    help="List every rule with the number of cases that it decides.",
)
@click.option(
    "--min-coverage",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit 1 if fewer of the rules decide some case.",
)
@lock_option("Lock file; only revoked workloads make a difference.")
@module_option
@output_option("text", "json", "junit", "tap", "github")
@colour_option
@pass_session
def test_command(
    session: Session,
    paths: tuple[str, ...],
    recursive: bool,
    test_paths: tuple[Path, ...],
    wanted: re.Pattern[str] | None,
    all_rules: bool,
    min_coverage: float | None,
    lock_path: Path | None,
    module_path: Path | None,
    output: str,
) -> Answer:
    """Run the cases of *_test.yaml among the manifests, and name rules without one.

    Exits 0 if all pass, 1 if some fail or too few rules are covered, 2 if a case
    cannot be run. The built module answers, not a second implementation.

    \b
    Example:
      pepmesh test -f policies/ -R --min-coverage 90 -o junit > report.xml
    """
    found = [f for p in test_paths for f in find_test_files(p, recursive=recursive)]
    tests = tuple(dict.fromkeys(shorten(str(file)) for file in found))
    model = read_model(session, (*paths, *tests), recursive)
    suites = read_suites(session.sources.values(), frozenset(tests))
    suites = select_cases(suites, wanted)
    mesh = open_mesh(session, model, lock_path, module_path)
    results = _run(session, mesh, suites)
    coverage = measure_coverage(results, mesh.engine.table)
    listing = Listing.NONE if wanted else Listing.UNTOUCHED
    listing = Listing.ALL if all_rules else listing
    _write(session, mesh, results, coverage, output, listing)
    is_covered = _check(session, coverage, min_coverage)
    are_passed = not any(suite.failed for suite in results)
    return Answer.YES if is_covered and are_passed else Answer.NO


def _run(
    session: Session, mesh: Mesh, suites: tuple[Suite, ...]
) -> tuple[SuiteResult, ...]:
    explainer = Explainer(mesh.engine, mesh.model, mesh.overlay)
    names = Names(mesh.engine.table, mesh.model, mesh.overlay)
    with session.progress("running the cases"):
        return run_suites(suites, explainer, names, mesh.engine.table)


def _write(
    session: Session,
    mesh: Mesh,
    results: tuple[SuiteResult, ...],
    coverage: Coverage,
    output: str,
    listing: Listing,
) -> None:
    match output:
        case "json":
            digest = table_digest(mesh.engine.table_bytes)
            write_json(report_document(results, coverage, digest))
        case "junit":
            write(junit_text(results))
        case "tap":
            write(tap_text(results, coverage))
        case "github":
            write(github_text(results, coverage, listing))
        case _:
            text = report_text(results, coverage, listing)
            write(FAIL.sub(click.style("FAIL", fg="red", bold=True), text), session)


def _check(session: Session, coverage: Coverage, minimum: float | None) -> bool:
    """Say on stderr, whatever the output, that too few rules are covered."""
    if minimum is None or coverage.is_at_least(minimum):
        return True
    message = f"{percent(coverage)} of the rules decide a case, not {minimum:g} %"
    session.report([Diagnostic("RUN0024", message)])
    return False

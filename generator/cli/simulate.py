"""`pepmesh simulate`: all flows that policy allows, or the verdicts on given ones."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from generator.analysis.endpoints import find_owners
from generator.analysis.explain.explainer import Explainer
from generator.analysis.key_ranges import ports_text
from generator.analysis.simulate.dot import simulation_dot
from generator.analysis.simulate.markdown import simulation_markdown, table_markdown
from generator.analysis.simulate.report_page import report_page
from generator.analysis.simulate.simulation import (
    Connection,
    simulate,
    simulation_document,
)
from generator.analysis.simulate.traffic_answers import (
    COLUMNS,
    TrafficAnswer,
    answer_traffic,
    are_all,
    traffic_document,
)
from generator.analysis.simulate.traffic_file import read_traffic_file
from generator.cli.files import read_source, refuse_overwriting
from generator.cli.inputs import read_model
from generator.cli.mesh import Mesh, open_mesh
from generator.cli.options import (
    FILE,
    colour_option,
    lock_option,
    manifest_options,
    module_option,
    output_file_option,
    output_option,
)
from generator.cli.output import Answer, csv_text, deliver, json_text, table_text
from generator.cli.session import Session, pass_session

FORMS: Final = ("table", "json", "csv", "md", "dot", "html")
TRAFFIC_FORMS: Final = FORMS[:4]
PAIR_COLUMNS: Final = ("source", "destination", "protocol", "ports", "http")


@click.command("simulate", short_help="Print all flows that policy allows.")
@manifest_options
@lock_option("Lock file; only revoked workloads make a difference.")
@module_option
@click.option(
    "--traffic",
    "traffic_path",
    type=FILE,
    metavar="FILE",
    help="Answer the flows of this file instead: kind Traffic, or CSV.",
)
@click.option(
    "--expect",
    type=click.Choice(["allow", "deny"]),
    help="With --traffic: exit 1 if one of the verdicts is another.",
)
@output_option(*FORMS)
@output_file_option
@colour_option
@pass_session
def simulate_command(
    session: Session,
    paths: tuple[str, ...],
    recursive: bool,
    lock_path: Path | None,
    module_path: Path | None,
    traffic_path: Path | None,
    expect: str | None,
    output: str,
    output_path: Path | None,
) -> Answer:
    """Print all allowed flows between workloads, and with addresses outside.

    The built module answers, not a second implementation. A flow is printed if some
    pod of the source may reach some pod of the destination. Where rules look at HTTP
    requests, the column HTTP says which requests are allowed.

    -o html is one page that needs no network: a matrix to search in, and a graph.

    With --traffic, the flows of a file get their verdicts: a manifest of kind Traffic
    (pepmesh.dev/v1) whose `flows` have from, to, port, and as you like protocol and
    http {method, path, host, headers}; or CSV with a line that names the columns:
    from,to,port[,protocol,method,path,host].

    \b
    Example:
      pepmesh simulate -f policies/ -R -o html --output-file access.html
    """
    if traffic_path is None and expect is not None:
        raise click.UsageError("--expect needs --traffic")
    if traffic_path is not None and output not in TRAFFIC_FORMS:
        raise click.UsageError(f"--traffic has no form {output}")
    _spare_inputs(output_path, paths, lock_path, module_path, traffic_path)
    model = read_model(session, paths, recursive)
    mesh = open_mesh(session, model, lock_path, module_path)
    is_bold = output_path is None and session.wants_colour(sys.stdout)
    if traffic_path is None:
        deliver(session, _all_flows(session, mesh, output, is_bold), output_path)
        return Answer.YES
    answers = _answers(session, mesh, traffic_path)
    deliver(session, _spell_answers(answers, output, is_bold), output_path)
    return Answer.YES if expect is None or are_all(answers, expect) else Answer.NO


def _spare_inputs(
    output_path: Path | None, paths: Iterable[str], *inputs: Path | None
) -> None:
    if output_path is not None:
        manifests = (Path(path) for path in paths if path != "-")
        refuse_overwriting(output_path, *manifests, *filter(None, inputs))


def _all_flows(session: Session, mesh: Mesh, form: str, is_bold: bool) -> str:
    if form == "html":
        with session.progress("asking the module"):
            return report_page(mesh.engine, mesh.overlay)
    with session.progress("asking the module"):
        found = simulate(mesh.engine, mesh.overlay)
    if form == "json":
        return json_text(simulation_document(found))
    if form == "csv":
        return csv_text(PAIR_COLUMNS, map(_cells, found))
    if form == "table":
        return _table(found, is_bold)
    owners = [owner.name for owner in find_owners(mesh.engine.table, mesh.overlay)]
    spell = simulation_markdown if form == "md" else simulation_dot
    return spell(owners, found)


def _table(found: Sequence[Connection], is_bold: bool) -> str:
    """The column HTTP is there only if it is needed."""
    width = len(PAIR_COLUMNS) if any(c.http for c in found) else len(PAIR_COLUMNS) - 1
    header = [name.upper() for name in PAIR_COLUMNS[:width]]
    return table_text(header, (_cells(c)[:width] for c in found), is_bold=is_bold)


def _cells(connection: Connection) -> tuple[str, ...]:
    c = connection
    http = "; ".join(c.http)
    return c.source, c.destination, c.protocol, ports_text(c.ports), http


def _answers(session: Session, mesh: Mesh, path: Path) -> list[TrafficAnswer]:
    source = read_source(path)
    session.remember({source.name: source})
    flows = read_traffic_file(source)
    with session.progress("asking the module"):
        explainer = Explainer(mesh.engine, mesh.model, mesh.overlay)
        return answer_traffic(explainer, flows)


def _spell_answers(answers: list[TrafficAnswer], form: str, is_bold: bool) -> str:
    if form == "json":
        return json_text(traffic_document(answers))
    rows = [answer.row for answer in answers]
    if form == "csv":
        return csv_text(COLUMNS, rows)
    if form == "md":
        return table_markdown(COLUMNS, rows)
    return table_text([name.upper() for name in COLUMNS], rows, is_bold=is_bold)

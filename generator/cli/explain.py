"""`pepmesh explain`: whether one flow is allowed, by which rule, and why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from generator.analysis.explain import Explainer, Explanation, Outcome
from generator.analysis.explanation import explanation_document, explanation_text
from generator.analysis.traffic import Traffic
from generator.build import table_digest
from generator.cli.inputs import open_mesh, read_model
from generator.cli.options import (
    FILE,
    colour_option,
    lock_option,
    manifest_options,
    output_option,
)
from generator.cli.output import Answer, write, write_json
from generator.cli.session import Session, pass_session
from generator.policy.model import Protocol

COLOURS: Final = {"ALLOW": "green", "DENY": "red", "MIXED": "yellow"}
VERDICT: Final = re.compile(rf"\b({'|'.join(COLOURS)})\b")


@click.command("explain")
@manifest_options
@click.option(
    "--from",
    "source",
    required=True,
    metavar="NS/NAME|IP",
    help="Who sends: a workload's name, or an address.",
)
@click.option(
    "--to",
    "destination",
    required=True,
    metavar="NS/NAME|IP",
    help="Who receives: a workload, a Service, or an address.",
)
@click.option(
    "--port",
    required=True,
    metavar="PORT",
    help="The destination's own port, by number or name; at a Service, the Service's.",
)
@click.option(
    "--protocol",
    type=click.Choice([p.value for p in Protocol], case_sensitive=False),
    default=Protocol.TCP.value,
    show_default=True,
)
@lock_option("Lock file; only revoked workloads make a difference.")
@click.option(
    "--module",
    "module_path",
    type=FILE,
    metavar="FILE",
    help="Ask this module, built from these manifests, instead of a new one.",
)
@click.option(
    "--expect",
    type=click.Choice(["allow", "deny"]),
    help="Exit 0 if this is the verdict and 1 if not.",
)
@output_option("text", "json")
@colour_option
@pass_session
def explain_command(
    session: Session,
    paths: tuple[str, ...],
    recursive: bool,
    source: str,
    destination: str,
    port: str,
    protocol: str,
    lock_path: Path | None,
    module_path: Path | None,
    expect: str | None,
    output: str,
) -> Answer:
    """Say whether a flow is allowed, by which rule, and why.

    Exits 0 if it is allowed, 1 if it is denied, 2 if there is no answer. The built
    module answers, not a second implementation.

    \b
    Example:
      pepmesh explain -f policies/ --from shop/frontend --to shop/cart --port 8080
    """
    model = read_model(session, paths, recursive)
    mesh = open_mesh(session, model, lock_path, module_path)
    explainer = Explainer(mesh.engine, model, mesh.overlay)
    traffic = Traffic(source, destination, port, Protocol(protocol))
    found = explainer.explain(traffic)
    if output == "json":
        digest = table_digest(mesh.engine.table_bytes)
        write_json(explanation_document(found, digest))
    else:
        write(_painted(explanation_text(found)), session)
    return _answer(found, expect)


def _answer(explanation: Explanation, expect: str | None) -> Answer:
    """A mixed verdict is a no, whatever was expected."""
    wanted = Outcome.DENY if expect == "deny" else Outcome.ALLOW
    return Answer.YES if explanation.outcome is wanted else Answer.NO


def _painted(text: str) -> str:
    """Colour the verdicts; names in Kubernetes are lower case."""
    return VERDICT.sub(lambda m: click.style(m[0], fg=COLOURS[m[0]]), text)

"""`pepmesh explain`: whether one flow is allowed, by which rule, and why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from generator.analysis.explain.explainer import Explainer, Explanation, Outcome
from generator.analysis.explain.explanation import (
    explanation_document,
    explanation_text,
)
from generator.analysis.explain.request_reader import read_request
from generator.analysis.traffic import Traffic
from generator.build import table_digest
from generator.cli.inputs import read_model
from generator.cli.mesh import open_mesh
from generator.cli.options import (
    colour_option,
    lock_option,
    manifest_options,
    module_option,
    output_option,
)
from generator.cli.output import Answer, write, write_json
from generator.cli.session import Session, pass_session
from generator.cli.suggestions import complete_workload
from generator.policy.model import Protocol

COLOURS: Final = {"ALLOW": "green", "DENY": "red", "MIXED": "yellow"}
VERDICT: Final = re.compile(rf"\b({'|'.join(COLOURS)})\b")


@click.command("explain")
@manifest_options
@click.option(
    "--from",
    "source",
    required=True,
    metavar="WHO",
    shell_complete=complete_workload,
    help="Who sends: ns/name, deploy/name, pod/name, user:alice, or an address.",
)
@click.option(
    "--to",
    "destination",
    required=True,
    metavar="WHO",
    shell_complete=complete_workload,
    help="Who receives: the same, or svc/name, or a Service's host name.",
)
@click.option(
    "-n",
    "--namespace",
    default="",
    metavar="NAMESPACE",
    help="The namespace of names that have none.",
)
@click.option(
    "--port",
    required=True,
    metavar="PORT",
    help="The destination's own port, by number or name; at a Service, the Service's.",
)
@click.option(
    "--protocol",
    "--proto",
    type=click.Choice([p.value for p in Protocol], case_sensitive=False),
    default=Protocol.TCP.value,
    show_default=True,
)
@click.option(
    "--http",
    "is_http",
    is_flag=True,
    help="Ask about a request, GET / if no more is said. Without it, or an option "
    "below, the flow is not HTTP.",
)
@click.option("--method", metavar="METHOD", help="The request's method.")
@click.option("--path", metavar="PATH", help="Its path, as the client sends it.")
@click.option(
    "--host",
    metavar="HOST",
    help="Its host. Default: the Service's host name, or that of the workload.",
)
@click.option(
    "--header",
    "headers",
    metavar="NAME:VALUE",
    multiple=True,
    help="A header of it, also as name=value. Repeatable.",
)
@lock_option("Lock file; only revoked workloads make a difference.")
@module_option
@click.option(
    "--expect",
    type=click.Choice(["allow", "deny"]),
    help="Exit 0 if this is the verdict and 1 if not.",
)
@output_option("text", "wide", "json")
@colour_option
@pass_session
def explain_command(
    session: Session,
    paths: tuple[str, ...],
    recursive: bool,
    source: str,
    destination: str,
    namespace: str,
    port: str,
    protocol: str,
    is_http: bool,
    method: str | None,
    path: str | None,
    host: str | None,
    headers: tuple[str, ...],
    lock_path: Path | None,
    module_path: Path | None,
    expect: str | None,
    output: str,
) -> Answer:
    """Say whether a flow is allowed, by which rule, and why.

    Exits 0 if it is allowed, 1 if it is denied, 2 if there is no answer. The built
    module answers, not a second implementation.

    Of a denial it names the policy that isolates, and the rules that nearly matched;
    -o wide shows the way through all tiers.

    \b
    Example:
      pepmesh explain -f policies/ --from shop/frontend --to shop/cart --port 8080
      pepmesh explain -f policies/ -n shop --from deploy/frontend --to svc/cart \\
        --port 80 --method POST --path /cart/items --header x-team:blue
    """
    request = None
    if is_http or headers or (method, path, host) != (None, None, None):
        request = read_request(method, path, host, headers)
    traffic = Traffic(source, destination, port, Protocol(protocol), request)
    model = read_model(session, paths, recursive)
    mesh = open_mesh(session, model, lock_path, module_path)
    explainer = Explainer(mesh.engine, model, mesh.overlay, namespace)
    found = explainer.explain(traffic)
    if output == "json":
        digest = table_digest(mesh.engine.table_bytes)
        write_json(explanation_document(found, digest))
    else:
        text = explanation_text(found, is_wide=output == "wide")
        write(_painted(text), session)
    return _answer(found, expect)


def _answer(explanation: Explanation, expect: str | None) -> Answer:
    """A mixed verdict is a no, whatever was expected."""
    wanted = Outcome.DENY if expect == "deny" else Outcome.ALLOW
    return Answer.YES if explanation.outcome is wanted else Answer.NO


def _painted(text: str) -> str:
    """Colour the verdicts; names in Kubernetes are lower case."""
    return VERDICT.sub(lambda m: click.style(m[0], fg=COLOURS[m[0]]), text)

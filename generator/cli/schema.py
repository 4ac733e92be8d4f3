"""`pepmesh schema`: JSON Schemas for editors, and the CRD for clusters."""

from __future__ import annotations

import click

from generator.cli.options import colour_option, output_option
from generator.cli.output import write, write_json, write_table
from generator.cli.session import Session, pass_session
from generator.schemas.editor import CRD, NAMES, crd_manifest, list_document, schema_of


@click.command("schema", short_help="Print JSON Schemas for editors, and the CRD.")
@click.argument("name", type=click.Choice(list(NAMES)), required=False)
@output_option("text", "json")
@colour_option
@pass_session
def schema_command(session: Session, name: str | None, output: str) -> None:
    """Print a JSON Schema for editors, or the CustomResourceDefinition.

    Without a name, list what there is. Schemas are JSON always; crd is the manifest
    for kubectl in YAML, or with -o json.

    \b
    Example:
      pepmesh schema overlaypolicy > overlaypolicy.schema.json
      pepmesh schema crd | kubectl apply -f -
    """
    if name is None and output == "json":
        write_json(list_document())
    elif name is None:
        write_table(session, ("NAME", "WHAT"), NAMES.items())
    elif name == CRD and output == "text":
        write(crd_manifest().removesuffix("\n"))
    else:
        write_json(schema_of(name))

"""`pepmesh version`: which versions of what this program speaks."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

import click

from filters.layout import VERSION
from generator.analysis.api_version import API_VERSION
from generator.cli.options import colour_option, output_option
from generator.cli.output import write, write_json

ABI: Final = "0.2.1"


@click.command("version", short_help="Print versions: pepmesh, ABI, rule table.")
@output_option("text", "json")
@colour_option
def version_command(output: str) -> None:
    """Print the versions of pepmesh, of the proxy-wasm ABI and of the rule table.

    \b
    Example:
      pepmesh version -o json
    """
    mine = version("pepmesh")
    if output == "json":
        fields = {"pepmesh": mine, "proxyWasmAbi": ABI, "ruleTable": VERSION}
        write_json({"apiVersion": API_VERSION, "kind": "Version", **fields})
        return
    write(f"pepmesh {mine}, proxy-wasm ABI {ABI}, rule table {VERSION}")

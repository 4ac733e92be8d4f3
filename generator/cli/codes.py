"""`pepmesh codes`: what every code means, and what to do about it."""

from __future__ import annotations

import difflib

import click

from generator.cli.options import colour_option, output_option
from generator.cli.output import write, write_json, write_table
from generator.cli.session import Session, pass_session
from generator.codes import CODES
from generator.reports.codes_page import (
    code_text,
    codes_document,
    codes_like,
    codes_markdown,
)


@click.command("codes", short_help="Explain the codes of errors and findings.")
@click.argument("code", required=False, default="")
@output_option("table", "md", "json")
@colour_option
@pass_session
def codes_command(session: Session, code: str, output: str) -> None:
    """Explain a code, or list all of them, or those that start with CODE.

    Codes of lint come with an example that triggers them.

    \b
    Example:
      pepmesh codes LNT0010
      pepmesh codes LNT
      pepmesh codes -o md > codes.md
    """
    found = codes_like(code)
    if not found:
        close = difflib.get_close_matches(code.upper(), CODES, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise click.BadParameter(f'"{code}" is no code{hint}', param_hint="CODE")
    if output == "json":
        write_json(codes_document(found))
    elif output == "md":
        write(codes_markdown(found))
    elif len(found) == 1:
        write(code_text(found[0]))
    else:
        rows = ((each, CODES[each].severity, CODES[each].meaning) for each in found)
        write_table(session, ("CODE", "SEVERITY", "MEANING"), rows)

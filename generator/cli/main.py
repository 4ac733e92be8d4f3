"""The command line: the list of commands, and what their ends mean.

Exit codes, the same for every command and every `-o`:

    0  yes: success; `explain`: allowed
    1  the answer is "no"
    2  could not answer: wrong usage, unreadable input, an error of pepmesh

Nothing else decides exit codes. Results are on stdout, everything else is on stderr.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, Final

import click

from generator.cli.commands import lazy_commands
from generator.cli.output import Answer, OutputClosed
from generator.cli.reporting import keep, print_findings
from generator.cli.session import Session
from generator.errors import ToolError

YES: Final = 0
NO: Final = 1
NO_ANSWER: Final = 2

COMMANDS: Final = {
    "build": "generator.cli.build:build_command",
    "codes": "generator.cli.codes:codes_command",
    "completion": "generator.cli.completion:completion_command",
    "diff": "generator.cli.diff:diff_command",
    "explain": "generator.cli.explain:explain_command",
    "inspect": "generator.cli.inspect:inspect_command",
    "keys": "generator.cli.keys:keys_group",
    "py2wasm": "generator.cli.py2wasm:py2wasm_command",
    "scaffold": "generator.cli.scaffold:scaffold_command",
    "schema": "generator.cli.schema:schema_command",
    "simulate": "generator.cli.simulate:simulate_command",
    "test": "generator.cli.test:test_command",
    "validate": "generator.cli.validate:validate_command",
    "version": "generator.cli.version:version_command",
}
"""Where commands are; each is imported when somebody asks for it."""

TRACEBACK: Final = "PEPMESH_TRACEBACK"

EPILOG: Final = """\
Exit codes: 0 yes, 1 the answer is "no", 2 could not answer.

Tab completion: pepmesh completion --help
"""


class Program(click.Group):
    """The group of all commands, with our exit codes instead of click's."""

    def main(self, *args: Any, **extra: Any) -> Any:
        session = Session()
        extra |= {"standalone_mode": False, "obj": session}
        code = _run(lambda: super(Program, self).main(*args, **extra), session)
        print_findings(session)
        sys.exit(code)


def _run(command: Callable[[], Any], session: Session) -> int:
    try:
        return NO if command() is Answer.NO else YES
    except click.ClickException as error:
        error.show()
    except click.Abort:
        click.echo("interrupted", err=True)
    except OutputClosed:
        # Python would complain when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ToolError as error:
        keep(session, error)
    except Exception as error:  # noqa: BLE001 - uncaught, it would exit 1: "no"
        _report_bug(error)
    return NO_ANSWER


def _report_bug(error: Exception) -> None:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename}:{frame.lineno}"
    click.echo(f"{place}: internal error: {type(error).__name__}: {error}", err=True)
    click.echo(
        f"  This is a bug in pepmesh: please report it. {TRACEBACK}=1 shows more.",
        err=True,
    )
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)


@click.group("pepmesh", cls=Program, commands=lazy_commands(COMMANDS), epilog=EPILOG)
def main() -> None:
    """Network policy that works anywhere an Envoy runs.

    Policies go in, a filter with the rules inside comes out, and every Envoy of the
    overlay enforces them. explain and simulate run that very filter.
    """

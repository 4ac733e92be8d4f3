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

from generator.cli.build import build_command
from generator.cli.codes import codes_command
from generator.cli.completion import completion_command
from generator.cli.diff import diff_command
from generator.cli.explain import explain_command
from generator.cli.inspect import inspect_command
from generator.cli.keys_bundle import bundle_command
from generator.cli.keys_init import init_command
from generator.cli.output import Answer, OutputClosed
from generator.cli.py2wasm import py2wasm_command
from generator.cli.reporting import keep, print_findings
from generator.cli.scaffold import scaffold_command
from generator.cli.schema import schema_command
from generator.cli.session import Session
from generator.cli.simulate import simulate_command
from generator.cli.test import test_command
from generator.cli.validate import validate_command
from generator.cli.version import version_command
from generator.errors import ToolError

YES: Final = 0
NO: Final = 1
NO_ANSWER: Final = 2

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


@click.group("pepmesh", cls=Program, epilog=EPILOG)
def main() -> None:
    """Network policy that works anywhere an Envoy runs.

    Policies go in, a filter with the rules inside comes out, and every Envoy of the
    overlay enforces them. explain and simulate run that very filter.
    """


@click.group("keys")
def keys() -> None:
    """Make master keys, and the key bundle of each workload."""


keys.add_command(init_command)
keys.add_command(bundle_command)

main.add_command(build_command)
main.add_command(codes_command)
main.add_command(completion_command)
main.add_command(diff_command)
main.add_command(explain_command)
main.add_command(inspect_command)
main.add_command(keys)
main.add_command(py2wasm_command)
main.add_command(scaffold_command)
main.add_command(schema_command)
main.add_command(simulate_command)
main.add_command(test_command)
main.add_command(validate_command)
main.add_command(version_command)

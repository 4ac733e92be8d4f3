"""Run the command line: in this process, or as a program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from generator.cli.main import main


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str | Path, given: str | None = None) -> Ran:
    """Run a command here, as if from a shell without a terminal."""
    result = CliRunner().invoke(
        main, [str(a) for a in arguments], input=given, prog_name="pepmesh"
    )
    return Ran(result.exit_code, result.stdout, result.stderr)


def run_program(
    *arguments: str | Path,
    given: str | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run the installed program."""
    done = subprocess.run(
        program(*arguments),
        input=given,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=False,
        timeout=60,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def program(*arguments: str | Path) -> Sequence[str]:
    """Return the command that starts the installed program."""
    start = "from generator.cli.main import main; main(prog_name='pepmesh')"
    return [sys.executable, "-c", start, *map(str, arguments)]


def files_below(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder, so that a test can say that nothing changed."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

"""The program as a shell sees it: streams, colour, signals, bugs, help."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from generator.cli.main import main
from tests.cli.conftest import INVENTORY, POLICIES
from tests.support.cli import files_below, program, run, run_program

SIMULATE = ("simulate", "-f", "policies")
EXPLAIN = ("explain", "-f", "policies", "--from", "shop/web", "--to", "shop/cart")
ESCAPE = "\x1b["


def test_exit_codes_of_the_real_program(shop: Path) -> None:
    assert run_program(*EXPLAIN, "--port", "8080", folder=shop).code == 0
    assert run_program(*EXPLAIN, "--port", "8081", folder=shop).code == 1
    ran = run_program(*EXPLAIN, "--port", "nope", folder=shop)
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err
    assert run_program("--no-such-option").code == 2


def test_the_installed_command_is_this_program(shop: Path) -> None:
    command = Path(sys.executable).parent / "pepmesh"
    done = subprocess.run([command, "version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"pepmesh ")


@pytest.mark.parametrize(
    "words, needless",
    [
        (("version",), {"yaml", "generator.compiler.pipeline"}),
        (
            ("build", "-f", "policies", "--out", "mesh.wasm"),
            {"cryptography", "jinja2", "rich", "wasmtime"},
        ),
    ],
    ids=("version", "build"),
)
def test_a_command_imports_what_it_needs(
    words: tuple[str, ...], needless: set[str], shop: Path
) -> None:
    """Some modules take longer to import than a small build takes."""
    python, option, start = program()
    told = "import atexit, sys; atexit.register(lambda: print(*sys.modules))"
    done = subprocess.run(
        [python, option, f"{told}; {start}", *words],
        capture_output=True,
        text=True,
        cwd=shop,
        check=True,
    )
    imported = set(done.stdout.split())
    assert "generator.cli.main" in imported
    assert not imported & needless


def test_results_and_findings_use_different_streams(shop: Path) -> None:
    """Warnings do not spoil what a pipe reads."""
    (shop / "policies" / "other.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
    )
    (shop / "policies" / "notes.txt").write_text("to do")
    ran = run_program(*SIMULATE, "-o", "json", folder=shop)
    assert ran.code == 0 and ran.document["kind"] == "Simulation"
    assert "info[INP0009]" in ran.err and "info[INP0012]" in ran.err


def test_standard_input(shop: Path) -> None:
    text = INVENTORY + POLICIES
    ran = run_program("simulate", "-f", "-", "-o", "csv", given=text)
    assert "shop/web,shop/cart,TCP,8080," in ran.out.splitlines()
    ran = run_program("simulate", "-f", "-", given="kind: [")
    assert ran.code == 2 and "<stdin>:" in ran.err


def test_two_runs_of_the_real_program_give_equal_bytes(shop: Path) -> None:
    """Nothing depends on the process: hash seeds, time, or the folder's place."""
    found = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = ("build", "-f", "policies", "--out", "mesh.wasm")
        assert run_program(*command, folder=shop, environment=environment).code == 0
        found.append(files_below(shop))
        (shop / "overlay.lock.yaml").unlink()
    assert found[0] == found[1]


def test_nobody_reads_the_result(shop: Path) -> None:
    """`| head` ends quietly, and never as a "no"."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        program(*SIMULATE), cwd=shop, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (2, b"")


# --- colour ----------------------------------------------------------------------


def on_terminal(folder: Path, *arguments: str, **environment: str) -> str:
    """Run with a terminal as stdout and stderr."""
    ours, theirs = pty.openpty()
    inherited = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    done = subprocess.Popen(
        program(*arguments),
        cwd=folder,
        stdout=theirs,
        stderr=theirs,
        env={**inherited, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux says so when the other side is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    done.wait(timeout=60)
    return seen.decode()


def test_a_terminal_gets_colour(shop: Path) -> None:
    seen = on_terminal(shop, *EXPLAIN, "--port", "8081")
    assert f"{ESCAPE}31mDENY" in seen


@pytest.mark.parametrize(
    "arguments, environment",
    [
        ((), {"NO_COLOR": "1"}),
        ((), {"TERM": "dumb"}),
        (("--color", "never"), {}),
    ],
)
def test_a_terminal_may_refuse_colour(
    shop: Path, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    question = ("version", *arguments)
    assert ESCAPE not in on_terminal(shop, *question, **environment)
    question = ("py2wasm", "nowhere.py", "-o", "x.wasm", *arguments)
    seen = on_terminal(shop, *question, **environment)
    assert "error[INP0001]" in seen and ESCAPE not in seen


def test_colour_elsewhere_only_on_demand(shop: Path) -> None:
    always = ("--color", "always")
    assert ESCAPE not in run(*EXPLAIN, "--port", "8081").out
    assert ESCAPE in run(*EXPLAIN, "--port", "8081", *always).out
    assert ESCAPE in run(*SIMULATE, *always).out
    assert ESCAPE not in run(*EXPLAIN, "--port", "1", "-o", "json", *always).out
    assert ESCAPE not in run(*SIMULATE, "-o", "json", *always).out
    assert ESCAPE in run("simulate", "-f", "nowhere", *always).err


# --- bugs and interruptions ----------------------------------------------------------


def test_a_bug_is_no_answer(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("generator.cli.simulate.simulate", break_down)
    ran = run(*SIMULATE)
    assert (ran.code, ran.out) == (2, "")
    assert "test_program.py:" in ran.err
    assert "internal error: KeyError: 'surprise'" in ran.err
    assert "please report" in ran.err and "Traceback" not in ran.err
    monkeypatch.setenv("PEPMESH_TRACEBACK", "1")
    assert "Traceback" in run(*SIMULATE).err


def test_an_interrupted_run_is_no_answer(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("generator.cli.simulate.simulate", interrupt)
    ran = run(*SIMULATE)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip() == "interrupted"


# --- help -----------------------------------------------------------------------------


def commands() -> list[list[str]]:
    found = [[name] for name in main.commands]
    keys = main.commands["keys"]
    assert isinstance(keys, click.Group)
    return found + [["keys", name] for name in keys.commands]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_helps_with_an_example(words: list[str]) -> None:
    ran = run(*words, "--help")
    assert ran.code == 0
    assert "Usage: pepmesh" in ran.out
    if words != ["keys"]:
        assert f"Example:\n    pepmesh {' '.join(words)}" in ran.out


def test_help_tells_exit_codes_and_completion() -> None:
    out = run("--help").out
    assert "Exit codes: 0 yes" in out and "pepmesh completion" in out
    assert all(f"  {name} " in out for name in main.commands)


def test_completion_is_built_in() -> None:
    environment = {
        "_PEPMESH_COMPLETE": "bash_complete",
        "COMP_WORDS": "pepmesh sim",
        "COMP_CWORD": "1",
    }
    result = CliRunner().invoke(main, [], env=environment, prog_name="pepmesh")
    assert "simulate" in result.stdout

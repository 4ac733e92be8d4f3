"""`pepmesh completion`: the scripts, and what they get from the program at each Tab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from generator.cli.completion import SHELLS
from generator.cli.main import main
from tests.support.cli import Ran, program, run

SHOP = Path(__file__).parents[2] / "e2e" / "shop"
BIN = Path(sys.executable).parent


def ask(shell: str, *words: str) -> Ran:
    """Ask the program as the script of a shell does; the last word is unfinished."""
    environment = {
        **os.environ,
        "_PEPMESH_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(["pepmesh", *words]),
        # fish gives the unfinished word itself, the others its number
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words)),
    }
    done = subprocess.run(
        program(), env=environment, capture_output=True, text=True, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def offers(shell: str, *words: str) -> list[str]:
    """Return what is offered, as each shell writes it."""
    ran = ask(shell, *words)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    if shell == "zsh":
        return [lines[at + 1] for at in range(0, len(lines), 3)]
    if shell == "fish" and "\\n" in ran.out:
        return [line.split("\\n")[1] for line in lines]
    return [line.split(",", 1)[1].partition("\t")[0] for line in lines]


# --- the scripts ----------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_ask_the_program(shell: str) -> None:
    ran = run("completion", shell)
    assert (ran.code, ran.err) == (0, "")
    assert f"_PEPMESH_COMPLETE={shell}_complete" in ran.out
    assert "COMP_WORDS" in ran.out
    registers = {
        "bash": "complete -o nosort -F _pepmesh_completion pepmesh",
        "zsh": "compdef _pepmesh_completion pepmesh",
        "fish": "complete --no-files --command pepmesh",
    }
    assert registers[shell] in ran.out


def test_scripts_need_no_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container image may be built without bash."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert run("completion", "bash").err == ""


def test_an_unknown_shell_is_refused() -> None:
    ran = run("completion", "tcsh")
    assert (ran.code, ran.out) == (2, "")
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in ran.err


def test_help_leads_to_completion() -> None:
    assert "pepmesh completion --help" in run("--help").out
    assert 'eval "$(pepmesh completion bash)"' in run("completion", "--help").out


# --- what is offered: the protocol between script and program -------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_are_offered(shell: str) -> None:
    assert offers(shell, "") == sorted(main.commands)
    assert offers(shell, "sca") == ["scaffold"]


@pytest.mark.parametrize("shell", SHELLS)
def test_options_and_values_are_offered(shell: str) -> None:
    assert offers(shell, "test", "--min") == ["--min-coverage"]
    assert offers(shell, "test", "-o", "j") == ["json", "junit"]
    assert offers(shell, "completion", "") == list(SHELLS)
    assert offers(shell, "scaffold", "all", "--kind", "C") == ["ClusterNetworkPolicy"]


@pytest.mark.parametrize("shell", SHELLS)
def test_workloads_are_offered(shell: str) -> None:
    words = ("explain", "-f", str(SHOP), "--from", "payments/")
    assert offers(shell, *words) == [
        "payments/checkout",
        "payments/fraud",
        "payments/ledger",
    ]


@pytest.mark.parametrize(
    "command, option", [("explain", "from"), ("explain", "to"), ("scaffold", "for")]
)
def test_workloads_come_from_the_manifests_on_the_line(
    command: str, option: str
) -> None:
    known = main.commands[command]
    (parameter,) = [p for p in known.params if f"--{option}" in p.opts]
    context = click.Context(known)
    context.params = {"paths": ("-", str(SHOP)), "recursive": False}
    found = [item.value for item in parameter.shell_complete(context, "shop/ca")]
    assert found == ["shop/cart", "shop/cart-db", "shop/catalog"]
    context.params = {"paths": ("no-such-folder",)}
    assert parameter.shell_complete(context, "") == []


# --- real shells ----------------------------------------------------------------------


def in_shell(folder: Path, *command: str) -> str:
    """Run a shell whose PATH has the installed program first."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_bash_completes(tmp_path: Path) -> None:
    """The script is sourced, and its function called as readline would."""
    bash = shutil.which("bash")
    assert bash, "these tests run where bash is"
    lines = """\
eval "$(pepmesh completion bash)"
complete -p pepmesh
COMP_WORDS=(pepmesh scaffold all --kind Cl); COMP_CWORD=4
_pepmesh_completion pepmesh Cl --kind
echo "${COMPREPLY[@]}"
COMP_WORDS=(pepmesh ex); COMP_CWORD=1; COMPREPLY=()
_pepmesh_completion pepmesh ex pepmesh
echo "${COMPREPLY[@]}"
"""
    assert in_shell(tmp_path, bash, "--norc", "-c", lines).splitlines() == [
        "complete -o nosort -F _pepmesh_completion pepmesh",
        "ClusterNetworkPolicy",
        "explain",
    ]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_their_script(shell: str, tmp_path: Path) -> None:
    """Where such a shell is not installed, its protocol above is what is tested."""
    script = tmp_path / f"script.{shell}"
    script.write_text(run("completion", shell).out)
    command = shutil.which(shell)
    if command is not None:
        in_shell(tmp_path, command, "--no-execute", str(script))
    pairs = script.read_text()
    assert pairs.count("{") == pairs.count("}")
    assert pairs.count("(") == pairs.count(")")

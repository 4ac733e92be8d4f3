"""`pepmesh completion`: what a shell needs to complete command lines.

The script asks the program itself at each Tab, by an environment variable that click
answers, so it knows the commands and options of the version that is installed.
"""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import ShellComplete, get_completion_class

from generator.cli.output import write

PROGRAM: Final = "pepmesh"
VARIABLE: Final = "_PEPMESH_COMPLETE"
SHELLS: Final = ("bash", "zsh", "fish")


@click.command("completion", short_help="Print a script that completes commands.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion_command(context: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    \b
    To have it in every shell, write to
      ~/.bashrc                    eval "$(pepmesh completion bash)"
      ~/.zshrc, after compinit     eval "$(pepmesh completion zsh)"
      ~/.config/fish/config.fish   pepmesh completion fish | source

    \b
    Example:
      pepmesh completion bash > /etc/bash_completion.d/pepmesh
    """
    completion = get_completion_class(shell)
    assert completion is not None, "click knows the shells of SHELLS"
    asked = completion(context.find_root().command, {}, PROGRAM, VARIABLE)
    # Bash's own method first runs bash to see how old it is; this is for any machine.
    write(ShellComplete.source(asked).strip())

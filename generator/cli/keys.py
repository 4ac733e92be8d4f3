"""`pepmesh keys`: the commands about keys."""

from __future__ import annotations

from typing import Final

import click

from generator.cli.commands import lazy_commands

COMMANDS: Final = {
    "bundle": "generator.cli.keys_bundle:bundle_command",
    "init": "generator.cli.keys_init:init_command",
}


@click.group("keys", commands=lazy_commands(COMMANDS))
def keys_group() -> None:
    """Make master keys, and the key bundle of each workload."""

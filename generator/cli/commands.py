"""Commands that are imported when they are asked for.

A command needs its own modules only, and some take longer to import than others to run.
Help and completion, which show something of every command, import them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import cast

import click


class _Commands(Mapping[str, click.Command]):
    """Commands by name, from places such as `module.of.it:attribute`."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> click.Command:
        module, _, attribute = self._places[name].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command), f"{name} is no command"
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def lazy_commands(places: Mapping[str, str]) -> MutableMapping[str, click.Command]:
    """Return what a group takes as its commands."""
    # A group changes them only where commands are added to it, which nobody does here.
    return cast(MutableMapping[str, click.Command], _Commands(places))

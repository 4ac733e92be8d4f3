"""What can go wrong between a module and its host.

`ModuleError` is for the module's author. `GuestTrap` is an outcome: Envoy answers it
by failing closed. A hostcall that nobody declared never gets an answer.
"""

from __future__ import annotations

from generator.errors import ToolError


class ModuleError(ToolError):
    """The module cannot be run by this host, or by any Envoy."""


class UnknownHostcall(ModuleError, AttributeError):
    """The guest called what this host does not serve."""


def not_emulated(what: str) -> ToolError:
    """Make the error of a call that Envoy may know and this host does not."""
    return UnknownHostcall.of("RUN0004", f"{what} is not emulated")


class GuestTrap(Exception):
    """The guest's VM is dead: a trap, or a hostcall where none is allowed."""

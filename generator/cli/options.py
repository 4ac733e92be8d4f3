"""Options that several commands share, each declared once."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, ip_address
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from filters.bundle import MAX_KEYS
from generator.cli.session import Session
from generator.overlay.naming import parse_overlay_id
from generator.policy.model import IPAddress

F = TypeVar("F", bound=Callable[..., Any])

LOCK_FILE: Final = Path("overlay.lock.yaml")
MASTER_KEY_FILE: Final = Path("master-keys.yaml")
FILE: Final = click.Path(path_type=Path)


def _set_colour(context: click.Context, parameter: click.Parameter, value: str) -> None:
    context.ensure_object(Session).colour = value  # type: ignore[assignment]


colour_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    expose_value=False,
    callback=_set_colour,
    is_eager=True,
    help="Colour on a terminal, always, or never. NO_COLOR is honoured.",
)


max_keys_option = click.option(
    "--max-keys",
    type=click.IntRange(1, 100_000),
    metavar="NUMBER",
    default=MAX_KEYS,
    show_default=True,
    help="Most keys that a workload may hold; the same for `build` and `keys bundle`.",
)


SUPPRESSIBLE: Final = ("POL0041",)
"""Errors that a person may take upon himself."""


def _suppress(context: click.Context, _: object, codes: tuple[str, ...]) -> None:
    context.ensure_object(Session).suppressed |= set(codes)


def suppress_option(function: F) -> F:
    """Add `--suppress`, which goes to the session."""
    return click.option(
        "--suppress",
        type=click.Choice(SUPPRESSIBLE),
        multiple=True,
        expose_value=False,
        callback=_suppress,
        help="Go on in spite of a finding. POL0041: policies that tie, then by name.",
    )(function)


def recursive_option(function: F) -> F:
    """Add `-R`: parameter `recursive`."""
    return click.option(
        "-R",
        "--recursive",
        is_flag=True,
        help="Read the subfolders of folders too.",
    )(function)


def manifest_options(function: F) -> F:
    """Add `-f` and `-R`, with kubectl's meaning: parameters `paths`, `recursive`.

    `--suppress` goes to the session.
    """
    return paths_options(suppress_option(function))


def paths_options(function: F) -> F:
    """Add `-f` and `-R` alone."""
    return click.option(
        "-f",
        "--filename",
        "paths",
        metavar="FILE|DIR|-",
        multiple=True,
        required=True,
        help="Manifests: policies and inventory. Repeatable; - is standard input.",
    )(recursive_option(function))


def output_option(*formats: str) -> Callable[[F], F]:
    """Add `-o`: parameter `output`. The first format is the default."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="Form of the result on standard output.",
    )


output_file_option = click.option(
    "--output-file",
    "output_path",
    type=FILE,
    metavar="FILE",
    help="Write the result to this file instead; it is replaced as a whole.",
)


module_option = click.option(
    "--module",
    "module_path",
    type=FILE,
    metavar="FILE",
    help="Ask this module, built from these manifests, instead of a new one.",
)


def lock_option(help_text: str, default: Path | None = None) -> Callable[[F], F]:
    """Add `--lock`: parameter `lock_path`."""
    return click.option(
        "--lock",
        "lock_path",
        type=FILE,
        metavar="FILE",
        default=default,
        show_default=default is not None,
        help=help_text,
    )


# --- types of values: click calls them, and names the option of a BadParameter --------


def overlay_id(text: str) -> int:
    """Read 10 hex digits. Raises: OverlayError OVL0007."""
    return parse_overlay_id(text)


def ipv4_block(text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def any_address(text: str) -> IPAddress:
    try:
        return ip_address(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None

"""`pepmesh keys init`: make the master secret of an overlay."""

from __future__ import annotations

from pathlib import Path

import click

from generator.build import DEFAULT_OVERLAY
from generator.cli.inputs import read_lock_file
from generator.cli.options import (
    FILE,
    LOCK_FILE,
    MASTER_KEY_FILE,
    colour_option,
    lock_option,
    overlay_id,
)
from generator.cli.session import Session, pass_session
from generator.overlay.master_keys import new_master_keys, write_master_keys
from generator.overlay.naming import default_overlay_id


@click.command("init")
@lock_option(f"Lock file of the overlay.  [default: {LOCK_FILE}, if it is there]")
@click.option(
    "--overlay",
    "name",
    metavar="NAME",
    help=f"Name of an overlay without a lock file.  [default: {DEFAULT_OVERLAY}]",
)
@click.option(
    "--overlay-id",
    "number",
    type=overlay_id,
    metavar="HEX",
    help="Its id, if it is not the usual one.",
)
@click.option(
    "--out",
    type=FILE,
    metavar="FILE",
    default=MASTER_KEY_FILE,
    show_default=True,
    help="Where the master keys go; never overwritten.",
)
@colour_option
@pass_session
def init_command(
    session: Session,
    lock_path: Path | None,
    name: str | None,
    number: int | None,
    out: Path,
) -> None:
    """Make the master keys of an overlay.

    Whoever has this file can speak as any workload. It is readable by you only;
    keep it out of version control.

    \b
    Example:
      pepmesh keys init --lock overlay.lock.yaml --out master-keys.yaml
    """
    is_named = name is not None or number is not None
    if lock_path is not None and is_named:
        raise click.UsageError("--lock says name and id: give it alone")
    if lock_path is None and not is_named and LOCK_FILE.exists():
        lock_path = LOCK_FILE
    if lock_path is not None:
        lock = read_lock_file(session, lock_path)
        name, number = lock.name, lock.overlay_id
    name = name or DEFAULT_OVERLAY
    if number is None:
        number = default_overlay_id(name)
    write_master_keys(out, new_master_keys(name, number))
    click.echo(f"{out}: master keys of overlay {name}; keep them secret", err=True)

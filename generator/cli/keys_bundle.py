"""`pepmesh keys bundle`: the plugin configuration of each workload, with its keys."""

from __future__ import annotations

from pathlib import Path

import click

from generator.analysis.bundles import (
    Configured,
    bundles_document,
    check_room,
    configure,
    file_names,
    find_workloads,
)
from generator.analysis.engine import Engine
from generator.analysis.errors import QuestionError
from generator.build import Built
from generator.cli.files import (
    make_folder,
    read_secret,
    refuse_overwriting,
    write_files,
)
from generator.cli.inputs import build_throw_away, read_lock_file, read_model
from generator.cli.options import (
    FILE,
    LOCK_FILE,
    MASTER_KEY_FILE,
    any_address,
    colour_option,
    lock_option,
    manifest_options,
    max_keys_option,
)
from generator.cli.output import write_json
from generator.cli.session import Session, pass_session
from generator.errors import Diagnostic
from generator.overlay.configuration import KeyMode, Traffic
from generator.overlay.master_keys import parse_master_keys
from generator.overlay.model import Overlay, Workload
from generator.policy.model import IPAddress, Model


@click.command("bundle")
@manifest_options
@click.option(
    "--keys",
    "keys_path",
    type=FILE,
    metavar="FILE",
    default=MASTER_KEY_FILE,
    show_default=True,
    help="Master keys.",
)
@lock_option("Lock file that the module was built with.", LOCK_FILE)
@click.option("--workload", "name", metavar="NS/NAME", help="Only this one's.")
@click.option(
    "--direction",
    type=click.Choice([t.value for t in Traffic]),
    help="For listeners that cannot tell the filter.",
)
@click.option(
    "--address",
    type=any_address,
    metavar="IP",
    help="Address of the endpoint, for a PEP outside Kubernetes.",
)
@click.option(
    "--any-source-address",
    is_flag=True,
    help="Take proofs from any address, where gateways or NAT hide the sender's.",
)
@click.option(
    "--key-mode",
    type=click.Choice([mode.value for mode in KeyMode]),
    default=KeyMode.PLAIN.value,
    show_default=True,
    help="A key for each request: permissive sends them, strict asks for them.",
)
@max_keys_option
@click.option("--out-dir", type=FILE, metavar="DIR", help="Write a file for each.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["json"]),
    help="Print to standard output, in clear.",
)
@colour_option
@pass_session
def bundle_command(
    session: Session,
    paths: tuple[str, ...],
    recursive: bool,
    keys_path: Path,
    lock_path: Path,
    name: str | None,
    direction: str | None,
    address: IPAddress | None,
    any_source_address: bool,
    key_mode: str,
    max_keys: int,
    out_dir: Path | None,
    output: str | None,
) -> None:
    """Make the plugin configuration of each workload, with its keys.

    A workload gets keys for the targets that policy lets it reach, and the secrets
    of the targets that it serves. Files are readable by you only.

    \b
    Example:
      pepmesh keys bundle -f policies/ --keys master-keys.yaml --out-dir bundles/
    """
    if (out_dir is None) == (output is None):
        raise click.UsageError("give --out-dir DIR or -o json")
    if address is not None and name is None:
        raise click.UsageError("--address needs --workload")
    model = read_model(session, paths, recursive)
    master = parse_master_keys(str(keys_path), read_secret(keys_path))
    built = _build_as_locked(session, model, lock_path)
    engine = Engine(built.module)
    wanted = _not_revoked(session, find_workloads(built.overlay, name), name)
    if address is not None and len(wanted) != 1:
        raise click.UsageError(f"{name} has several workloads, but one --address")
    traffic = Traffic(direction) if direction else None
    configured = [
        configure(
            engine,
            built.overlay,
            master,
            one,
            direction=traffic,
            address=address,
            takes_any_address=any_source_address,
            key_mode=KeyMode(key_mode),
        )
        for one in wanted
    ]
    check_room(configured, max_keys)
    if out_dir is None:
        write_json(bundles_document(configured))
    else:
        _write(out_dir, built.overlay, configured, keys_path, lock_path)


def _build_as_locked(session: Session, model: Model, lock_path: Path) -> Built:
    """Build again what the lock file describes. Raises: QuestionError RUN0013."""
    lock = read_lock_file(session, lock_path)
    built = build_throw_away(session, model, lock)
    if built.lock != lock:
        message = f"{lock_path} does not describe these manifests"
        raise QuestionError.of("RUN0013", message, lock.span)
    return built


def _not_revoked(
    session: Session, found: tuple[Workload, ...], name: str | None
) -> list[Workload]:
    """Leave revoked workloads out, unless one was asked for: that is an error."""
    if name is not None:
        return list(found)
    for workload in found:
        if workload.revoked:
            message = f"workload {workload.id} is revoked and gets no keys"
            session.report([Diagnostic("RUN0015", message)])
    return [workload for workload in found if not workload.revoked]


def _write(
    folder: Path,
    overlay: Overlay,
    configured: list[Configured],
    keys_path: Path,
    lock_path: Path,
) -> None:
    files = {
        folder / name: one.configuration.encode()
        for one in configured
        for name in file_names(overlay, one)
    }
    for path in files:
        refuse_overwriting(path, keys_path, lock_path)
    make_folder(folder)
    write_files(files, is_secret=True)
    click.echo(f"{folder}: {len(files)} key bundles; keep them secret", err=True)

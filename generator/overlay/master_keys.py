"""The master key file: the secrets from which every key of an overlay follows.

Where in the pipeline: beside it; only `pepmesh keys` reads it. Whoever has this file
can speak as any workload, so: mode 0600 from its first byte on, never overwritten,
no secret in a repr or a message. `parse_master_keys` takes a name and a text, not a
`SourceFile`, so that no caller has a source from which to print the erring line.

Key ids are 1 to 255. One or two keys are active, two while a rotation is under way;
the highest active id is the one to send with. A retired id is never given again.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from generator.errors import Diagnostic, OverlayError
from generator.overlay.keys import MAX_KEY_ID, SECRET_BYTES
from generator.overlay.naming import (
    check_overlay_name,
    overlay_id_text,
    parse_overlay_id,
)
from generator.overlay.nodes import API_VERSION, Fields, read_document
from generator.source import SourceFile

MASTER_KEYS_KIND: Final = "MasterKeys"
MAX_ACTIVE: Final = 2


@dataclass(frozen=True, slots=True)
class MasterKey:
    """An active master secret."""

    id: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The master secrets of one overlay, sorted by id, and the ids given up."""

    name: str
    overlay_id: int
    active: tuple[MasterKey, ...]
    retired: tuple[int, ...] = ()

    @property
    def newest(self) -> MasterKey:
        """The key to send with."""
        return self.active[-1]


def new_master_keys(name: str, overlay_id: int) -> MasterKeys:
    """Return master keys with one fresh secret."""
    key = MasterKey(1, secrets.token_bytes(SECRET_BYTES))
    return MasterKeys(check_overlay_name(name), overlay_id, (key,))


def write_master_keys(path: Path, keys: MasterKeys) -> None:
    """Create the file, readable by its owner only.

    Raises: OverlayError OVL0022 if anything is there already, OVL0024 if it cannot be
    written; then nothing is left behind.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise OverlayError.of("OVL0022", f"{path} exists") from None
    except OSError as error:
        raise OverlayError.of("OVL0024", f"{path}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            os.fchmod(descriptor, 0o600)
            file.write(format_master_keys(keys))
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OverlayError.of("OVL0024", f"{path}: {error.strerror}") from None


def format_master_keys(keys: MasterKeys) -> str:
    """Return the text of a master key file."""
    rows = {
        key.id: f'{{id: {key.id}, secret: "{base64.b64encode(key.secret).decode()}"}}'
        for key in keys.active
    }
    rows |= {number: f"{{id: {number}, retired: true}}" for number in keys.retired}
    lines = [
        "# Master keys: whoever has this file can speak as any workload.",
        f"apiVersion: {API_VERSION}",
        f"kind: {MASTER_KEYS_KIND}",
        f'overlay: {{name: "{keys.name}", id: "{overlay_id_text(keys.overlay_id)}"}}',
        "keys:",
        *(f"- {rows[number]}" for number in sorted(rows)),
    ]
    return "\n".join(lines) + "\n"


def parse_master_keys(file_name: str, text: str) -> MasterKeys:
    """Read the text of a master key file.

    Raises: OverlayError OVL0007, OVL0010, OVL0011, OVL0013, OVL0017, OVL0020, OVL0021.
    """
    file = read_document(SourceFile(file_name, text), MASTER_KEYS_KIND)
    file.finish(("apiVersion", "kind", "overlay", "keys"))
    overlay = file.mapping("overlay")
    overlay.finish(("name", "id"))
    name = check_overlay_name(overlay.text("name"), overlay.span_of("name"))
    overlay_id = parse_overlay_id(overlay.text("id"), overlay.span_of("id"))
    rows = sorted(_read_rows(file), key=lambda row: row[0])
    active = tuple(MasterKey(number, s) for number, s in rows if s is not None)
    if not 1 <= len(active) <= MAX_ACTIVE:
        message = f"{len(active)} keys are active; it must be one or two"
        raise OverlayError.of("OVL0021", message, file.span_of("keys"))
    retired = tuple(number for number, secret in rows if secret is None)
    return MasterKeys(name, overlay_id, active, retired)


def _read_rows(file: Fields) -> Iterator[tuple[int, bytes | None]]:
    seen: set[int] = set()
    for row in file.rows("keys"):
        row.finish(("id", "secret", "retired"))
        number = row.number("id", MAX_KEY_ID)
        if number in seen:
            message = f"key id {number} is given twice"
            hint = "remove one of the two rows"
            raise OverlayError([Diagnostic("OVL0013", message, row.span, hint)])
        seen.add(number)
        yield number, None if row.flag("retired") else _read_secret(row)


def _read_secret(row: Fields) -> bytes:
    text = row.text("secret")
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    is_canonical = base64.b64encode(secret).decode() == text
    if len(secret) != SECRET_BYTES or not is_canonical:
        message = "the secret is not 32 bytes in base64"
        raise OverlayError.of("OVL0020", message, row.span_of("secret"))
    return secret

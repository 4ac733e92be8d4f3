"""The key bundle: all that one workload's PEP ever holds of the overlay's secrets.

Where in the pipeline: `master keys + overlay + reachable targets -> bundle -> PEP`, by
a Secret or the plugin configuration, never in the module. Little-endian:

    0   magic "PMB1"            12  workload id u32
    4   overlay id 5 bytes      16  number of send rows u32
        (network order)         20  number of receive rows u32
    9   3 zero bytes            24  send rows, then receive rows, 40 bytes each:
                                    target id u32, key id u8, 3 zero bytes, key 32

Rows of each part ascend by (target id, key id), none twice. A send row holds K of
this workload for a target that policy lets it reach, newest key id only; a receive
row holds S of a target that it serves, for every active key id. What is reachable is
the caller's to say.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from generator.errors import OverlayError, ToolError
from generator.overlay.address import workload_prefix
from generator.overlay.keys import pair_key, target_secret
from generator.overlay.master_keys import MasterKey, MasterKeys
from generator.overlay.model import Overlay, Workload
from generator.overlay.naming import overlay_id_text

MAGIC: Final = b"PMB1"

_HEADER: Final = struct.Struct("<4s5s3sIII")
_ROW: Final = struct.Struct("<IB3s32s")
_ZEROS: Final = bytes(3)


@dataclass(frozen=True, slots=True)
class BundleRow:
    """A key for one target and key id: K in a send row, S in a receive row."""

    target_id: int
    key_id: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The keys of one workload; both parts ascend by (target id, key id)."""

    overlay_id: int
    workload_id: int
    send: tuple[BundleRow, ...]
    receive: tuple[BundleRow, ...]


def make_bundle(
    master: MasterKeys,
    overlay: Overlay,
    workload_id: int,
    reachable_target_ids: Iterable[int],
) -> Bundle:
    """Derive the keys of a workload.

    Raises: OverlayError OVL0023 for another overlay's master keys, OVL0031 for a
    workload or target that is not in the overlay, and for a revoked workload.
    """
    if master.overlay_id != overlay.id:
        texts = overlay_id_text(master.overlay_id), overlay_id_text(overlay.id)
        message = "the master keys are for overlay {}, not {}".format(*texts)
        raise OverlayError.of("OVL0023", message)
    workload = _workload(overlay, workload_id)
    prefix = workload_prefix(overlay.id, workload.realm, workload.id)
    send = (
        BundleRow(target_id, master.newest.id, pair_key(secret, prefix))
        for target_id in sorted(set(reachable_target_ids))
        for secret in (_secret(overlay, master.newest, target_id),)
    )
    receive = (
        BundleRow(target.id, key.id, _secret(overlay, key, target.id))
        for target in overlay.targets_by_workload[workload_id]
        for key in master.active
    )
    return Bundle(overlay.id, workload_id, tuple(send), tuple(receive))


def encode_bundle(bundle: Bundle) -> bytes:
    """Return the bytes of a bundle."""
    header = _HEADER.pack(
        MAGIC,
        bundle.overlay_id.to_bytes(5, "big"),
        _ZEROS,
        bundle.workload_id,
        len(bundle.send),
        len(bundle.receive),
    )
    rows = (
        _ROW.pack(row.target_id, row.key_id, _ZEROS, row.key)
        for row in (*bundle.send, *bundle.receive)
    )
    return header + b"".join(rows)


def decode_bundle(data: bytes) -> Bundle:
    """Read the bytes of a bundle; as strict as the filter. Raises: OVL0030."""
    if len(data) < _HEADER.size:
        raise _malformed("it is shorter than its header")
    magic, overlay_id, zeros, workload_id, sends, receives = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise _malformed("it does not begin with PMB1")
    if zeros != _ZEROS or workload_id == 0:
        raise _malformed("its header is out of range")
    if len(data) != _HEADER.size + (sends + receives) * _ROW.size:
        raise _malformed("its length does not fit its number of rows")
    rows = [_read_row(*fields) for fields in _ROW.iter_unpack(data[_HEADER.size :])]
    _check_order(rows[:sends])
    _check_order(rows[sends:])
    number = int.from_bytes(overlay_id, "big")
    return Bundle(number, workload_id, tuple(rows[:sends]), tuple(rows[sends:]))


def bundle_text(bundle: Bundle) -> str:
    """Return a bundle as base64url without padding."""
    return base64.urlsafe_b64encode(encode_bundle(bundle)).decode().rstrip("=")


def parse_bundle_text(text: str) -> Bundle:
    """Read base64url without padding, in its one spelling. Raises: OVL0030."""
    try:
        padded = text + "=" * (-len(text) % 4)
        data = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _malformed("it is not base64url") from None
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise _malformed("it is not base64url in its one spelling")
    return decode_bundle(data)


def _workload(overlay: Overlay, workload_id: int) -> Workload:
    workload = overlay.workloads_by_id.get(workload_id)
    if workload is None:
        message = f"the overlay has no workload {workload_id}"
        raise OverlayError.of("OVL0031", message)
    if workload.revoked:
        message = f"workload {workload_id} is revoked and gets no keys"
        raise OverlayError.of("OVL0031", message)
    return workload


def _secret(overlay: Overlay, key: MasterKey, target_id: int) -> bytes:
    if target_id not in overlay.targets_by_id:
        raise OverlayError.of("OVL0031", f"the overlay has no target {target_id}")
    return target_secret(key.secret, overlay.id, key.id, target_id)


def _read_row(target_id: int, key_id: int, zeros: bytes, key: bytes) -> BundleRow:
    if target_id == 0 or key_id == 0 or zeros != _ZEROS:
        raise _malformed("a row is out of range")
    return BundleRow(target_id, key_id, key)


def _check_order(rows: Sequence[BundleRow]) -> None:
    names = [(row.target_id, row.key_id) for row in rows]
    if any(first >= second for first, second in pairwise(names)):
        raise _malformed("its rows are not in order")


def _malformed(reason: str) -> ToolError:
    return OverlayError.of("OVL0030", f"the key bundle is malformed: {reason}")

"""Derive authorization keys: the reference that the filter is tested against.

Where in the pipeline: master secret -> receiving secrets S -> pairwise keys K -> MAC
-> header text. `bundle` hands out S and K; the filter makes and checks MACs. A plain
key is good for an epoch, a strict one for one request.

    S(target)  HKDF-SHA-256(ikm = master secret, no salt, length 32,
               info = "pepmesh target v1", overlay id 5, key id 1, target id 4)
    K(source)  HMAC-SHA-256(S, the 12 bytes of the source workload's /96)
    MAC        first 16 bytes of HMAC-SHA-256(K, "v1", overlay id 5, key id 1,
               epoch 8, source address 16, target id 4)
    header     v1.<key id>.<epoch>.<target id>.<MAC in base64url, 22 characters>

    strict     first 16 bytes of HMAC-SHA-256(K, head, milliseconds since 1970 8, last
               4 bytes of the source address, nonce 8, lengths of method 4, authority
               4, path 4, then method, authority, path)
    head       "v2", overlay id 5, key id 1, 0 8, source /96 12, 0 4, target id 4, 0 28
    header     v2.<key id>.<milliseconds>.<target id>.<MAC, nonce in base64url, 32>

Numbers are unsigned, most significant byte first; in the header decimal without
leading zeros. No salt is RFC 5869's 32 zero bytes. Every field has a fixed length or
its length before it, so no two inputs spell alike. Nothing here stores or prints a
secret.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, replace
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from generator.overlay.address import OverlayAddress

ADDRESS_HEADER: Final = "x-overlay-src"
KEY_HEADER: Final = "x-overlay-key"

SECRET_BYTES: Final = 32
MAC_BYTES: Final = 16
MAX_KEY_ID: Final = 255
EPOCH_SECONDS: Final = 30
NONCE_BYTES: Final = 8

_TARGET_INFO: Final = b"pepmesh target v1"
_PLAIN: Final = "v1"
_STRICT: Final = "v2"
_BLOCK_BYTES: Final = 64


def target_secret(
    master_secret: bytes, overlay_id: int, key_id: int, target_id: int
) -> bytes:
    """Return S: what the workloads that serve a target hold for one key id."""
    if len(master_secret) != SECRET_BYTES:
        raise ValueError("a master secret has 32 bytes")
    info = _TARGET_INFO + _overlay_and_key(overlay_id, key_id) + _u32(target_id)
    hkdf = HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=info)
    return hkdf.derive(master_secret)


def pair_key(secret: bytes, source_prefix: bytes) -> bytes:
    """Return K: what a source workload (its 12-byte /96 prefix) holds for a target."""
    if len(secret) != SECRET_BYTES or len(source_prefix) != 12:
        raise ValueError("a receiving secret has 32 bytes, a /96 prefix 12")
    return hmac.digest(secret, source_prefix, "sha256")


def epoch_of(unix_seconds: float) -> int:
    """Return the epoch of a moment."""
    return int(unix_seconds) // EPOCH_SECONDS


def mac(
    key: bytes, *, key_id: int, epoch: int, source: OverlayAddress, target_id: int
) -> bytes:
    """Return the 16 bytes that prove that the sender holds `key` now."""
    message = _head(_PLAIN, key_id, epoch, source, target_id)
    return hmac.digest(key, message, "sha256")[:MAC_BYTES]


def key_header(
    key: bytes, *, key_id: int, epoch: int, source: OverlayAddress, target_id: int
) -> str:
    """Return the value of the key header."""
    value = mac(key, key_id=key_id, epoch=epoch, source=source, target_id=target_id)
    return f"{_PLAIN}.{key_id}.{epoch}.{target_id}.{_base64url(value)}"


@dataclass(frozen=True, slots=True)
class BoundRequest:
    """What a strict key holds for: one request, at one moment, once.

    `path` is the whole request target, query included, as the sender's filter sees it.
    """

    method: bytes
    authority: bytes
    path: bytes
    time_ms: int
    nonce: bytes


def strict_mac(
    key: bytes,
    request: BoundRequest,
    *,
    key_id: int,
    source: OverlayAddress,
    target_id: int,
) -> bytes:
    """Return the 16 bytes that prove that the sender holds `key` and asked for this."""
    if len(request.nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
    whole = replace(source, instance=0)
    texts = request.method, request.authority, request.path
    message = b"".join(
        (
            _head(_STRICT, key_id, 0, whole, target_id).ljust(_BLOCK_BYTES, b"\0"),
            request.time_ms.to_bytes(8, "big"),
            source.packed[12:],
            request.nonce,
            *(len(text).to_bytes(4, "big") for text in texts),
            *texts,
        )
    )
    return hmac.digest(key, message, "sha256")[:MAC_BYTES]


def strict_key_header(
    key: bytes,
    request: BoundRequest,
    *,
    key_id: int,
    source: OverlayAddress,
    target_id: int,
) -> str:
    """Return the value of the key header of one request."""
    value = strict_mac(key, request, key_id=key_id, source=source, target_id=target_id)
    text = _base64url(value + request.nonce)
    return f"{_STRICT}.{key_id}.{request.time_ms}.{target_id}.{text}"


def _head(
    version: str, key_id: int, moment: int, source: OverlayAddress, target_id: int
) -> bytes:
    """Return what every message begins with."""
    return b"".join(
        (
            version.encode(),
            _overlay_and_key(source.overlay_id, key_id),
            moment.to_bytes(8, "big"),
            source.packed,
            _u32(target_id),
        )
    )


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _overlay_and_key(overlay_id: int, key_id: int) -> bytes:
    if not 1 <= key_id <= MAX_KEY_ID:
        raise ValueError(f"key id {key_id} is not within 1 to {MAX_KEY_ID}")
    return overlay_id.to_bytes(5, "big") + bytes([key_id])


def _u32(target_id: int) -> bytes:
    if target_id < 1:
        raise ValueError(f"target ids count from 1, not {target_id}")
    return target_id.to_bytes(4, "big")

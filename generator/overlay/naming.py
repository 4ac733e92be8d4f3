"""The name and the 40-bit id of an overlay.

By default the id follows from the name, so that two checkouts agree without a file:
the first 5 bytes of SHA-256("pepmesh overlay " + name). RFC 4193 asks for a random
id, which makes unrelated networks unlikely to meet; here two overlays of one name
have one address block. That matters only if they are connected or share a lock file
or master keys; then give one of them an id of its own.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from generator.errors import OverlayError
from generator.source import Span

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ID: Final = re.compile(r"[0-9a-f]{10}")


def default_overlay_id(name: str) -> int:
    """Return the id that follows from a name."""
    digest = hashlib.sha256(f"pepmesh overlay {name}".encode()).digest()
    return int.from_bytes(digest[:5], "big")


def check_overlay_name(name: str, span: Span | None = None) -> str:
    """Return the name. Raises: OverlayError OVL0007 unless it is a DNS label."""
    if not _NAME.fullmatch(name):
        raise OverlayError.of("OVL0007", f"{name!a} is not an overlay name", span)
    return name


def parse_overlay_id(text: str, span: Span | None = None) -> int:
    """Read 10 lower-case hex digits. Raises: OverlayError OVL0007."""
    if not _ID.fullmatch(text):
        raise OverlayError.of("OVL0007", f"{text!a} is not an overlay id", span)
    return int(text, 16)


def overlay_id_text(overlay_id: int) -> str:
    """Spell an overlay id the way `parse_overlay_id` reads it."""
    return f"{overlay_id:010x}"

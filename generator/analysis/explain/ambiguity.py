"""Say why a path can be read in two ways.

    why_ambiguous("/a%2Fb")   "%2F is a slash to some servers and not to others"

Which paths those are is decided elsewhere (generator/policy/DESIGN.md has the table);
this finds the words. A path that is not ambiguous has no reason.
"""

from __future__ import annotations

import re
from typing import Final

from generator.policy.oracle_http import MAX_PATH_BYTES, normal_form

_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_ENCODED_HIGH: Final = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")
_SHOWN_CHARACTERS: Final = 80


def shown_path(target: str) -> str:
    """Spell a path for a sentence, without its query; any character is visible."""
    path = target.partition("?")[0]
    if len(path) > _SHOWN_CHARACTERS:
        path = path[: _SHOWN_CHARACTERS - 3] + "..."
    return shown_text(path)


def shown_text(text: str) -> str:
    """Spell what a client may send: nothing of it acts on a terminal."""
    return text if text.isascii() and text.isprintable() else ascii(text)


def why_ambiguous(target: str) -> str | None:
    """Return the reason, as the end of a sentence; None: there is one reading."""
    if normal_form(target) is not None:
        return None
    path = target.partition("?")[0]
    return (
        _odd_characters(path)
        or _odd_encodings(path)
        or 'it climbs above the root with ".."'
    )


def _odd_characters(path: str) -> str | None:
    if not path.startswith("/"):
        return "it does not start with a slash"
    if len(path.encode()) > MAX_PATH_BYTES:
        return f"it is longer than {MAX_PATH_BYTES} bytes"
    for character, name in (("\\", "a backslash"), ("#", "a #"), (" ", "a space")):
        if character in path:
            return f"it has {name}"
    if ";" in path:
        return "its ; starts path parameters to some servers and not to others"
    if not path.isascii():
        return "it has characters that must be percent-encoded"
    if not path.isprintable():
        return "it has a control character"
    return None


def _odd_encodings(path: str) -> str | None:
    if "%" in _ENCODED.sub("", path):
        return "a % is not followed by two hex digits"
    for encoded in _ENCODED.finditer(path):
        byte = int(encoded[1], 16)
        if byte in b"/\\":
            name = "slash" if byte == ord("/") else "backslash"
            return f"{encoded[0]} is a {name} to some servers and not to others"
        if byte < 0x20 or byte == 0x7F:
            return f"{encoded[0]} is an encoded control character"
    for run in _ENCODED_HIGH.findall(path):
        try:
            bytes.fromhex(run.replace("%", "")).decode()
        except UnicodeDecodeError:
            return f"{run[:24]} is not UTF-8 in its shortest form"
    return None

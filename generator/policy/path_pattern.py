"""Check that a path pattern is in normal form, and say what to write if it is not.

Part of `http_reader`. Requests are brought to normal form before they are compared
(DESIGN.md has the table), so a pattern in any other form would match nothing: silent
for Accept, and open for Deny. Nothing is repaired here, and nothing here is used on
requests. A pattern is no regular expression: `.`, `*`, `+`, `$`, `(` and `)`, which
URLs allow, stand for themselves, and what URLs do not allow is refused.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from generator.policy.fields import Value
from generator.policy.model import PathKind

MOST_CHARACTERS: Final = 1024

_PLAIN: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@"
)
"""What a segment may hold as it is: `pchar` of RFC 3986 without `%` and `;`."""

_EVERY_PATH: Final = 'a path starts with "/"; prefix: / holds for every path'
_NO_EXPRESSION: Final = "paths are not regular expressions"
_DENIED: Final = "a request with it can be read in two ways and is denied anyway"
_SEMICOLON: Final = (
    "; starts path parameters to some servers: a request with it is denied anyway; "
    'write "%3B" for the character'
)
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_ENCODED_RUN: Final = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")
_WILDCARDS: Final = ("{*}", "{**}")


def read_pattern(value: Value, kind: PathKind) -> str:
    """Read a pattern of a kind. Raises: PolicyError POL0057 to POL0060."""
    text = value.text()
    fixed = _without_wildcards(value, text) if kind is PathKind.TEMPLATE else text
    _check_characters(value, fixed, kind)
    if not text.startswith("/"):
        raise value.error("POL0057", f'"{text}" does not start with "/"', _EVERY_PATH)
    if len(text) > MOST_CHARACTERS:
        message = f"{len(text)} characters, at most {MOST_CHARACTERS} are allowed"
        raise value.error("POL0057", message)
    _check_encodings(value, fixed)
    _check_segments(value, fixed)
    return text


def has_literal_star(text: str) -> bool:
    """Tell whether a pattern has a `*` that stands for itself: few people mean it."""
    return any("*" in part for part in text.split("/") if part not in _WILDCARDS)


def _without_wildcards(value: Value, text: str) -> str:
    """Return a template with `*` for each wildcard; each is a segment of its own."""
    *others, last = text.split("/")
    for segment in others:
        if segment == "{**}":
            hint = "write {*} for one segment; {**} is for all that follow"
            raise value.error("POL0059", "{**} is not the last segment", hint)
    for segment in (*others, last):
        if segment not in _WILDCARDS and ("{" in segment or "}" in segment):
            message = f'"{segment}" is no wildcard'
            raise value.error("POL0059", message)
    kept = ("*" if part in _WILDCARDS else part for part in (*others, last))
    return "/".join(kept)


def _check_characters(value: Value, text: str, kind: PathKind) -> None:
    """Refuse what no path holds as it is."""
    for character in text:
        if character in _PLAIN or character in "/%":
            continue
        shown = f"{character!r} cannot stand in a path"
        encoded = quote(character, safe="")
        match character:
            case "?":
                hint = "the query is not compared: write what stands before the ?"
                raise value.error("POL0057", shown, hint)
            case "#":
                hint = "no request has a fragment: write what stands before the #"
                raise value.error("POL0057", shown, hint)
            case "\\":
                raise value.error("POL0060", shown, f"{_DENIED}; {_NO_EXPRESSION}")
            case ";":
                raise value.error("POL0060", shown, _SEMICOLON)
            case "{" | "}" if kind is not PathKind.TEMPLATE:
                hint = "{*} and {**} are for template:"
                raise value.error("POL0058", shown, hint)
            case "[" | "]" | "^" | "|" | "{" | "}":
                hint = f"{_NO_EXPRESSION}; {encoded} stands for {character}"
                raise value.error("POL0058", shown, hint)
            case _ if character < " " or character == "\x7f":
                raise value.error("POL0060", shown, _DENIED)
            case _:
                raise value.error("POL0057", shown, f'write "{encoded}"')


def _check_encodings(value: Value, text: str) -> None:
    """Refuse encodings that requests in normal form do not have."""
    rest = _ENCODED.sub("", text)
    if "%" in rest:
        message = "a % that two hex digits do not follow"
        raise value.error("POL0060", message, 'write "%25" for a percent sign')
    for found in _ENCODED.finditer(text):
        _check_encoding(value, found[0], chr(int(found[1], 16)))
    for found in _ENCODED_RUN.finditer(text):
        try:
            bytes.fromhex(found[0].replace("%", "")).decode()
        except UnicodeDecodeError:
            message = f"{found[0]} is not UTF-8"
            raise value.error("POL0060", message, _DENIED) from None


def _check_encoding(value: Value, shown: str, character: str) -> None:
    if character in "/\\" or character < " " or character == "\x7f":
        raise value.error("POL0060", f"{shown} cannot stand in a path", _DENIED)
    if character in _PLAIN:
        message = f'{shown} is another spelling of "{character}"'
        raise value.error("POL0057", message, f'write "{character}"')
    if shown != shown.upper():
        message = f"{shown} has a hex digit in lower case"
        raise value.error("POL0057", message, f'write "{shown.upper()}"')


def _check_segments(value: Value, text: str) -> None:
    if "//" in text:
        raise value.error("POL0057", '"//" in a path', 'write "/"')
    for segment in text.split("/"):
        if segment in (".", ".."):
            message = f'the path has a segment "{segment}"'
            hint = "write the path that it leads to"
            raise value.error("POL0057", message, hint)

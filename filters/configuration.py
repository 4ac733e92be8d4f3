"""The plugin configuration: a small JSON object, read strictly.

    {"bundle": "<base64url>" | "bundleEnv": "NAME",
     "direction": "inbound" | "outbound",            optional: ask the listener
     "sourceAddress": "any",                         optional: proofs from anywhere
     "keyMode": "permissive" | "strict",             optional: a key for each request
     "endpoint": {"namespace": "...", "serviceAccount": "...",
                  "address": "...", "labels": {"key": "value"}}}   optional

Unknown members, repeated members, escapes in strings and anything after the object
are refused: what is not understood here must not be half applied. `read` leaves the
places of the values in CONFIGURATION, as offsets into the text that it was given.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from filters.lang import View, record, u32

QUOTE: Final = 34
COMMA: Final = 44
COLON: Final = 58
BACKSLASH: Final = 92
OPEN: Final = 123
CLOSE: Final = 125


class Step(IntEnum):
    """What `next_member` found."""

    END = 0
    MEMBER = 1
    MALFORMED = 2


class Direction(IntEnum):
    UNKNOWN = 0
    INBOUND = 1
    OUTBOUND = 2


class KeyMode(IntEnum):
    """Which keys are sent, and which taken. Strict ones are always taken."""

    PLAIN = 0  # sends plain keys, takes both
    PERMISSIVE = 1  # sends strict keys, takes both
    STRICT = 2  # sends and takes strict keys


@record
class Configuration:
    """Places in the text; an end of 0 means that the member is absent."""

    bundle: u32 = 0
    bundle_end: u32 = 0
    bundle_env: u32 = 0
    bundle_env_end: u32 = 0
    direction: u32 = 0
    takes_any_address: bool = False
    key_mode: u32 = 0
    has_endpoint: bool = False
    namespace: u32 = 0
    namespace_end: u32 = 0
    service_account: u32 = 0
    service_account_end: u32 = 0
    address: u32 = 0
    address_end: u32 = 0
    labels: u32 = 0


CONFIGURATION = Configuration()

# The member that `next_member` found last: its key, and the place of its value.
key_start: u32 = 0
key_end: u32 = 0
value_at: u32 = 0


def read(text: View) -> bool:
    """Read a whole configuration; False if any of it is not understood."""
    forget()
    end = read_top(text, skip_space(text, 0))
    if end == 0 or skip_space(text, end) != len(text):
        return False
    return (CONFIGURATION.bundle_end == 0) != (CONFIGURATION.bundle_env_end == 0)


def forget() -> None:
    CONFIGURATION.bundle_end = 0
    CONFIGURATION.bundle_env_end = 0
    CONFIGURATION.direction = Direction.UNKNOWN
    CONFIGURATION.takes_any_address = False
    CONFIGURATION.key_mode = KeyMode.PLAIN
    CONFIGURATION.has_endpoint = False
    CONFIGURATION.namespace_end = 0
    CONFIGURATION.service_account_end = 0
    CONFIGURATION.address_end = 0
    CONFIGURATION.labels = 0


# --- members ---------------------------------------------------------------------


def read_top(text: View, start: u32) -> u32:
    """Read the outer object; return the place after it, or 0."""
    at = start
    step = next_member(text, at, True)
    while step == Step.MEMBER:
        at = read_top_member(text, text[key_start:key_end])
        if at == 0:
            return 0
        step = next_member(text, at, False)
    return value_at if step == Step.END else 0


def read_top_member(text: View, key: View) -> u32:
    at = value_at
    end = string_end(text, at)
    if key == b"bundle" and end != 0 and CONFIGURATION.bundle_end == 0:
        CONFIGURATION.bundle = u32(at + 1)
        CONFIGURATION.bundle_end = u32(end - 1)
        return end
    if key == b"bundleEnv" and end != 0 and CONFIGURATION.bundle_env_end == 0:
        CONFIGURATION.bundle_env = u32(at + 1)
        CONFIGURATION.bundle_env_end = u32(end - 1)
        return end
    if key == b"direction" and end != 0 and CONFIGURATION.direction == 0:
        return end if read_direction(text[u32(at + 1) : u32(end - 1)]) else 0
    if key == b"sourceAddress" and not CONFIGURATION.takes_any_address:
        CONFIGURATION.takes_any_address = text[at:end] == b'"any"'
        return end if CONFIGURATION.takes_any_address else 0
    if key == b"keyMode" and CONFIGURATION.key_mode == KeyMode.PLAIN:
        CONFIGURATION.key_mode = key_mode(text[at:end])
        return end if CONFIGURATION.key_mode != KeyMode.PLAIN else 0
    if key == b"endpoint" and not CONFIGURATION.has_endpoint:
        CONFIGURATION.has_endpoint = True
        return read_endpoint(text, at)
    return 0


def read_direction(word: View) -> bool:
    if word == b"inbound":
        CONFIGURATION.direction = Direction.INBOUND
        return True
    if word == b"outbound":
        CONFIGURATION.direction = Direction.OUTBOUND
        return True
    return False


def key_mode(word: View) -> u32:
    """The mode that a quoted word names, or PLAIN, which nobody needs to ask for."""
    if word == b'"strict"':
        return KeyMode.STRICT
    return KeyMode.PERMISSIVE if word == b'"permissive"' else KeyMode.PLAIN


def read_endpoint(text: View, start: u32) -> u32:
    at = start
    step = next_member(text, at, True)
    while step == Step.MEMBER:
        at = read_endpoint_member(text, text[key_start:key_end])
        if at == 0:
            return 0
        step = next_member(text, at, False)
    if step != Step.END or CONFIGURATION.namespace_end == 0:
        return 0
    if CONFIGURATION.service_account_end == 0 or CONFIGURATION.address_end == 0:
        return 0
    return value_at


def read_endpoint_member(text: View, key: View) -> u32:
    at = value_at
    end = string_end(text, at)
    if key == b"namespace" and end != 0 and CONFIGURATION.namespace_end == 0:
        CONFIGURATION.namespace = u32(at + 1)
        CONFIGURATION.namespace_end = u32(end - 1)
        return end
    if key == b"serviceAccount" and end != 0 and CONFIGURATION.service_account_end == 0:
        CONFIGURATION.service_account = u32(at + 1)
        CONFIGURATION.service_account_end = u32(end - 1)
        return end
    if key == b"address" and end != 0 and CONFIGURATION.address_end == 0:
        CONFIGURATION.address = u32(at + 1)
        CONFIGURATION.address_end = u32(end - 1)
        return end
    if key == b"labels" and CONFIGURATION.labels == 0:
        CONFIGURATION.labels = at
        return skip_labels(text, at)
    return 0


def skip_labels(text: View, start: u32) -> u32:
    """Check an object of strings; return the place after it, or 0."""
    at = start
    step = next_member(text, at, True)
    while step == Step.MEMBER:
        at = string_end(text, value_at)
        if at == 0:
            return 0
        step = next_member(text, at, False)
    return value_at if step == Step.END else 0


def find_label(text: View, key: View) -> tuple[bool, u32, u32]:
    """Find a label of the endpoint: whether it is there, and its value's place."""
    if CONFIGURATION.labels == 0:
        return False, 0, 0
    step = next_member(text, CONFIGURATION.labels, True)
    while step == Step.MEMBER:
        end = string_end(text, value_at)
        if text[key_start:key_end] == key:
            return True, u32(value_at + 1), u32(end - 1)
        step = next_member(text, end, False)
    return False, 0, 0


# --- JSON ------------------------------------------------------------------------


def byte_at(text: View, at: u32) -> u32:
    """The byte at a place, or 0 past the end."""
    return text[at] if at < len(text) else 0


def skip_space(text: View, start: u32) -> u32:
    for at in range(start, len(text)):
        character = text[at]
        if character != 32 and character != 9 and character != 10 and character != 13:
            return at
    return len(text)


def string_end(text: View, start: u32) -> u32:
    """The place after the string that opens at `start`, or 0 if none does."""
    if byte_at(text, start) != QUOTE:
        return 0
    for at in range(u32(start + 1), len(text)):
        character = text[at]
        if character == QUOTE:
            return u32(at + 1)
        if character == BACKSLASH or character < 32:
            return 0
    return 0


def next_member(text: View, start: u32, is_first: bool) -> u32:
    """Step to the next member of an object; set the key and the value's place.

    `start` is the opening brace (first) or the place after the value before. At the
    end `value_at` is the place after the closing brace.
    """
    global key_start, key_end, value_at
    at = skip_space(text, start)
    if is_first:
        if byte_at(text, at) != OPEN:
            return Step.MALFORMED
        at = skip_space(text, u32(at + 1))
    if byte_at(text, at) == CLOSE:
        value_at = u32(at + 1)
        return Step.END
    if not is_first:
        if byte_at(text, at) != COMMA:
            return Step.MALFORMED
        at = skip_space(text, u32(at + 1))
    end = string_end(text, at)
    if end == 0:
        return Step.MALFORMED
    key_start = u32(at + 1)
    key_end = u32(end - 1)
    at = skip_space(text, end)
    if byte_at(text, at) != COLON:
        return Step.MALFORMED
    value_at = skip_space(text, u32(at + 1))
    return Step.MEMBER

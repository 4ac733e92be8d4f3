"""The proxy's environment variables, the one way to hand a filter a Secret's value.

The plugin's configuration names the variables (`vmConfig.env` in Istio); the values
are read when the VM starts and change only with it. Envoy strings, not terminals: a
value may hold anything but a zero byte.
"""

from __future__ import annotations

from filters.abi import Errno
from filters.lang import Buffer, View, u32
from filters.wasi import environ_get, environ_sizes_get


def read_environment(pointers: Buffer, text: Buffer) -> tuple[bool, u32]:
    """Fill `text` with `NAME=value` strings, each ended by a zero byte.

    Returns whether that worked and the bytes used. False if a buffer is too small:
    `pointers` needs four bytes for each variable.
    """
    error, count, size = environ_sizes_get()
    if error != Errno.SUCCESS or count * 4 > len(pointers) or size > len(text):
        return False, 0
    if environ_get(pointers, text) != Errno.SUCCESS:
        return False, 0
    return True, size


def environment_value(text: View, name: View) -> tuple[bool, View]:
    """Return whether a variable is set, and its value."""
    start: u32 = 0
    for at in range(len(text)):
        if text[at] == 0:
            entry = text[start:at]
            if is_variable(entry, name):
                return True, entry[u32(len(name) + 1) : len(entry)]
            start = u32(at + 1)
    return False, b""


def is_variable(entry: View, name: View) -> bool:
    """Tell whether `entry` is `name=...`."""
    if len(entry) <= len(name) or entry[0 : len(name)] != name:
        return False
    return entry[len(name)] == 61

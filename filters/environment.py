"""The proxy's environment variables, the one way to hand a filter a Secret's value.

The plugin's configuration names the variables (`vmConfig.env` in Istio); the values
are read when the VM starts and change only with it. Envoy strings, not terminals: a
value may hold anything but a zero byte.
"""

from __future__ import annotations

from filters.abi import Errno
from filters.lang import View, scratch, u32
from filters.wasi import environ_get, environ_sizes_get


def read_environment() -> tuple[bool, View]:
    """Return all variables as `NAME=value` strings, each ended by a zero byte.

    False if they cannot be read or the arena has no room for them.
    """
    error, count, size = environ_sizes_get()
    pointers = scratch(u32(count * 4))
    text = scratch(size)
    if error != Errno.SUCCESS or len(pointers) < count * 4 or len(text) < size:
        return False, b""
    if environ_get(pointers, text) != Errno.SUCCESS:
        return False, b""
    return True, text[0:size]


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

"""A guest that lets tests admit and release key bundles, and look at their bytes.

Input is the VM configuration, output is the property "out".
"""

from __future__ import annotations

from filters.abi import BufferType
from filters.bundle import BUNDLES, KEYS, admit, release
from filters.hostcalls import proxy_get_buffer_bytes, proxy_set_property
from filters.lang import export, u32


@export
def probe_admit() -> u32:
    _, data = proxy_get_buffer_bytes(BufferType.VM_CONFIGURATION, 0, 65536)
    return admit(data)


@export
def probe_release(slot: u32) -> None:
    release(slot)


@export
def probe_bundle(slot: u32) -> None:
    """Tell all bytes of a bundle."""
    bundle = BUNDLES[slot]
    proxy_set_property(b"out", KEYS[bundle.start : u32(bundle.start + bundle.size)])


@export
def probe_keys() -> None:
    """Tell all key bytes, used or not."""
    proxy_set_property(b"out", KEYS[0 : len(KEYS)])

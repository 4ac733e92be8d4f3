"""Plugin contexts and the streams that belong to them.

All that a configuration brings hangs off its root and goes with it: after an update
the old and the new root live in one linear memory until the last old stream ends.

A stream's root is learnt in `proxy_on_context_create`, which Envoy calls right before
the stream's first callback. Only the latest streams are kept, one per slot: a stream
whose slot was taken has no root, which means denied.
"""

from __future__ import annotations

from typing import Final

from filters.bundle import release
from filters.lang import Buffer, Pool, Words, record, u32
from filters.layout import NONE
from filters.pads import forget_all

MAX_ROOTS: Final = 8
RECENT: Final = 64
TEXT_BYTES: Final = 40


@record
class Root:
    """One plugin context. `workload` NONE: no identity. `bundle` NONE: no secrets.

    `serial` is of its configuration: never 0, never the same twice.
    """

    context_id: u32 = 0  # 0: free
    serial: u32 = 0
    is_ready: bool = False
    direction: u32 = 0
    takes_any_address: bool = False
    key_mode: u32 = 0
    workload: u32 = 0xFFFFFFFF
    bundle: u32 = 0xFFFFFFFF


ROOTS = Pool(Root, MAX_ROOTS)
ADDRESSES = Words(MAX_ROOTS * 4)
ADDRESS_TEXTS = Buffer(MAX_ROOTS * TEXT_BYTES)

serials: u32 = 0

RECENT_CONTEXTS = Words(RECENT)
RECENT_ROOTS = Words(RECENT)


def add_context(context_id: u32, parent: u32) -> None:
    if parent == 0:
        add_root(context_id)
    else:
        RECENT_CONTEXTS[context_id & (RECENT - 1)] = context_id
        RECENT_ROOTS[context_id & (RECENT - 1)] = find_root(parent)


def add_root(context_id: u32) -> None:
    """Take a free root; without one the configuration will be refused."""
    for i in range(MAX_ROOTS):
        root = ROOTS[i]
        if root.context_id == 0:
            root.context_id = context_id
            root.is_ready = False
            root.direction = 0
            root.workload = NONE
            root.bundle = NONE
            return


def new_serial() -> u32:
    """Number a configuration."""
    global serials
    serials = u32(serials + 1)
    return serials


def find_root(context_id: u32) -> u32:
    """The number of a root context, or NONE."""
    for i in range(MAX_ROOTS):
        if ROOTS[i].context_id == context_id:
            return i
    return NONE


def root_of_stream(context_id: u32) -> u32:
    """The number of the configured root of a stream, or NONE."""
    slot = context_id & (RECENT - 1)
    if RECENT_CONTEXTS[slot] != context_id or context_id == 0:
        return NONE
    number = RECENT_ROOTS[slot]
    if number == NONE or not ROOTS[number].is_ready:
        return NONE
    return number


def remove_context(context_id: u32) -> None:
    """Forget a root and its secrets; forget a stream."""
    slot = context_id & (RECENT - 1)
    if RECENT_CONTEXTS[slot] == context_id:
        RECENT_CONTEXTS[slot] = 0
    number = find_root(context_id)
    if context_id != 0 and number != NONE:
        root = ROOTS[number]
        root.context_id = 0
        root.is_ready = False
        drop_bundle(root)


def drop_bundle(root: Root) -> None:
    if root.bundle != NONE:
        release(root.bundle)
        forget_all()
        root.bundle = NONE

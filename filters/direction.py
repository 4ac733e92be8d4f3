"""Which way a connection goes: the configuration says it, or its listener does.

A plugin that is loaded for both directions with one configuration (as Istio has it) has
to ask. On the way out the answer is kept as an empty property of the connection, so
that later requests only ask whether it is there: the host copies nothing into the
guest. On the way in that is not needed, since filters/binding.py implies it.
"""

from __future__ import annotations

from typing import Final

from filters.abi import Status, TrafficDirection
from filters.configuration import Direction
from filters.hostcalls import (
    proxy_call_foreign_function,
    proxy_get_property,
    proxy_set_property,
)
from filters.lang import load_u32, u32

# declare_property: name, type string, span of the connection.
DECLARE_OUTBOUND: Final = b"\x0a\x10pepmesh_outbound\x18\x01\x28\x02"
OUTBOUND_NAME: Final = b"pepmesh_outbound"


def declare_direction() -> None:
    """Fix how long the property lives; a repeated declaration is refused, harmless."""
    proxy_call_foreign_function(b"declare_property", DECLARE_OUTBOUND)


def connection_direction() -> u32:
    """The direction of this request's connection, which never changes."""
    status, _ = proxy_get_property(OUTBOUND_NAME)
    if status == Status.OK:
        return Direction.OUTBOUND
    direction = listener_direction()
    if direction == Direction.OUTBOUND:
        proxy_set_property(OUTBOUND_NAME, b"")
    return direction


def listener_direction() -> u32:
    status, value = proxy_get_property(b"xds\0listener_direction")
    if status == Status.OK and len(value) == 8 and load_u32(value, 4) == 0:
        if load_u32(value, 0) == TrafficDirection.INBOUND:
            return Direction.INBOUND
        if load_u32(value, 0) == TrafficDirection.OUTBOUND:
            return Direction.OUTBOUND
    return Direction.UNKNOWN

"""Properties: building paths, reading numbers, declaring one's own.

A path is segments with a zero byte between them, so a constant path is a literal:
`b"source\0address"`. The old top-level names (`node`, `route_name`, ...) are gone from
Envoy since 1.33; use `xds.*`. `source.address` follows X-Forwarded-For in Istio's
sidecars and can be forged: judge by `connection.uri_san_peer_certificate`, or by what
a network filter stored through `declare_property`.
"""

from __future__ import annotations

from typing import Final

from filters.abi import Status
from filters.hostcalls import proxy_call_foreign_function, proxy_get_property
from filters.lang import Buffer, View, load_u64, u8, u32, u64

MAX_DECLARED_NAME: Final = 100
DECLARATION: Final = Buffer(128)


def add_segment(out: Buffer, at: u32, segment: View) -> u32:
    """Append a segment to the path in `out[0:at]`; return the new size."""
    if at > 0:
        out[at] = 0
        at = u32(at + 1)
    out.put(at, segment)
    return u32(at + len(segment))


def read_bool_property(path: View) -> tuple[bool, bool]:
    """Return whether the property exists as a bool, and its value."""
    status, value = proxy_get_property(path)
    if status != Status.OK or len(value) != 1:
        return False, False
    return True, value[0] != 0


def read_u64_property(path: View) -> tuple[bool, u64]:
    """Return whether the property exists as a number, and its 64 bits."""
    status, value = proxy_get_property(path)
    if status != Status.OK or len(value) != 8:
        return False, 0
    return True, load_u64(value, 0)


def declare_property(name: View, kind: u32, span: u32) -> u32:
    """Fix type and life time of the property `name` before it is first set.

    Call it in `proxy_on_configure`. `kind` is a PropertyType, `span` a PropertySpan.
    Returns a Status; BAD_ARGUMENT for a name over MAX_DECLARED_NAME bytes.
    Shape: protobuf `DeclarePropertyArguments`: name = 1, type = 3, span = 5.
    """
    if len(name) > MAX_DECLARED_NAME:
        return Status.BAD_ARGUMENT
    DECLARATION[0] = 0x0A
    DECLARATION[1] = u8(len(name))
    DECLARATION.put(2, name)
    at = u32(len(name) + 2)
    DECLARATION[at] = 0x18
    DECLARATION[u32(at + 1)] = u8(kind & 0x7F)
    DECLARATION[u32(at + 2)] = 0x28
    DECLARATION[u32(at + 3)] = u8(span & 0x7F)
    status, _ = proxy_call_foreign_function(
        b"declare_property", DECLARATION[0 : u32(at + 4)]
    )
    return status

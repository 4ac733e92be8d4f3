"""Overlay addresses: the IPv6 ULA address of one endpoint, as bytes and as text.

Where in the pipeline: `workloads -> addresses`; the filter computes the same ones.
Layout, most significant bit first (design, section 4):

    fd | overlay id 40 | realm 16 | workload id 32 | instance 32     = 128 bits

so that a /48 is an overlay, a /64 a realm and a /96 a workload. Two texts exist:
`text` is RFC 5952, for people and policies; `wire_text` is what the address header
carries, always 39 characters, one spelling per address.

This module does not know which numbers are given to whom: see `lock`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final

from generator.errors import OverlayError, ToolError

ADDRESS_BYTES: Final = 16

MAX_OVERLAY_ID: Final = 2**40 - 1
MAX_REALM: Final = 2**16 - 1
MAX_WORKLOAD_ID: Final = 2**32 - 1
MAX_INSTANCE: Final = 2**32 - 1

_FIRST_BYTE: Final = 0xFD
_WIRE_TEXT: Final = re.compile(r"fd[0-9a-f]{2}(:[0-9a-f]{4}){7}")


@dataclass(frozen=True, slots=True, order=True)
class OverlayAddress:
    """The four numbers of an address. Realms and workload ids count from 1."""

    overlay_id: int
    realm: int
    workload_id: int
    instance: int

    def __post_init__(self) -> None:
        _check("overlay id", self.overlay_id, 0, MAX_OVERLAY_ID)
        _check("realm", self.realm, 1, MAX_REALM)
        _check("workload id", self.workload_id, 1, MAX_WORKLOAD_ID)
        _check("instance", self.instance, 0, MAX_INSTANCE)

    @property
    def packed(self) -> bytes:
        """The 16 bytes in network order."""
        prefix = workload_prefix(self.overlay_id, self.realm, self.workload_id)
        return prefix + self.instance.to_bytes(4, "big")

    @property
    def text(self) -> str:
        """Canonical lower-case IPv6 text."""
        return str(IPv6Address(self.packed))

    @property
    def wire_text(self) -> str:
        """Eight groups of four lower-case hex digits: the address header's value."""
        return IPv6Address(self.packed).exploded


def decode(packed: bytes) -> OverlayAddress:
    """Take 16 bytes apart. Raises: OverlayError OVL0050."""
    if len(packed) != ADDRESS_BYTES or packed[0] != _FIRST_BYTE:
        raise _not_an_address(packed.hex(":"))
    realm = int.from_bytes(packed[6:8], "big")
    workload_id = int.from_bytes(packed[8:12], "big")
    if not realm or not workload_id:
        raise _not_an_address(str(IPv6Address(packed)))
    overlay_id = int.from_bytes(packed[1:6], "big")
    return OverlayAddress(
        overlay_id, realm, workload_id, int.from_bytes(packed[12:], "big")
    )


def parse_text(text: str) -> OverlayAddress:
    """Read any spelling of IPv6 text. Raises: OverlayError OVL0050."""
    try:
        address = IPv6Address(text)
    except ValueError:
        raise _not_an_address(text) from None
    if address.scope_id is not None:
        raise _not_an_address(text)
    return decode(address.packed)


def parse_wire_text(text: str) -> OverlayAddress:
    """Read the header's form, and no other. Raises: OverlayError OVL0050."""
    if not _WIRE_TEXT.fullmatch(text):
        raise _not_an_address(text)
    return parse_text(text)


def overlay_prefix(overlay_id: int) -> bytes:
    """Return the 6 bytes that open every address of an overlay."""
    _check("overlay id", overlay_id, 0, MAX_OVERLAY_ID)
    return bytes([_FIRST_BYTE]) + overlay_id.to_bytes(5, "big")


def workload_prefix(overlay_id: int, realm: int, workload_id: int) -> bytes:
    """Return the 12 bytes (/96) that open every address of a workload."""
    _check("realm", realm, 1, MAX_REALM)
    _check("workload id", workload_id, 1, MAX_WORKLOAD_ID)
    realm_prefix = overlay_prefix(overlay_id) + realm.to_bytes(2, "big")
    return realm_prefix + workload_id.to_bytes(4, "big")


def overlay_network(overlay_id: int) -> IPv6Network:
    """Return the /48 of an overlay."""
    return _network(overlay_prefix(overlay_id))


def realm_network(overlay_id: int, realm: int) -> IPv6Network:
    """Return the /64 of a realm."""
    _check("realm", realm, 1, MAX_REALM)
    return _network(overlay_prefix(overlay_id) + realm.to_bytes(2, "big"))


def workload_network(overlay_id: int, realm: int, workload_id: int) -> IPv6Network:
    """Return the /96 of a workload."""
    return _network(workload_prefix(overlay_id, realm, workload_id))


def instance_of(underlay: IPv4Address | IPv6Address) -> int:
    """Return the instance part for an endpoint's underlay address.

    IPv4: the address itself. IPv6: the last 4 bytes, most significant first, of the
    SHA-256 of the 16 address bytes in network order, also for an IPv4-mapped address.
    """
    if isinstance(underlay, IPv4Address):
        return int(underlay)
    return int.from_bytes(hashlib.sha256(underlay.packed).digest()[-4:], "big")


def _network(prefix: bytes) -> IPv6Network:
    packed = prefix.ljust(ADDRESS_BYTES, b"\0")
    return IPv6Network((packed, len(prefix) * 8))


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} {value} is not within {low} to {high}")


def _not_an_address(text: str) -> ToolError:
    shown = text if len(text) <= 64 else text[:61] + "..."
    return OverlayError.of("OVL0050", f"{shown!a} is not an overlay address")

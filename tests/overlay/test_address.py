"""Overlay addresses: layout, the two texts, and what is refused."""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import OverlayError
from generator.overlay.address import (
    OverlayAddress,
    decode,
    instance_of,
    overlay_network,
    parse_text,
    parse_wire_text,
    realm_network,
    workload_network,
    workload_prefix,
)

ADDRESSES = st.builds(
    OverlayAddress,
    st.integers(0, 2**40 - 1),
    st.integers(1, 2**16 - 1),
    st.integers(1, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)
EXAMPLE = OverlayAddress(0xAABBCCDDEE, 0x0102, 0x03040506, 0x0A000001)


def test_layout_is_that_of_the_design() -> None:
    assert EXAMPLE.packed == bytes.fromhex("fd aabbccddee 0102 03040506 0a000001")
    assert EXAMPLE.wire_text == "fdaa:bbcc:ddee:0102:0304:0506:0a00:0001"
    assert EXAMPLE.text == "fdaa:bbcc:ddee:102:304:506:a00:1"
    assert OverlayAddress(0, 1, 1, 0).wire_text.startswith("fd00:0000:0000:0001:0000:")
    assert OverlayAddress(0, 1, 1, 0).text == "fd00::1:0:1:0:0"


def test_prefixes_nest() -> None:
    numbers = (EXAMPLE.overlay_id, EXAMPLE.realm, EXAMPLE.workload_id)
    overlay, realm = overlay_network(numbers[0]), realm_network(*numbers[:2])
    workload = workload_network(*numbers)
    assert (overlay.prefixlen, realm.prefixlen, workload.prefixlen) == (48, 64, 96)
    assert workload.subnet_of(realm)
    assert realm.subnet_of(overlay)
    assert IPv6Address(EXAMPLE.packed) in workload
    assert workload_prefix(*numbers) == EXAMPLE.packed[:12]


@given(ADDRESSES)
def test_every_form_comes_back(address: OverlayAddress) -> None:
    assert decode(address.packed) == address
    assert parse_text(address.text) == address
    assert parse_wire_text(address.wire_text) == address
    assert len(address.wire_text) == 39
    assert address.text == str(IPv6Address(address.wire_text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.1",  # IPv4 text
        EXAMPLE.wire_text.upper(),  # upper case
        EXAMPLE.text,  # the canonical text is not the wire form
        EXAMPLE.wire_text + "0",
        EXAMPLE.wire_text + "\n",
        EXAMPLE.wire_text.replace("fd", "fc"),
        EXAMPLE.wire_text.replace(":", "."),
        EXAMPLE.wire_text[:-1] + "g",
        "fdaa:bbcc:ddee:0000:0304:0506:0a00:0001",  # realms count from 1
        "fdaa:bbcc:ddee:0102:0000:0000:0a00:0001",  # so do workload ids
    ],
)
def test_wire_text_has_one_spelling(text: str) -> None:
    with pytest.raises(OverlayError, match="OVL0050"):
        parse_wire_text(text)


@pytest.mark.parametrize("text", ["x" * 500, "fc00::1", "fd00::%eth0", "fd00::1"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(OverlayError, match="OVL0050") as caught:
        parse_text(text)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("packed", [b"", bytes(16), EXAMPLE.packed + b"\0"])
def test_other_bytes_are_refused(packed: bytes) -> None:
    with pytest.raises(OverlayError, match="OVL0050"):
        decode(packed)


@pytest.mark.parametrize(
    "numbers",
    [(2**40, 1, 1, 0), (0, 0, 1, 0), (0, 2**16, 1, 0), (0, 1, 0, 0), (0, 1, 1, 2**32)],
)
def test_numbers_out_of_range_are_a_bug(numbers: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="is not within"):
        OverlayAddress(*numbers)


def test_instance_of_ipv4_is_the_address() -> None:
    assert instance_of(IPv4Address("10.0.0.1")) == 0x0A000001


def test_instance_of_ipv6_is_the_end_of_its_digest() -> None:
    address = IPv6Address("2001:db8::1")
    digest = hashlib.sha256(bytes.fromhex("20010db8" + "0" * 22 + "01")).hexdigest()
    assert f"{instance_of(address):08x}" == digest[-8:]


def test_instance_of_mapped_ipv6_is_that_of_ipv6() -> None:
    mapped = IPv6Address("::ffff:10.0.0.1")
    digest = hashlib.sha256(mapped.packed).digest()
    assert instance_of(mapped) == int.from_bytes(digest[28:], "big")

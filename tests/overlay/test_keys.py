"""Key derivation against HKDF and HMAC done by hand (RFC 5869, RFC 2104)."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.overlay.address import OverlayAddress
from generator.overlay.keys import epoch_of, key_header, mac, pair_key, target_secret
from tests.overlay.test_address import ADDRESSES

SECRETS = st.binary(min_size=32, max_size=32)
KEY_IDS = st.integers(1, 255)
TARGETS = st.integers(1, 2**32 - 1)
SOURCE = OverlayAddress(0xAABBCCDDEE, 1, 7, 0x0A000001)


def hmac_by_hand(key: bytes, message: bytes) -> bytes:
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in padded) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in padded) + inner).digest()


def test_the_hand_agrees_with_rfc_4231() -> None:
    expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    assert hmac_by_hand(b"\x0b" * 20, b"Hi There").hex() == expected


@given(SECRETS, st.integers(0, 2**40 - 1), KEY_IDS, TARGETS)
def test_target_secret_is_hkdf(
    master: bytes, overlay_id: int, key_id: int, target_id: int
) -> None:
    numbers = f"{overlay_id:010x}{key_id:02x}{target_id:08x}"
    info = b"pepmesh target v1" + bytes.fromhex(numbers)
    extracted = hmac_by_hand(bytes(32), master)
    expected = hmac_by_hand(extracted, info + b"\x01")
    assert target_secret(master, overlay_id, key_id, target_id) == expected


@given(SECRETS, ADDRESSES)
def test_pair_key_is_hmac_of_the_96_bit_prefix(
    secret: bytes, source: OverlayAddress
) -> None:
    prefix = source.packed[:12]
    assert pair_key(secret, prefix) == hmac_by_hand(secret, prefix)


@given(SECRETS, ADDRESSES, KEY_IDS, st.integers(0, 2**64 - 1), TARGETS)
def test_header_carries_the_hmac(
    key: bytes, source: OverlayAddress, key_id: int, epoch: int, target_id: int
) -> None:
    message = b"v1" + source.packed[1:6] + bytes([key_id])
    message += bytes.fromhex(f"{epoch:016x}") + source.packed
    message += bytes.fromhex(f"{target_id:08x}")
    expected = hmac_by_hand(key, message)[:16]
    header = key_header(
        key, key_id=key_id, epoch=epoch, source=source, target_id=target_id
    )
    assert re.fullmatch(r"v1\.[1-9]\d*\.(0|[1-9]\d*)\.[1-9]\d*\.[\w-]{22}", header)
    version, *numbers, text = header.split(".")
    assert (version, *map(int, numbers)) == ("v1", key_id, epoch, target_id)
    assert base64.urlsafe_b64decode(text + "==") == expected


def test_a_header_that_is_known() -> None:
    """Frozen, so that a change of the format cannot go unnoticed."""
    secret = target_secret(bytes(range(32)), SOURCE.overlay_id, 1, 2)
    key = pair_key(secret, SOURCE.packed[:12])
    header = key_header(key, key_id=1, epoch=59_000_000, source=SOURCE, target_id=2)
    assert header == "v1.1.59000000.2.ACGTIv6vxsEgbGcdCR8D_g"


@pytest.mark.parametrize(
    "change",
    [
        {"key_id": 2},
        {"epoch": 101},
        {"target_id": 3},
        {"source": OverlayAddress(0xAABBCCDDEF, 1, 7, 0x0A000001)},
        {"source": OverlayAddress(0xAABBCCDDEE, 1, 7, 0x0A000002)},
        {"key": bytes(31) + b"\x01"},
    ],
)
def test_every_field_is_under_the_mac(change: dict[str, object]) -> None:
    fields = {"key": bytes(32), "key_id": 1, "epoch": 100, "target_id": 2}

    def mac_of(values: dict[str, object]) -> bytes:
        key, source = values.pop("key"), values.pop("source", SOURCE)
        assert isinstance(key, bytes)
        assert isinstance(source, OverlayAddress)
        numbers = {k: v for k, v in values.items() if isinstance(v, int)}
        return mac(key, source=source, **numbers)

    assert mac_of({**fields, **change}) != mac_of({**fields})


def test_epochs_are_half_minutes() -> None:
    assert [epoch_of(s) for s in (0, 29.9, 30, 1_790_000_000)] == [0, 0, 1, 59_666_666]


@pytest.mark.parametrize(
    ("master", "key_id", "target_id"),
    [(bytes(31), 1, 1), (bytes(32), 0, 1), (bytes(32), 256, 1), (bytes(32), 1, 0)],
)
def test_values_out_of_range_are_a_bug(
    master: bytes, key_id: int, target_id: int
) -> None:
    with pytest.raises(ValueError, match=r"bytes|within|count from 1"):
        target_secret(master, 1, key_id, target_id)


def test_a_prefix_of_another_length_is_a_bug() -> None:
    with pytest.raises(ValueError, match="96 prefix"):
        pair_key(bytes(32), bytes(16))

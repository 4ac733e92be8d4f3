"""Key derivation against HKDF and HMAC done by hand (RFC 5869, RFC 2104)."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.overlay.address import OverlayAddress
from generator.overlay.keys import (
    BoundRequest,
    epoch_of,
    key_header,
    mac,
    pair_key,
    strict_key_header,
    strict_mac,
    target_secret,
)
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


TEXTS = st.binary(max_size=100)
REQUESTS = st.builds(
    BoundRequest,
    TEXTS,
    TEXTS,
    TEXTS,
    st.integers(0, 2**64 - 1),
    st.binary(min_size=8, max_size=8),
)


@given(SECRETS, ADDRESSES, KEY_IDS, REQUESTS, TARGETS)
def test_strict_header_carries_the_hmac(
    key: bytes,
    source: OverlayAddress,
    key_id: int,
    request: BoundRequest,
    target_id: int,
) -> None:
    texts = request.method, request.authority, request.path
    message = b"v2" + source.packed[1:6] + bytes([key_id]) + bytes(8)
    message += source.packed[:12] + bytes(4) + bytes.fromhex(f"{target_id:08x}")
    message += bytes(28) + bytes.fromhex(f"{request.time_ms:016x}")
    message += source.packed[12:] + request.nonce
    message += bytes.fromhex("".join(f"{len(text):08x}" for text in texts))
    message += b"".join(texts)
    header = strict_key_header(
        key, request, key_id=key_id, source=source, target_id=target_id
    )
    assert re.fullmatch(r"v2\.[1-9]\d*\.(0|[1-9]\d*)\.[1-9]\d*\.[\w-]{32}", header)
    version, *numbers, text = header.split(".")
    assert (version, *map(int, numbers)) == ("v2", key_id, request.time_ms, target_id)
    expected = hmac_by_hand(key, message)[:16] + request.nonce
    assert base64.urlsafe_b64decode(text) == expected


ASKED = BoundRequest(b"GET", b"cart", b"/a?b", 1_700_000_000_000, b"12345678")


def test_a_strict_header_that_is_known() -> None:
    """Frozen, so that a change of the format cannot go unnoticed."""
    secret = target_secret(bytes(range(32)), SOURCE.overlay_id, 1, 2)
    key = pair_key(secret, SOURCE.packed[:12])
    header = strict_key_header(key, ASKED, key_id=1, source=SOURCE, target_id=2)
    assert header == "v2.1.1700000000000.2.Ro6jhel_jGtKggXmVqZjojEyMzQ1Njc4"


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, method=b"PUT"),
        replace(ASKED, authority=b"car"),
        replace(ASKED, path=b"/a?c"),
        replace(ASKED, time_ms=1_700_000_000_001),
        replace(ASKED, nonce=b"12345679"),
        # The same bytes in a row, cut elsewhere.
        replace(ASKED, method=b"GETc", authority=b"art"),
        replace(ASKED, authority=b"cart/a", path=b"?b"),
    ],
)
def test_a_strict_key_is_for_one_request(other: BoundRequest) -> None:
    def mac_of(request: BoundRequest) -> bytes:
        return strict_mac(bytes(32), request, key_id=1, source=SOURCE, target_id=2)

    assert mac_of(other) != mac_of(ASKED)


def test_a_nonce_has_eight_bytes() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        strict_mac(
            bytes(32), replace(ASKED, nonce=b""), key_id=1, source=SOURCE, target_id=2
        )


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

"""Key bundles: layout, who gets which key, and what is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import OverlayError
from generator.overlay.address import OverlayAddress
from generator.overlay.build import build_overlay
from generator.overlay.bundle import (
    Bundle,
    BundleRow,
    bundle_text,
    decode_bundle,
    encode_bundle,
    make_bundle,
    parse_bundle_text,
)
from generator.overlay.keys import pair_key, target_secret
from generator.overlay.lock import revoke
from generator.overlay.master_keys import MasterKey, MasterKeys
from tests.overlay.shapes import member, model, selecting, service

MODEL = model(
    member("cart"), member("web"), service("front", {"app": "web"}), selecting("app")
)
OVERLAY, LOCK, _ = build_overlay(MODEL, None, name="shop", overlay_id=0xAABBCCDDEE)
OLD, NEW = MasterKey(1, b"1" * 32), MasterKey(2, b"2" * 32)
MASTER = MasterKeys("shop", OVERLAY.id, (OLD, NEW))
CART, WEB = 1, 2
FRONT, CART_ITSELF, WEB_ITSELF = 1, 2, 3

ROWS = st.lists(
    st.builds(
        BundleRow,
        st.integers(1, 2**32 - 1),
        st.integers(1, 255),
        st.binary(min_size=32, max_size=32),
    ),
    unique_by=lambda row: (row.target_id, row.key_id),
    max_size=5,
).map(lambda rows: tuple(sorted(rows, key=lambda row: (row.target_id, row.key_id))))
BUNDLES = st.builds(
    Bundle, st.integers(0, 2**40 - 1), st.integers(1, 2**32 - 1), ROWS, ROWS
)


def test_the_fixture_is_what_the_names_say() -> None:
    assert [w.labels[0][1] for w in OVERLAY.workloads] == ["cart", "web"]
    assert [t.name for t in OVERLAY.targets] == ["front", "cart", "web"]


def test_a_sender_gets_pairwise_keys_of_the_newest_id_only() -> None:
    bundle = make_bundle(MASTER, OVERLAY, CART, [WEB_ITSELF, FRONT, FRONT])
    prefix = OverlayAddress(OVERLAY.id, 1, CART, 0).packed[:12]
    expected = [
        BundleRow(t, 2, pair_key(target_secret(NEW.secret, OVERLAY.id, 2, t), prefix))
        for t in (FRONT, WEB_ITSELF)
    ]
    assert bundle.send == tuple(expected)


def test_a_receiver_gets_secrets_of_what_it_serves_for_every_active_id() -> None:
    bundle = make_bundle(MASTER, OVERLAY, WEB, [])
    expected = [
        BundleRow(t, k.id, target_secret(k.secret, OVERLAY.id, k.id, t))
        for t in (FRONT, WEB_ITSELF)
        for k in (OLD, NEW)
    ]
    assert bundle.receive == tuple(expected)
    assert bundle.send == ()


def test_no_receiving_secret_is_sent_to_who_may_only_send() -> None:
    bundle = make_bundle(MASTER, OVERLAY, CART, [FRONT])
    held = {row.key for row in (*bundle.send, *bundle.receive)}
    for key in (OLD, NEW):
        assert target_secret(key.secret, OVERLAY.id, key.id, FRONT) not in held
        assert key.secret not in held


def test_layout() -> None:
    send, receive = BundleRow(0x01020304, 9, b"K" * 32), BundleRow(5, 6, b"S" * 32)
    data = encode_bundle(Bundle(0xAABBCCDDEE, 0x0A0B0C0D, (send,), (receive, receive)))
    header = bytes.fromhex("aabbccddee 000000 0d0c0b0a 01000000 02000000")
    sent = bytes.fromhex("04030201 09 000000") + b"K" * 32
    received = bytes.fromhex("05000000 06 000000") + b"S" * 32
    assert data == b"PMB1" + header + sent + received * 2


@given(BUNDLES)
def test_bundles_come_back(bundle: Bundle) -> None:
    text = bundle_text(bundle)
    assert decode_bundle(encode_bundle(bundle)) == bundle
    assert parse_bundle_text(text) == bundle
    assert base64.urlsafe_b64decode(text + "==") == encode_bundle(bundle)
    assert "=" not in text


BUNDLE = make_bundle(MASTER, OVERLAY, WEB, [CART_ITSELF])
DATA = encode_bundle(BUNDLE)


def edited(at: int, new: bytes) -> bytes:
    return DATA[:at] + new + DATA[at + len(new) :]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DATA[:23],
        DATA[:-1],
        DATA + b"\0",
        DATA + bytes(40),
        edited(0, b"PMB2"),
        edited(9, b"\x01"),  # padding
        edited(12, bytes(4)),  # workload 0
        edited(16, b"\xff\xff\xff\xff"),
        edited(16, bytes(4)),
        edited(24, bytes(4)),  # target 0
        edited(28, b"\0"),  # key id 0
        edited(29, b"\x01"),  # padding of a row
        DATA[:64] + DATA[104:144] + DATA[64:104] + DATA[144:],  # not in order
        edited(104, DATA[64:104]),  # twice
    ],
)
def test_bad_bytes(data: bytes) -> None:
    with pytest.raises(OverlayError, match="OVL0030"):
        decode_bundle(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_whole_or_refused(data: bytes) -> None:
    try:
        bundle = decode_bundle(data)
    except OverlayError:
        return
    assert encode_bundle(bundle) == data


TEXT = bundle_text(Bundle(1, 1, (BundleRow(1, 1, b"\xff" * 32),), ()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "=",
        TEXT + "\n",
        TEXT.replace("_", "/"),  # the other alphabet
        TEXT[:-1] + "9",  # left-over bits
        "é" + TEXT[1:],
    ],
)
def test_bad_text(text: str) -> None:
    with pytest.raises(OverlayError, match="OVL0030"):
        parse_bundle_text(text)


def test_who_gets_no_bundle() -> None:
    other = MasterKeys("shop", 1, (NEW,))
    with pytest.raises(OverlayError, match="OVL0023"):
        make_bundle(other, OVERLAY, WEB, [])
    with pytest.raises(OverlayError, match="OVL0031: the overlay has no workload 9"):
        make_bundle(MASTER, OVERLAY, 9, [])
    with pytest.raises(OverlayError, match="OVL0031: the overlay has no target 9"):
        make_bundle(MASTER, OVERLAY, WEB, [9])
    revoked, _, _ = build_overlay(MODEL, revoke(LOCK, WEB), name="shop")
    with pytest.raises(OverlayError, match="OVL0031: workload 2 is revoked"):
        make_bundle(MASTER, revoked, WEB, [])


def test_keys_are_not_shown() -> None:
    for row in (*BUNDLE.send, *BUNDLE.receive):
        assert repr(row.key)[2:-1] not in repr(BUNDLE)

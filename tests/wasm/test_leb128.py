"""LEB128: boundaries, shortest encodings, round trips, what decoding refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.wasm.leb128 import (
    decode_signed,
    decode_unsigned,
    encode_signed,
    encode_unsigned,
)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (16_383, "ff7f"),
        (16_384, "808001"),
        (624_485, "e58e26"),  # the standard's example
        (2**28 - 1, "ffffff7f"),
        (2**28, "8080808001"),  # five bytes from here on
        (2**32 - 1, "ffffffff0f"),
    ],
)
def test_unsigned(value: int, encoded: str) -> None:
    assert encode_unsigned(value).hex() == encoded
    assert decode_unsigned(bytes.fromhex(encoded), 0) == (value, len(encoded) // 2)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (63, "3f"),
        (64, "c000"),
        (-1, "7f"),
        (-64, "40"),
        (-65, "bf7f"),
        (-123_456, "c0bb78"),  # the standard's example
        (2**31 - 1, "ffffffff07"),
        (-(2**31), "8080808078"),
        (2**63 - 1, "ffffffffffffffffff00"),
        (-(2**63), "8080808080808080807f"),
    ],
)
def test_signed(value: int, encoded: str) -> None:
    assert encode_signed(value).hex() == encoded
    assert decode_signed(bytes.fromhex(encoded), 0, 64) == (value, len(encoded) // 2)


@given(st.integers(0, 2**32 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_unsigned_round_trip(value: int, before: bytes, after: bytes) -> None:
    data = before + encode_unsigned(value) + after
    assert decode_unsigned(data, len(before)) == (value, len(data) - len(after))


@given(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=3))
def test_signed_round_trip(value: int, after: bytes) -> None:
    data = encode_signed(value) + after
    assert decode_signed(data, 0, 64) == (value, len(data) - len(after))


def test_a_negative_number_is_not_unsigned() -> None:
    with pytest.raises(ValueError, match="negative"):
        encode_unsigned(-1)


@pytest.mark.parametrize("encoded", ["", "80", "ffffffff1f", "808080808000"])
def test_unsigned_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match="number at 0"):
        decode_unsigned(bytes.fromhex(encoded), 0)


@pytest.mark.parametrize("encoded", ["80", "ffffffff0f", "8080808070"])
def test_signed_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match="number at 0"):
        decode_signed(bytes.fromhex(encoded), 0)

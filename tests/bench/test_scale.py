"""Axes: where values go, and which numbers stand beside them."""

from __future__ import annotations

import pytest

from e2e.bench.scale import linear, logarithmic, tick_text, value_text


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([3.0, 9.0], (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)),
        ([-3.0, 9.0], (-4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0)),
        ([0.0], (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ([120_000.0], tuple(20_000.0 * n for n in range(7))),
    ],
)
def test_linear_ticks_are_round_and_include_zero(
    values: list[float], ticks: tuple[float, ...]
) -> None:
    assert linear(values, 0, 100).ticks == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([10.0, 100_000.0], (10.0, 100.0, 1_000.0, 10_000.0, 100_000.0)),
        ([0.2, 3.0], (0.1, 1.0, 10.0)),
        ([10.0], (10.0, 100.0)),
    ],
)
def test_logarithmic_ticks_are_powers_of_ten(
    values: list[float], ticks: tuple[float, ...]
) -> None:
    assert logarithmic(values, 0, 100).ticks == pytest.approx(ticks)


def test_logarithmic_axis_has_no_zero() -> None:
    with pytest.raises(ValueError, match="above zero"):
        logarithmic([0.0, 1.0], 0, 100)


def test_places() -> None:
    assert linear([10.0], 50, 150).place(5.0) == 100
    assert linear([10.0], 150, 50).place(10.0) == 50
    assert logarithmic([1.0, 100.0], 0, 100).place(10.0) == pytest.approx(50)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (100_000.0, "100,000"), (0.2, "0.2"), (0.30000000000000004, "0.3")],
)
def test_tick_text(value: float, text: str) -> None:
    assert tick_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5045, "0.504"),
        (24.013, "24"),
        (7.161, "7.16"),
        (115.51, "116"),
        (3738, "3,738"),
    ],
)
def test_value_text(value: float, text: str) -> None:
    assert value_text(value) == text

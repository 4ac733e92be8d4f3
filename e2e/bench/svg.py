"""Plots as SVG, without a library: the same record gives the same bytes.

The background is solid and light, so that a plot reads the same on dark pages. Colours
are Okabe and Ito's, which colour-blind people can tell apart, and lines differ in their
dashes and marks too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from e2e.bench.results import Axis, Bars, Lines, Plot
from e2e.bench.scale import Scale, linear, logarithmic, tick_text, value_text

_COLOURS: Final = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7"),
    *("#56b4e9", "#e69f00", "#000000", "#999999"),
)
_DASHES: Final = ("", "6 3", "2 3", "9 3 2 3")
_PAPER, _INK, _GRID = "#ffffff", "#1b1f24", "#d8dee4"
_WIDTH: Final = 840
_TOP, _BOTTOM = 48, 56
_LINES_HEIGHT: Final = 440
_LEFT_OF_LINES, _RIGHT_OF_LINES = 84, 256
_LEFT_OF_BARS, _RIGHT_OF_BARS = 236, 84
_BAR, _GAP = 13, 10
_LEGEND_LINE: Final = 20
_MARK: Final = 3.2


def draw(plot: Plot) -> str:
    """Return a plot as the text of an SVG file."""
    return _lines(plot) if isinstance(plot, Lines) else _bars(plot)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The rectangle that data is drawn in."""

    left: float
    right: float
    top: float
    bottom: float


# --- lines ---------------------------------------------------------------------------


def _lines(plot: Lines) -> str:
    frame = _Frame(
        *(_LEFT_OF_LINES, _WIDTH - _RIGHT_OF_LINES),
        *(_TOP, _LINES_HEIGHT - _BOTTOM),
    )
    points = [point for series in plot.series for point in series.points]
    xs = _scale(plot.x, [x for x, _ in points], frame.left, frame.right)
    ys = _scale(plot.y, [y for _, y in points], frame.bottom, frame.top)
    parts = [*_x_axis(plot.x, xs, frame), *_y_axis(plot.y, ys, frame)]
    for number, series in enumerate(plot.series):
        colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
        places = [(xs.place(x), ys.place(y)) for x, y in series.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" '
            f'stroke-width="2"{dashes}/>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_MARK}" fill="{colour}"/>'
            for x, y in places
        ]
        y = frame.top + 8 + number * _LEGEND_LINE
        x = frame.right + 16
        parts.append(
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x + 24:.1f}" y2="{y:.1f}" '
            f'stroke="{colour}" stroke-width="2"{dashes}/>'
        )
        parts.append(_text(x + 30, y + 4, series.name))
    return _document(plot.title, _LINES_HEIGHT, parts)


# --- bars ----------------------------------------------------------------------------


def _bars(plot: Bars) -> str:
    group = _BAR * len(plot.keys) + _GAP
    legend = _LEGEND_LINE if len(plot.keys) > 1 else 0
    top = _TOP + legend
    height = top + group * len(plot.labels) + _GAP + _BOTTOM
    frame = _Frame(_LEFT_OF_BARS, _WIDTH - _RIGHT_OF_BARS, top, height - _BOTTOM)
    shown = [value for row in plot.values for value in row if value is not None]
    xs = _scale(plot.x, shown, frame.left, frame.right)
    parts = _x_axis(plot.x, xs, frame)
    for number, (label, row) in enumerate(zip(plot.labels, plot.values, strict=True)):
        y = frame.top + _GAP + number * group
        middle = y + _BAR * len(plot.keys) / 2 + 4
        parts.append(_text(frame.left - 8, middle, label, "end"))
        for colour, value in zip(_COLOURS, row, strict=False):
            parts += _bar(y, value, colour, xs) if value is not None else []
            y += _BAR
    if legend:
        parts += _legend(plot.keys, frame)
    return _document(plot.title, height, parts)


def _bar(y: float, value: float, colour: str, xs: Scale) -> list[str]:
    zero = xs.place(xs.low if xs.is_log else 0.0)
    place = xs.place(value)
    left, right = min(zero, place), max(zero, place)
    return [
        f'<rect x="{left:.1f}" y="{y:.1f}" width="{right - left:.1f}" '
        f'height="{_BAR - 2}" fill="{colour}"/>',
        _text(right + 4, y + _BAR - 3, value_text(value), size=10),
    ]


def _legend(keys: Sequence[str], frame: _Frame) -> list[str]:
    parts, x = [], frame.left
    for colour, key in zip(_COLOURS, keys, strict=False):
        y = frame.top - _LEGEND_LINE + 4
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="11" height="11" fill="{colour}"/>'
        )
        parts.append(_text(x + 16, y + 10, key))
        x += 40 + 7 * len(key)
    return parts


# --- axes and the page ---------------------------------------------------------------


def _scale(axis: Axis, values: Sequence[float], start: float, end: float) -> Scale:
    make = logarithmic if axis.is_log else linear
    return make(values, start, end)


def _x_axis(axis: Axis, scale: Scale, frame: _Frame) -> list[str]:
    parts = []
    for tick in scale.ticks:
        x = scale.place(tick)
        parts.append(_grid(x, frame.top, x, frame.bottom))
        parts.append(_text(x, frame.bottom + 18, tick_text(tick), "middle"))
    middle = (frame.left + frame.right) / 2
    parts.append(_text(middle, frame.bottom + 40, axis.label, "middle"))
    return parts


def _y_axis(axis: Axis, scale: Scale, frame: _Frame) -> list[str]:
    parts = []
    for tick in scale.ticks:
        y = scale.place(tick)
        parts.append(_grid(frame.left, y, frame.right, y))
        parts.append(_text(frame.left - 8, y + 4, tick_text(tick), "end"))
    middle = (frame.top + frame.bottom) / 2
    turned = f' transform="rotate(-90 18 {middle:.1f})"'
    parts.append(_text(18, middle, axis.label, "middle", more=turned))
    return parts


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{_GRID}"/>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    anchor: str = "start",
    *,
    size: int = 12,
    weight: str = "normal",
    more: str = "",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}"{more}>{escape(text)}</text>'
    )


def _document(title: str, height: float, parts: Sequence[str]) -> str:
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:g}" '
        f'width="{_WIDTH}" height="{height:g}" font-family="sans-serif" '
        f'fill="{_INK}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height:g}" fill="{_PAPER}"/>',
        _text(16, 26, title, size=15, weight="bold"),
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"

"""Plots: golden files of a plot of lines and one of bars, and what both must have.

PEPMESH_UPDATE_GOLDEN=1 rewrites the golden files; look at them in a browser.
"""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from e2e.bench.results import Axis, Bars, Lines, Plot, Series
from e2e.bench.svg import draw

GOLDEN = Path(__file__).with_name("golden")

LINES = Lines(
    name="lines",
    title="CPU by rules",
    x=Axis("rules", is_log=True),
    y=Axis("CPU added, µs per request"),
    series=(
        Series("pepmesh", ((10.0, 20.0), (1_000.0, 20.5), (100_000.0, 21.0))),
        Series("RBAC <native>", ((10.0, 3.0), (1_000.0, 90.0))),
    ),
)
BARS = Bars(
    name="bars",
    title="Latency at 1,000 requests/s",
    x=Axis("ms"),
    keys=("p50", "p99"),
    labels=("no filter", "pepmesh & more"),
    values=((0.31, 0.8), (0.35, None)),
)


@pytest.mark.parametrize("plot", [LINES, BARS], ids=lambda plot: plot.name)
def test_golden(plot: Plot) -> None:
    path = GOLDEN / f"{plot.name}.svg"
    text = draw(plot)
    if os.environ.get("PEPMESH_UPDATE_GOLDEN") == "1":
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("plot", [LINES, BARS], ids=lambda plot: plot.name)
def test_page_is_opaque_and_says_what_it_shows(plot: Plot) -> None:
    root = ElementTree.fromstring(draw(plot))
    page = root.find("{*}rect")
    assert page is not None
    assert page.get("width") == root.get("width")
    assert page.get("height") == root.get("height")
    texts = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert plot.title in texts
    assert plot.x.label in texts


def test_each_line_has_its_name_and_all_its_points() -> None:
    root = ElementTree.fromstring(draw(LINES))
    lines = root.findall("{*}polyline")
    counts = [len(line.attrib["points"].split()) for line in lines]
    assert counts == [len(series.points) for series in LINES.series]
    texts = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {series.name for series in LINES.series} <= texts


def test_a_missing_bar_is_a_gap() -> None:
    root = ElementTree.fromstring(draw(BARS))
    page_and_legend = 1 + len(BARS.keys)
    assert len(root.findall("{*}rect")) == page_and_legend + 3

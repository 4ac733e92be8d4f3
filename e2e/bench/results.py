"""What every part of the benchmark hands to the report.

A part measures once and returns plain JSON, its *record*. Everything that people read
(tables, plots, budgets met or missed) is made from records alone, so that a record can
be told again without measuring again: `python -m e2e.bench.render results.json`.

A module that measures something defines one constant:

    PART = Part("decisions", "Per decision", measure, tables, plots, budgets)

and `parts.py` lists it. Figures in a record carry their unit in the name (`cpu_us`,
`table_bytes`, `build_s`); medians come with the quartiles that they were taken from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]
"""Plain JSON: dicts, lists, strings, numbers, booleans and None."""


class CannotMeasure(Exception):
    """Something that a person must do first; the message says what."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as people read it. The first column is left-aligned, the others right.

    `note` is a sentence or more below the table: what the columns mean, and the limits.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a plot; the label says the unit."""

    label: str
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One line of `Lines`: points (x, y) from left to right."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """A plot of lines; `name` is the stem of its file."""

    name: str
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """A plot of horizontal bars: for each label one bar per entry of `keys`.

    `values` has a row per label and in it a number per key; None leaves a gap.
    """

    name: str
    title: str
    x: Axis
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


Plot = Lines | Bars


@dataclass(frozen=True, slots=True)
class Budget:
    """One promise and what was measured, both as text with units.

    `is_met` None: the figures do not tell.
    """

    what: str
    limit: str
    measured: str
    is_met: bool | None


def nothing(_: Record) -> Sequence[Any]:
    """Return nothing: for parts without plots or without budgets."""
    return ()


@dataclass(frozen=True)
class Part:
    """One part of the benchmark; `name` is its key in the record and in `--only`.

    `measure(quick)` returns the part's record. `quick` asks for less: fewer rounds and
    smaller sizes, the same shape. The other functions read the record.
    """

    name: str
    title: str
    measure: Callable[[bool], Record]
    tables: Callable[[Record], Sequence[Table]]
    plots: Callable[[Record], Sequence[Plot]] = field(default=nothing)
    budgets: Callable[[Record], Sequence[Budget]] = field(default=nothing)

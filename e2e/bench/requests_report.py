"""The tables, plots and budgets of the measurements per request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from e2e.bench.results import (
    Axis,
    Bars,
    Budget,
    Lines,
    Plot,
    Record,
    Series,
    Table,
)
from e2e.bench.saturated import CONNECTIONS
from e2e.bench.variants import KINDS, Kind

_TITLES: Final = {kind.name: kind.title for kind in KINDS}
_KEPT: Final = 0.98  # of the rate; below, requests queued up
_PLOT_FLOOR_US: Final = 1.0  # what costs less is drawn there: the axis is logarithmic
_MOST_OVER_NOTHING_US: Final = 8.0
_MANY_RULES: Final = 100


# --- tables --------------------------------------------------------------------------


def tables(record: Record) -> list[Table]:
    """Return the table of everything with the first number of rules, and by rules."""
    first = record["blocks"][0]
    rate = f"{record['rate']:,} requests/s"
    return [
        _first_table(record, first),
        _by_rules(record, "CPU added, µs per request", _added_cpu, _CPU_NOTE),
        _by_rules(record, f"Latency added at {rate}, p50 / p99 in ms", _added_latency),
        _by_rules(record, "Requests/s at saturation", _saturated_rate, _RATE_NOTE),
        _by_rules(
            record,
            "Latency at saturation, p50 / p90 / p99 in ms",
            _saturated_latency,
            _QUEUE_NOTE,
        ),
        _by_rules(record, "Time to load, memory of the process", _load, _LOAD_NOTE),
    ]


_CPU_NOTE: Final = (
    "Above the base of the same round; in brackets the quartiles. All rules are about "
    "the receiver, and the one that allows the request stands in the middle. RBAC "
    "tries its policies in turn; its matching tree is written by hand and looks up. It "
    "believes addresses; pepmesh checks a proof, and the rules of both directions. A "
    "client's proof comes again and again for half a minute, and pepmesh remembers its "
    "answer; with HTTP rules it asks the rules each time, with strict keys it does all."
)
_RATE_NOTE: Final = (
    "One worker; wrk, the measured Envoy and the application share the machine."
)
_QUEUE_NOTE: Final = (
    f"Of a queue of {CONNECTIONS} requests: it follows from the rate, and shows how "
    "even it is."
)
_LOAD_NOTE: Final = "From start to ready of an Envoy with this one guard; resident MiB."


def _first_table(record: Record, block: Record) -> Table:
    rows = tuple(
        _first_row(kind, block["kinds"], record["rate"]) for kind in _kinds(block)
    )
    rate = f"{record['rate']:,}/s"
    columns = (
        *("guard", "CPU µs", "added", f"p50 ms at {rate}", "p90", "p99", "p99 added"),
        *("CPU µs at saturation", "requests/s"),
    )
    late = max(
        found["paced"]["late_us"]["median"]
        for found in block["kinds"].values()
        if "paced" in found
    )
    note = (
        f"CPU of the Envoy process per request with {record['in_flight']} requests in "
        "flight; added: median and quartiles of the differences to the base of the "
        "same round. Bases: no filter for what receives, and the same way without a "
        f"filter for what sends. Latencies from an open loop at {rate}, counted from "
        f"the planned moment; the generator was late by {late:.0f} µs at most (p99). "
        "The requests are the same bytes for all that receives, overlay headers "
        "included, but in the first row; what sends gets them without."
    )
    title = f"All guards, with {block['rules']:,} rules where they have rules"
    return Table(title, columns, rows, note)


def _first_row(kind: Kind, kinds: Record, rate: int) -> tuple[str, ...]:
    found = kinds[kind.name]
    if "refused" in found:
        return (kind.title, f"not loaded: {found['refused']}", *[""] * 7)
    paced, flooded = found["paced"], found["saturated"]
    is_kept = paced["rate"]["median"] >= _KEPT * rate
    more_p99 = f"{paced['more_p99_us']['median'] / 1000:+.2f}" if kind.base else ""
    return (
        kind.title,
        f"{found['steady']['cpu_us']['median']:.0f}",
        _added(found["steady"]) if kind.base else "",
        *(_milliseconds(paced[f"p{part}_us"]) for part in (50, 90, 99)),
        more_p99 if is_kept else "rate not kept",
        f"{flooded['cpu_us']['median']:.0f}",
        f"{flooded['rate']['median']:,.0f}",
    )


def _by_rules(
    record: Record, title: str, cell: Callable[[Record, int], str], note: str = ""
) -> Table:
    """Return a row per kind with rules or yardstick, and a column per block."""
    blocks = record["blocks"]
    names = [k for k in KINDS if k.has_rules or k.is_yardstick]
    rows, reasons = [], []
    for kind in names:
        cells = []
        for block in blocks:
            found = block["kinds"][kind.name]
            if "refused" in found:
                cells.append("not loaded")
                reasons.append(
                    f"{kind.title}, {block['rules']:,} rules: {found['refused']}."
                )
            else:
                cells.append(cell(found, record["rate"]))
        if any(cells):
            rows.append((kind.title, *cells))
    columns = ("guard", *(f"{block['rules']:,} rules" for block in blocks))
    return Table(title, columns, tuple(rows), " ".join([note, *reasons]).strip())


def _added_cpu(found: Record, _: int) -> str:
    return _added(found["steady"]) if "more_cpu_us" in found["steady"] else ""


def _added_latency(found: Record, rate: int) -> str:
    paced = found["paced"]
    if "more_p50_us" not in paced:
        return ""
    if paced["rate"]["median"] < _KEPT * rate:
        return f"rate not kept: {paced['rate']['median']:,.0f}/s"
    parts = (paced[f"more_p{part}_us"]["median"] / 1000 for part in (50, 99))
    return " / ".join(f"{part:+.2f}" for part in parts)


def _saturated_rate(found: Record, _: int) -> str:
    return f"{found['saturated']['rate']['median']:,.0f}"


def _saturated_latency(found: Record, _: int) -> str:
    flooded = found["saturated"]
    return " / ".join(_milliseconds(flooded[f"p{part}_us"]) for part in (50, 90, 99))


def _load(found: Record, _: int) -> str:
    return f"{found['load_s']:.1f} s, {found['rss_bytes'] / 2**20:,.0f} MiB"


def _added(steady: Record) -> str:
    more = steady["more_cpu_us"]
    return f"{more['median']:+.1f} ({more['low']:.1f} to {more['high']:.1f})"


def _milliseconds(latency: Record) -> str:
    return f"{latency['median'] / 1000:.2f}"


def _kinds(block: Record) -> Iterator[Kind]:
    return (kind for kind in KINDS if kind.name in block["kinds"])


# --- plots ---------------------------------------------------------------------------

_PLOTTED: Final = (
    *("nothing", "inbound", "inbound-http", "rbac", "rbac-http"),
    *("matcher", "matcher-http"),
)


def plots(record: Record) -> list[Plot]:
    """Return CPU by rules, and latencies and rates with the first number of rules."""
    first = record["blocks"][0]
    shown = [k for k in _kinds(first) if "paced" in first["kinds"][k.name]]
    labels = tuple(kind.title for kind in shown)
    own = [first["kinds"][kind.name] for kind in shown]
    series = (Series(_TITLES[name], tuple(_points(record, name))) for name in _PLOTTED)
    return [
        Lines(
            name="cpu-by-rules",
            title="CPU added to a request, by the number of rules",
            x=Axis("rules about the receiver", is_log=True),
            y=Axis("µs of CPU per request", is_log=True),
            series=tuple(one for one in series if one.points),
        ),
        Bars(
            name="latency",
            title=f"Latency at {record['rate']:,} requests/s, {first['rules']} rules",
            x=Axis("ms"),
            keys=("p50", "p99"),
            labels=labels,
            values=tuple(
                tuple(found["paced"][key]["median"] / 1000 for key in _BARS)
                for found in own
            ),
        ),
        Bars(
            name="saturation",
            title=f"Requests/s at saturation, one worker, {first['rules']} rules",
            x=Axis("requests/s"),
            keys=("requests/s",),
            labels=labels,
            values=tuple((found["saturated"]["rate"]["median"],) for found in own),
        ),
    ]


_BARS: Final = ("p50_us", "p99_us")


def _points(record: Record, name: str) -> Iterator[tuple[float, float]]:
    for block in _measured(record, name):
        more = block["kinds"][name]["steady"]["more_cpu_us"]["median"]
        yield block["rules"], max(more, _PLOT_FLOOR_US)


# --- budgets -------------------------------------------------------------------------


def budgets(record: Record) -> list[Budget]:
    """Return what was promised per request."""
    return [_over_nothing(record), *_against_rbac(record)]


def _over_nothing(record: Record) -> Budget:
    blocks = _measured(record, "inbound", "nothing")
    nothing = [_added_us(block, "nothing") for block in blocks]
    over = [
        block["kinds"]["inbound"]["steady"]["over_cpu_us"]["median"] for block in blocks
    ]
    return Budget(
        "pepmesh inbound, CPU over the do-nothing Wasm filter",
        f"at most {_MOST_OVER_NOTHING_US:g} µs, and at most what that filter adds",
        f"{median(over):.1f} µs ({min(over):.1f} to {max(over):.1f} by rules); "
        f"the do-nothing filter adds {median(nothing):.1f} µs",
        median(over) <= min(_MOST_OVER_NOTHING_US, median(nothing)),
    )


def _against_rbac(record: Record) -> Iterator[Budget]:
    """Compare with policies in turn, as products write them; the tree is told too."""
    for block in _measured(record, "inbound", "rbac", "matcher"):
        ours, theirs = _added_us(block, "inbound"), _added_us(block, "rbac")
        tree = _added_us(block, "matcher")
        is_few = block["rules"] < _MANY_RULES
        yield Budget(
            f"pepmesh vs native RBAC, {block['rules']:,} rules",
            "within 2x of its added cost" if is_few else "faster",
            f"{ours:+.1f} µs, RBAC {theirs:+.1f} µs (matching tree {tree:+.1f} µs)",
            ours <= 2 * theirs if is_few else ours < theirs,
        )


def _added_us(block: Record, name: str) -> float:
    more: float = block["kinds"][name]["steady"]["more_cpu_us"]["median"]
    return more


def _measured(record: Record, *names: str) -> list[Record]:
    """Return the blocks in which all these kinds could be loaded."""
    return [
        block
        for block in record["blocks"]
        if all("refused" not in block["kinds"][name] for name in names)
    ]

"""What people read about decisions: tables, plots, and whether they are flat."""

from __future__ import annotations

from typing import Final

from e2e.bench.decision_bench import measure
from e2e.bench.questions import FEW, RING
from e2e.bench.results import Axis, Budget, Lines, Part, Plot, Record, Series, Table

MOST: Final = 1.2
"""How much longer a decision may take with the most rules than with the fewest."""

_NEAR: Final = (
    f"{RING:,} questions about {FEW} rules, in random order: what they need of the "
    "table stays in the nearest caches. In brackets the quartiles of the rounds."
)
_FAR: Final = (
    f"{RING:,} questions about rules all over the table, in random order: what they "
    "need of a large table is in no near cache, while a small table always is. So this "
    "shows memory, not work: for that see the instructions."
)
_EXACT: Final = (
    "Wasm instructions executed (wasmtime's fuel), on average over questions about all "
    "rules; the same on every machine."
)


def tables(record: Record) -> list[Table]:
    found = [
        _times(record, "Few rules asked about, wasmtime", "few", _NEAR),
        _times(record, "All rules asked about, wasmtime", "all", _FAR),
    ]
    if record["v8"] is not None:
        title = f"Few rules asked about, V8 {record['v8']} (Envoy's engine; from node)"
        found.append(_times(record, title, "few_v8", _NEAR))
    cells = [[f"{s['instructions']:,.0f}" for s in c["sizes"]] for c in record["cases"]]
    ratios = [f"{_work_ratio(case):.2f}" for case in record["cases"]]
    return [*found, _table(record, "Instructions", cells, ratios, _EXACT)]


def _times(record: Record, title: str, key: str, note: str) -> Table:
    cells = [
        [_nanoseconds(size[f"{key}_ns"]) for size in case["sizes"]]
        for case in record["cases"]
    ]
    ratios = [f"{_ratio(case, key):.2f}" for case in record["cases"]]
    return _table(record, title, cells, ratios, note)


def _table(
    record: Record,
    title: str,
    cells: list[list[str]],
    ratios: list[str],
    note: str,
) -> Table:
    columns = tuple(f"{rules:,} rules" for rules in record["sizes"])
    rows = tuple(
        (_title(case), *own, ratio)
        for case, own, ratio in zip(record["cases"], cells, ratios, strict=True)
    )
    return Table(title, ("question", *columns, "last / first"), rows, note)


def _title(case: Record) -> str:
    return f"{case['shape']}: {case['case']}"


def _nanoseconds(found: Record) -> str:
    return f"{found['median']:.0f} ns ({found['low']:.0f} to {found['high']:.0f})"


def _ratio(case: Record, key: str) -> float:
    """The last size against the first: the median of what rounds say."""
    return float(case["sizes"][-1][f"{key}_ratio"]["median"])


def _work_ratio(case: Record) -> float:
    sizes = case["sizes"]
    return float(sizes[-1]["instructions"] / sizes[0]["instructions"])


def plots(record: Record) -> list[Plot]:
    return [
        _plot(record, "decision-few", "Decision, few rules asked about", "few"),
        _plot(record, "decision-all", "Decision, all rules asked about", "all"),
    ]


def _plot(record: Record, name: str, title: str, key: str) -> Lines:
    series = tuple(
        Series(
            _title(case),
            tuple((s["rules"], s[f"{key}_ns"]["median"]) for s in case["sizes"]),
        )
        for case in record["cases"]
    )
    return Lines(name, title, Axis("rules", is_log=True), Axis("ns"), series)


def budgets(record: Record) -> list[Budget]:
    rules = f"decision, {record['sizes'][-1]:,} rules vs {record['sizes'][0]:,}"
    cases = record["cases"]
    return [
        _budget(f"{rules}: time, few asked about", [_ratio(c, "few") for c in cases]),
        _budget(f"{rules}: time, all asked about", [_ratio(c, "all") for c in cases]),
        _budget(f"{rules}: instructions", [_work_ratio(c) for c in cases]),
    ]


def _budget(what: str, ratios: list[float]) -> Budget:
    worst = max(ratios)
    met = sum(ratio <= MOST for ratio in ratios)
    measured = f"{worst:.2f}x at worst, {met} of {len(ratios)} questions within"
    return Budget(what, f"at most {MOST}x", measured, worst <= MOST)


PART: Final = Part("decision", "Per decision", measure, tables, plots, budgets)

"""Say what was probed, how it came out, what it took, and what could not be probed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from e2e.packed.run import Outcome
from e2e.packed.scenario import Scenario

HEADER: Final = ("source", "states", "probes", "requests", "wrong", "left out")


def report(scenarios: Sequence[Scenario], outcome: Outcome) -> str:
    rows = [HEADER, *_rows(scenarios, outcome)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = [
        "  ".join(
            cell.ljust(width) if number == 0 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    text += ["", *outcome.wrong, *_left_out(scenarios)]
    if outcome.privileged:
        text.append(f"left out: {outcome.privileged}: only root listens on these ports")
    text += ["", _costs(outcome)]
    return "\n".join(text)


def _rows(scenarios: Sequence[Scenario], outcome: Outcome) -> list[tuple[str, ...]]:
    rows = []
    for source in dict.fromkeys(s.source for s in scenarios):
        chosen = [s for s in scenarios if s.source == source]
        made = [o for o in outcome.observations if o.source == source]
        numbers = (
            sum(bool(s.probes) for s in chosen),
            sum(len(s.probes) for s in chosen),
            len(made),
            sum(line.startswith(f"{source} ") for line in outcome.wrong),
            sum(each.count for s in chosen for each in s.left_out),
        )
        rows.append((source, *map(str, numbers)))
    return rows


def _left_out(scenarios: Sequence[Scenario]) -> list[str]:
    """Sum up what was left out, by source and reason."""
    counts: dict[tuple[str, str], int] = {}
    for scenario in scenarios:
        for each in scenario.left_out:
            key = each.source, each.reason
            counts[key] = counts.get(key, 0) + each.count
    return [
        f"left out, {source}: {count}: {reason}"
        for (source, reason), count in counts.items()
    ]


def _costs(outcome: Outcome) -> str:
    return (
        f"{outcome.sidecars} sidecars in {outcome.envoys} Envoys of "
        f"{outcome.memory_mib} MiB together: built in {outcome.build_s:.1f} s, started "
        f"in {outcome.start_s:.1f} s, asked in {outcome.ask_s:.1f} s"
    )

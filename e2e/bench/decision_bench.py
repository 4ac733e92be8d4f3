"""What one decision costs inside the module, by the number of rules.

All sizes are loaded at once and take turns in every round, so that what else the
machine does hits them alike. Three figures per case and size: nanoseconds where
questions are about few rules, nanoseconds where they are about all of them, and Wasm
instructions. The last is exact; the second shows what a table costs that is larger than
the nearest caches, while that of ten rules never is. V8, Envoy's engine, is measured
too if there is a `node`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from e2e.bench.decision_cases import SHAPES, Case, Shape
from e2e.bench.decision_guest import DecisionGuest
from e2e.bench.questions import ALL_AT, FEW_AT, RING, encode_rings, make_module
from e2e.bench.results import Record
from e2e.bench.spread import spread
from generator.overlay.build import build_overlay
from generator.overlay.model import Overlay
from generator.table.build import build_table
from generator.table.encode import encode_table

SIZES: Final = (10, 100, 1000, 10_000, 100_000)
QUICK_SIZES: Final = (10, 1000)
ROUNDS: Final = 31
QUICK_ROUNDS: Final = 7

_RINGS: Final = {"few": FEW_AT, "all": ALL_AT}
_V8_SCRIPT: Final = Path(__file__).parent / "decision_v8.mjs"

Times = dict[str, list[list[float]]]
"""By ring: for each size, in their order, nanoseconds per decision of each round."""


@dataclass(frozen=True, slots=True)
class Built:
    """One size of a shape."""

    overlay: Overlay
    table: bytes


def measure(quick: bool) -> Record:
    """Measure all cases of all shapes."""
    if quick:
        return measure_shapes(SHAPES, QUICK_SIZES, QUICK_ROUNDS)
    return measure_shapes(SHAPES, SIZES, ROUNDS)


def measure_shapes(
    shapes: Sequence[Shape], sizes: Sequence[int], rounds: int
) -> Record:
    """Measure all cases of some shapes; the record has them in their order."""
    cases = []
    for shape in shapes:
        built = {rules: build(shape, rules) for rules in sizes}
        cases += [_measure_case(shape, case, built, rounds) for case in shape.cases]
    return {"rounds": rounds, "sizes": list(sizes), "v8": _v8_version(), "cases": cases}


def build(shape: Shape, rules: int) -> Built:
    """Build the table of a shape, from its model on."""
    model = shape.model(rules)
    overlay, _, _ = build_overlay(model, None, name="bench")
    return Built(overlay, encode_table(build_table(model, overlay)))


def module_of(built: Built, case: Case, rules: int) -> bytes:
    """Link the bench's guest around a table and a case's questions about it."""
    return make_module(built.table, encode_rings(built.overlay, case.about, rules))


def _measure_case(
    shape: Shape, case: Case, built: Mapping[int, Built], rounds: int
) -> Record:
    modules = [module_of(one, case, rules) for rules, one in built.items()]
    times = _wasmtime_times(case, modules, rounds)
    v8 = _v8_times(modules, rounds)
    sizes = []
    for number, (rules, one) in enumerate(built.items()):
        row: Record = {
            "rules": rules,
            "table_bytes": len(one.table),
            "instructions": count_instructions(modules[number]),
        }
        for ring in _RINGS:
            row[f"{ring}_ns"] = spread(times[ring][number]).record()
            row[f"{ring}_ratio"] = _ratios(times[ring], number)
            if v8 is not None:
                row[f"{ring}_v8_ns"] = spread(v8[ring][number]).record()
                row[f"{ring}_v8_ratio"] = _ratios(v8[ring], number)
        sizes.append(row)
    return {"shape": shape.name, "case": case.name, "sizes": sizes}


def _ratios(times: Sequence[Sequence[float]], number: int) -> Record:
    """What a size takes compared with the first one, round by round."""
    pairs = zip(times[number], times[0], strict=True)
    return spread([value / first for value, first in pairs]).record()


# --- engines ---------------------------------------------------------------------


def count_instructions(module: bytes) -> float:
    """Wasm instructions per decision, on average over questions about all rules."""
    return DecisionGuest(module, counts_instructions=True).instructions(ALL_AT, RING)


def _wasmtime_times(case: Case, modules: Sequence[bytes], rounds: int) -> Times:
    guests = [DecisionGuest(module) for module in modules]
    wanted = RING if case.is_allowed else 0
    for guest in guests:
        for (
            first
        ) in _RINGS.values():  # answers are checked, and code and data warmed up
            if guest.allowed(first, RING) != wanted:
                raise AssertionError(f"{case.name}: not what was to be measured")
    times: Times = {ring: [[] for _ in guests] for ring in _RINGS}
    for _ in range(rounds):
        for ring, first in _RINGS.items():
            for number, guest in enumerate(guests):
                times[ring][number].append(guest.nanoseconds(first, RING))
    return times


def _v8_times(modules: Sequence[bytes], rounds: int) -> Times | None:
    """The same in V8; None if there is no node to run it."""
    node = shutil.which("node")
    if node is None:
        return None
    starts = ",".join(map(str, _RINGS.values()))
    with tempfile.TemporaryDirectory(prefix="pepmesh-") as folder:
        files = [Path(folder) / f"{number}.wasm" for number in range(len(modules))]
        for file, module in zip(files, modules, strict=True):
            file.write_bytes(module)
        command = [
            node,
            "--no-liftoff",
            str(_V8_SCRIPT),
            str(rounds),
            str(RING),
            starts,
        ]
        command += map(str, files)
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return {ring: [by_ring[at] for by_ring in found] for at, ring in enumerate(_RINGS)}


def _v8_version() -> str | None:
    node = shutil.which("node")
    if node is None:
        return None
    command = [node, "--print", "process.versions.v8"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()

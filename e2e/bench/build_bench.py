"""What builds of large meshes cost: time, memory, and again after one edit.

The whole build is the program, `pepmesh build`, on a folder with a file per namespace:
from its start to its end, with what it takes to import it. Each size is a process of
its own, so that its peak memory is its own. Builds after an edit are those of `pepmesh
build --watch`: they read the folder again, and write both files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final

from e2e.bench.big_mesh import MESH_WIDE_FILE, Size, big_mesh
from e2e.bench.edits import EDITS
from e2e.bench.results import Axis, Budget, Lines, Part, Plot, Record, Series, Table
from generator.build import compile_filter
from generator.cli.building import Builder, Places
from generator.cli.session import Session
from generator.collector import collect_and_forget, paused_collector
from generator.overlay.build import build_overlay
from generator.policy.load import load_model
from generator.table.build import build_table
from generator.table.encode import encode_table

NAMESPACES: Final = (1, 10, 100, 1000)
QUICK_NAMESPACES: Final = (1, 10)
TIMES_PER_EDIT: Final = 3

MIB: Final = 1024 * 1024
WALL_BUDGET_S: Final = 10
EDIT_BUDGET_S: Final = 2
MEMORY_BUDGET: Final = 1536 * MIB
BUDGET_WORKLOADS: Final = 10_000


def measure(quick: bool) -> Record:
    """Build meshes of ten workloads and ten policies per namespace."""
    sizes = QUICK_NAMESPACES if quick else NAMESPACES
    return {"meshes": [measure_mesh(namespaces) for namespaces in sizes]}


def measure_mesh(namespaces: int) -> Record:
    """Build one mesh as a whole, by step, and after edits."""
    with tempfile.TemporaryDirectory(prefix="pepmesh-") as name:
        folder = Path(name)
        manifests = folder / "mesh"
        manifests.mkdir()
        for source in big_mesh(Size(namespaces)):
            (manifests / source.name).write_text(source.text)
        return {
            "namespaces": namespaces,
            "text_bytes": sum(file.stat().st_size for file in manifests.iterdir()),
            **run_program(manifests, folder),
            **_in_a_process("steps", manifests),
            **_in_a_process("edits", manifests),
        }


# The peak that `wait4` tells counts what this process had when it forked.
_PROGRAM: Final = """\
import sys
from pathlib import Path
from generator.cli.main import main

status = Path(sys.argv.pop(1))
try:
    main(prog_name="pepmesh")
finally:
    status.write_text(Path("/proc/self/status").read_text())
"""


def run_program(manifests: Path, folder: Path) -> Record:
    """Run `pepmesh build`; return its time and its peak memory."""
    program = [sys.executable, "-c", _PROGRAM, str(folder / "status"), "build"]
    places = ["-f", str(manifests), "--out", str(folder / "mesh.wasm")]
    lock = ["--lock", str(folder / "overlay.lock.yaml")]
    start = time.perf_counter()
    with (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [*program, *places, *lock], stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError((folder / "errors").read_text())
    return {
        "wall_s": time.perf_counter() - start,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_bytes": _peak_bytes(folder / "status"),
        "module_bytes": (folder / "mesh.wasm").stat().st_size,
    }


def _peak_bytes(status: Path) -> int:
    lines = status.read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) * 1024


def _in_a_process(what: str, manifests: Path) -> Record:
    command = [sys.executable, "-m", "e2e.bench.build_bench", what, str(manifests)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    record: Record = json.loads(done.stdout)
    return record


# --- in a process of its own -----------------------------------------------------


def measure_steps(manifests: Path) -> Record:
    """Time the steps of one build, in CPU seconds."""
    steps: dict[str, float] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        start = time.process_time()
        yield
        steps[name] = time.process_time() - start

    with paused_collector():
        with timed("read"):
            model = load_model([str(manifests)]).model
        with timed("overlay"):
            overlay, _, _ = build_overlay(model, None, name="mesh")
        with timed("rules"):
            table = build_table(model, overlay)
        with timed("encode"):
            data = encode_table(table)
        with timed("module"):
            compile_filter(data)
    return {
        "workloads": len(model.members),
        "policies": len(model.policies),
        "table_bytes": len(data),
        "steps_s": steps,
    }


def measure_edits(manifests: Path) -> Record:
    """Time builds after edits, by edit: medians of several files, in seconds.

    As `--watch` does, garbage is collected between builds, when nobody waits.
    """
    out = manifests.parent
    places = Places(
        (str(manifests),), False, out / "edited.wasm", out / "edited.lock.yaml"
    )
    builder = Builder(Session(), places, None, None, ())
    names = sorted(file.name for file in manifests.iterdir())
    files = [manifests / name for name in names if name != MESH_WIDE_FILE]
    wall: dict[str, float] = {}
    cpu: dict[str, float] = {}
    with paused_collector():
        # The second build is the first one that has a lock file and a memory.
        for _ in range(2):
            builder.build()
            collect_and_forget()
        for name, edit in EDITS.items():
            times = []
            for file in islice(_spread(files), TIMES_PER_EDIT):
                edit(file)
                times.append(_time(builder))
            columns = zip(*times, strict=True)
            wall[name], cpu[name] = (median(column) for column in columns)
    return {"edits_s": wall, "edits_cpu_s": cpu}


def _time(builder: Builder) -> tuple[float, float]:
    """Return how long a build takes: seconds, and seconds of CPU."""
    start = time.perf_counter(), time.process_time()
    builder.build()
    end = time.perf_counter(), time.process_time()
    collect_and_forget()
    return end[0] - start[0], end[1] - start[1]


def _spread(files: list[Path]) -> Iterator[Path]:
    """Yield files from the whole list, the first one first."""
    yield from files[:: max(1, len(files) // TIMES_PER_EDIT)]


# --- what people read ------------------------------------------------------------

_STEPS: Final = {
    "read": "read",
    "overlay": "overlay",
    "rules": "rules",
    "encode": "table's bytes",
    "module": "module",
}
_EDITED: Final = {
    "port": "port changed",
    "label": "label changed",
    "policy": "policy added",
}


def tables(record: Record) -> list[Table]:
    return [_builds(record), _steps(record)]


def _builds(record: Record) -> Table:
    columns = (
        *("workloads", "policies", "manifests", "build", "CPU", "peak memory"),
        *_EDITED.values(),
    )
    rows = tuple(
        (
            *(f"{mesh[what]:,}" for what in ("workloads", "policies")),
            f"{mesh['text_bytes'] / 1e6:.1f} MB",
            *(f"{mesh[what]:.1f} s" for what in ("wall_s", "cpu_s")),
            f"{mesh['peak_bytes'] / MIB:,.0f} MiB",
            *(_edited(mesh, name) for name in _EDITED),
        )
        for mesh in record["meshes"]
    )
    note = (
        "Build: `pepmesh build` from its start to its end. The last columns: after one "
        "edit, with `--watch`; in brackets its CPU."
    )
    return Table("Builds", columns, rows, note)


def _edited(mesh: Record, name: str) -> str:
    return f"{mesh['edits_s'][name]:.2f} s ({mesh['edits_cpu_s'][name]:.2f} s)"


def _steps(record: Record) -> Table:
    rows = tuple(
        (
            f"{mesh['workloads']:,}",
            *(f"{mesh['steps_s'][name]:.2f} s" for name in _STEPS),
        )
        for mesh in record["meshes"]
    )
    note = "Module: the filter compiled from source, with the table inside."
    return Table("Steps of a build, CPU", ("workloads", *_STEPS.values()), rows, note)


def plots(record: Record) -> list[Plot]:
    x, y = Axis("workloads", is_log=True), Axis("seconds", is_log=True)
    meshes = record["meshes"]
    whole = tuple((mesh["workloads"], mesh["wall_s"]) for mesh in meshes)
    edited = tuple((mesh["workloads"], mesh["edits_s"]["port"]) for mesh in meshes)
    series = Series("whole", whole), Series("after one edit", edited)
    return [Lines("build-time", "Build", x, y, series)]


def budgets(record: Record) -> list[Budget]:
    """The budgets are for one size of mesh; smaller ones say nothing about them."""
    found = []
    for mesh in record["meshes"]:
        if mesh["workloads"] < BUDGET_WORKLOADS:
            continue
        wall, peak = mesh["wall_s"], mesh["peak_bytes"]
        what = f"build, {mesh['workloads']:,} workloads"
        found += [
            _seconds(what, wall, WALL_BUDGET_S),
            Budget(
                f"peak memory of that {what}",
                f"at most {MEMORY_BUDGET / MIB:,.0f} MiB",
                f"{peak / MIB:,.0f} MiB",
                peak <= MEMORY_BUDGET,
            ),
            *(
                _seconds(f"{what}, {_EDITED[name]}", seconds, EDIT_BUDGET_S)
                for name, seconds in mesh["edits_s"].items()
            ),
        ]
    return found


def _seconds(what: str, seconds: float, limit: float) -> Budget:
    return Budget(what, f"at most {limit} s", f"{seconds:.2f} s", seconds <= limit)


PART: Final = Part("build", "Build", measure, tables, plots, budgets)


def main() -> None:
    what, folder = sys.argv[1], Path(sys.argv[2])
    record = {"steps": measure_steps, "edits": measure_edits}[what](folder)
    sys.stdout.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()

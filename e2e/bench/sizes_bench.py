"""What a filter weighs: its module without a table, tables by section, guest memory."""

from __future__ import annotations

from typing import Final

from e2e.bench.big_mesh import Size, big_mesh
from e2e.bench.results import Axis, Budget, Lines, Part, Plot, Record, Series, Table
from generator.build import build_mesh
from generator.policy.load import load_sources
from generator.table.decode import section_sizes
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host

NAMESPACES: Final = (1, 10, 100, 1000)
QUICK_NAMESPACES: Final = (1, 10)

KIB: Final = 1024
MIB: Final = 1024 * KIB
MODULE_BUDGET: Final = 48 * KIB
BESIDE_TABLE_BUDGET: Final = 256 * KIB
TABLE_BUDGET: Final = 1 * MIB
TABLE_BUDGET_WORKLOADS: Final = 10_000


def measure(quick: bool) -> Record:
    """Build meshes of ten workloads per namespace, and weigh what comes out."""
    return {"meshes": [_weigh(n) for n in (QUICK_NAMESPACES if quick else NAMESPACES)]}


def _weigh(namespaces: int) -> Record:
    model = load_sources(big_mesh(Size(namespaces))).model
    built = build_mesh(model)
    table = built.table_bytes
    return {
        "namespaces": namespaces,
        "workloads": len(built.table.workloads),
        "policies": len(model.policies),
        "rules": sum(len(policy.rules) for policy in model.policies),
        "module_bytes": len(built.module),
        "table_bytes": len(table),
        "memory_bytes": len(WasmGuest(built.module, Host()).memory),
        "sections": dict(section_sizes(table)),
    }


# --- what people read ------------------------------------------------------------


def tables(record: Record) -> list[Table]:
    return [_meshes(record), _sections(record)]


def _meshes(record: Record) -> Table:
    columns = (
        *("workloads", "policies", "rules", "table", "per workload", "per rule"),
        *("module without table", "guest memory", "of it beside the table"),
    )
    rows = tuple(
        (
            *(f"{mesh[what]:,}" for what in ("workloads", "policies", "rules")),
            _bytes(mesh["table_bytes"]),
            *(f"{mesh['table_bytes'] / mesh[w]:.0f} B" for w in ("workloads", "rules")),
            _bytes(_code(mesh)),
            _bytes(mesh["memory_bytes"]),
            _bytes(_beside_table(mesh)),
        )
        for mesh in record["meshes"]
    )
    return Table(
        "Meshes of ten workloads per namespace",
        columns,
        rows,
        "Guest memory is fixed: a VM takes it when it starts, and never more.",
    )


def _sections(record: Record) -> Table:
    """Bytes of each section, the largest of the largest mesh first."""
    meshes = record["meshes"]
    largest = meshes[-1]
    names = sorted(largest["sections"], key=lambda n: -largest["sections"][n])
    rows = tuple(
        (
            name,
            *(f"{mesh['sections'][name]:,}" for mesh in meshes),
            f"{largest['sections'][name] / largest['workloads']:.1f}",
        )
        for name in names
        if largest["sections"][name]
    )
    sizes = (f"{mesh['workloads']:,} workloads" for mesh in meshes)
    columns = ("section", *sizes, "largest, per workload")
    return Table("Tables by section, in bytes", columns, rows)


def _code(mesh: Record) -> int:
    return int(mesh["module_bytes"] - mesh["table_bytes"])


def _beside_table(mesh: Record) -> int:
    return int(mesh["memory_bytes"] - mesh["table_bytes"])


def _bytes(count: int) -> str:
    return f"{count:,} B" if count < KIB else f"{count / KIB:,.1f} KiB"


def plots(record: Record) -> list[Plot]:
    points = tuple(
        (mesh["workloads"], mesh["table_bytes"] / KIB) for mesh in record["meshes"]
    )
    x, y = Axis("workloads", is_log=True), Axis("KiB", is_log=True)
    return [Lines("size-table", "Rule table", x, y, (Series("table", points),))]


def budgets(record: Record) -> list[Budget]:
    """The table's budget is for one size of mesh; other sizes say nothing about it."""
    meshes = record["meshes"]
    found = [
        _budget("module without table", max(map(_code, meshes)), MODULE_BUDGET),
        _budget(
            "guest memory beside the table",
            max(map(_beside_table, meshes)),
            BESIDE_TABLE_BUDGET,
        ),
    ]
    return found + [
        _budget(
            f"table of {mesh['namespaces']:,} namespaces, {mesh['workloads']:,} "
            f"workloads, {mesh['policies']:,} policies",
            mesh["table_bytes"],
            TABLE_BUDGET,
        )
        for mesh in meshes
        if mesh["workloads"] >= TABLE_BUDGET_WORKLOADS
    ]


def _budget(what: str, measured: int, limit: int) -> Budget:
    shown = f"at most {_bytes(limit)}"
    return Budget(what, shown, _bytes(measured), measured <= limit)


PART: Final = Part("sizes", "Size", measure, tables, plots, budgets)

"""The main job, whole: from NetworkPolicy files to enforcing Envoys (`make demo`).

Builds the example shop's module, starts a real Envoy per workload, sends a request
from every workload to every workload and port, compares with policy, tries to get
round the sidecars, and measures what the filter costs. Exit code 0: everything was as
policy says. 1: it was not; the logs are kept. Nothing is left running either way.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from e2e.attacks import attempt_all, shop_attacks
from e2e.bench.shop_bench import measure_shop
from e2e.bench.shop_report import markdown
from e2e.matrix import all_questions, observe
from e2e.report import print_attacks, print_denials, print_matrix
from e2e.shop_run import MANIFESTS, Shop, prepared_shop, running_shop
from generator.errors import ToolError

_ROUNDS = 24
_WIDTH = 100

_T = TypeVar("_T")


def main() -> int:
    """Run the demo; return its exit code."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    folder = Path(tempfile.mkdtemp(prefix="pepmesh-"))
    try:
        is_good = run(console, folder)
    except ToolError as error:
        shutil.rmtree(folder)
        console.print(f"error: {error}", style="bold red", markup=False)
        return 2
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        console.print("\nstopped; nothing is left running")
        return 130
    if not is_good:
        console.print(f"NOT as policy says; logs are in {folder}", style="bold red")
        return 1
    shutil.rmtree(folder)
    console.print("Everything was as policy says.", style="bold green")
    return 0


def run(console: Console, folder: Path) -> bool:
    """Do all of it; say whether everything was as expected."""
    with prepared_shop(folder) as shop:
        _print_build(console, shop)
        is_good = _enforce(console, shop, folder)
        console.rule("what the filter costs", align="left")
        figures, sizes = measure_shop(shop, folder, _ROUNDS)
        console.print(markdown(figures, sizes), markup=False, soft_wrap=True)
    return is_good


def _enforce(console: Console, shop: Shop, folder: Path) -> bool:
    start = time.perf_counter()
    with running_shop(shop, folder) as mesh:
        console.print(
            f"started {len(mesh.envoys)} Envoys in {time.perf_counter() - start:.1f} s"
        )
        questions = all_questions(mesh, shop.preferred_names)
        seen, seconds = _timed(lambda: observe(mesh, questions, shop.answers))
        console.print(f"asked {len(seen)} questions in {seconds:.1f} s\n")
        print_matrix(console, shop.endpoints, seen)
        console.rule("who was denied, and by which rule", align="left")
        print_denials(console, seen, shop.product.built.table)
        console.rule("round the sidecars", align="left")
        outcomes = attempt_all(mesh, shop_attacks(mesh, shop.product, shop.addresses))
        print_attacks(console, outcomes)
    return all(o.is_as_expected for o in seen) and all(
        o.is_as_expected for o in outcomes
    )


def _print_build(console: Console, shop: Shop) -> None:
    built = shop.product.built
    table_bytes = len(built.table_bytes)
    console.print(
        f"e2e/{MANIFESTS.name}: {len(shop.model.policies)} policies, "
        f"{len(shop.endpoints)} workloads → mesh.wasm, "
        f"{len(built.module) - table_bytes:,} bytes of code and "
        f"{table_bytes:,} bytes of rule table\n{built.digest}"
    )


def _timed(work: Callable[[], _T]) -> tuple[_T, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())

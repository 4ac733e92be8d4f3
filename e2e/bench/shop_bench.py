"""Measure the filter on the example shop: lay out, run, compare."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from e2e.bench.measure import compare
from e2e.bench.shop_report import Row, Sizes
from e2e.bench.subjects import make_bench
from e2e.envoy import start_envoy
from e2e.mesh import start_applications
from e2e.processes import children
from e2e.shop_run import Shop
from generator.build import build_mesh, compile_filter

BUSY: Final = 16
"""Requests in flight of the second comparison."""


def measure_shop(shop: Shop, folder: Path, rounds: int) -> tuple[list[Row], Sizes]:
    """Run the comparison of `subjects`; return its figures and the build's sizes."""
    bench = make_bench(
        shop.product, shop.endpoints, shop.is_allowed, shop.addresses, folder
    )
    scratch = folder / "bench"
    scratch.mkdir()
    with children() as family:
        port = bench.proxy.inbound[0].port
        start_applications(family, {f"{bench.origin}:{port}": "bench"}, scratch)
        envoy = start_envoy(family, bench.proxy, scratch / "envoy").wait_ready()
        single = compare(envoy, bench.variants, rounds)
        busy = compare(envoy, bench.variants, rounds, BUSY)
    rows = [Row(one, other) for one, other in zip(single, busy, strict=True)]
    return rows, _sizes(shop)


def _sizes(shop: Shop) -> Sizes:
    built = shop.product.built
    start = time.perf_counter()
    compile_filter(built.table_bytes)
    compiled = time.perf_counter()
    build_mesh(shop.model, name="shop")
    done = time.perf_counter()
    return Sizes(
        module_bytes_without_table=len(built.module) - len(built.table_bytes),
        table_bytes=len(built.table_bytes),
        compile_ms=(compiled - start) * 1000,
        build_ms=(done - compiled) * 1000,
    )

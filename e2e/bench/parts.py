"""The parts of the benchmark, in the order of the report."""

from __future__ import annotations

from typing import Final

from e2e.bench.results import Part

PARTS: Final[tuple[Part, ...]] = ()

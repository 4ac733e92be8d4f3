"""The parts of the benchmark, in the order of the report."""

from __future__ import annotations

from typing import Final

from e2e.bench.build_bench import PART as BUILD
from e2e.bench.decision_report import PART as DECISION
from e2e.bench.memory_bench import PART as MEMORY
from e2e.bench.requests_bench import PART as REQUESTS
from e2e.bench.results import Part
from e2e.bench.rollout_bench import PART as ROLLOUT
from e2e.bench.sizes_bench import PART as SIZES
from e2e.bench.tail_bench import PART as TAIL

PARTS: Final[tuple[Part, ...]] = (
    REQUESTS,
    TAIL,
    DECISION,
    SIZES,
    MEMORY,
    BUILD,
    ROLLOUT,
)

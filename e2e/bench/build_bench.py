"""What large meshes cost to build: `python -m e2e.bench.build_bench [NAMESPACES ...]`.

Each size is a process of its own, so that its peak memory is its own. Times are CPU
seconds of one process: reading manifests, and from the model to the table's bytes.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Final

from e2e.bench.big_mesh import Size, big_mesh
from generator.overlay.build import build_overlay
from generator.policy.load import load_sources
from generator.table.build import build_table
from generator.table.encode import encode_table

SIZES: Final = (1, 10, 100, 1000)
HEADER: Final = (
    "| workloads | policies | manifests | read | build | peak memory | table | per "
    "workload |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """One mesh: sizes in bytes, times in CPU seconds, memory in KiB."""

    workloads: int
    policies: int
    text_bytes: int
    load_s: float
    build_s: float
    table_bytes: int
    peak_kib: int

    def row(self) -> str:
        cells = (
            f"{self.workloads:,}",
            f"{self.policies:,}",
            f"{self.text_bytes / 1e6:.1f} MB",
            f"{self.load_s:.1f} s",
            f"{self.build_s:.1f} s",
            f"{self.peak_kib // 1024:,} MiB",
            f"{self.table_bytes:,}",
            f"{self.table_bytes // self.workloads}",
        )
        return f"| {' | '.join(cells)} |"


def measure(namespaces: int) -> Cost:
    """Build one mesh in this process."""
    sources = big_mesh(Size(namespaces))
    text_bytes = sum(len(source.text) for source in sources)
    start = time.process_time()
    model = load_sources(sources).model
    loaded = time.process_time()
    overlay, _, _ = build_overlay(model, None, name="big")
    table = encode_table(build_table(model, overlay))
    built = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = loaded - start, built - loaded
    return Cost(
        len(model.members), len(model.policies), text_bytes, *times, len(table), peak
    )


def main() -> None:
    given = [int(text) for text in sys.argv[1:]]
    if len(given) == 1:
        sys.stdout.write(json.dumps(asdict(measure(given[0]))) + "\n")
        return
    sys.stdout.write(HEADER + "\n")
    for namespaces in given or SIZES:
        command = [sys.executable, "-m", "e2e.bench.build_bench", str(namespaces)]
        result = subprocess.run(command, check=True, capture_output=True, text=True)
        sys.stdout.write(Cost(**json.loads(result.stdout)).row() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Run all packed probes and print a table: `python -m e2e.packed [WORD ...]`.

Words choose scenarios by a part of their names. Exit code 1: some probe came out wrong.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from e2e.addresses import claim_addresses
from e2e.packed.others import others
from e2e.packed.ours import ours
from e2e.packed.report import report
from e2e.packed.run import run


def main(words: Sequence[str]) -> int:
    scenarios = [
        scenario
        for scenario in (*others(), *ours())
        if not words or any(word in scenario.name for word in words)
    ]
    with tempfile.TemporaryDirectory() as folder, claim_addresses() as addresses:
        outcome = run(scenarios, Path(folder), addresses.run)
    sys.stdout.write(report(scenarios, outcome) + "\n")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

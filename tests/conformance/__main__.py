"""Print the conformance table: `python -m tests.conformance [-o FORMAT] [--judge J]`.

Exit code 0: every difference has a reason; 1: some has not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.conformance.judges import JUDGES
from tests.conformance.report import as_json, as_markdown, as_table
from tests.conformance.run import is_clean, run_all
from tests.support.connlist import CONFORMANCE

FORMATS = {"table": as_table, "json": as_json, "md": as_markdown}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("-o", "--output", choices=FORMATS, default="table")
    parser.add_argument(
        "--judge",
        choices=sorted(JUDGES),
        default="module",
        help="who is asked: the module that Envoy loads (default), or the slow oracle",
    )
    options = parser.parse_args(arguments)
    if not CONFORMANCE.is_dir():
        sys.stderr.write(f"{CONFORMANCE} is missing\n")
        return 2
    results = run_all(options.judge)
    sys.stdout.write(FORMATS[options.output](results) + "\n")
    return 0 if is_clean(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Measure what the filter costs (`make bench`): `python -m e2e.bench [--json FILE]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from e2e.bench.report import as_json, markdown
from e2e.bench.shop_bench import measure_shop
from e2e.shop_run import prepared_shop


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="default %(default)s")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="pepmesh-") as name,
        prepared_shop(Path(name)) as shop,
    ):
        figures, sizes = measure_shop(shop, Path(name), options.rounds)
    sys.stdout.write(markdown(figures, sizes) + "\n")
    if options.json:
        options.json.write_text(as_json(figures, sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure what pepmesh costs (`make bench`), next to what people would use instead."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from e2e.bench import machine
from e2e.bench.parts import PARTS
from e2e.bench.render import add_outputs, write
from e2e.bench.report import FORMAT
from e2e.bench.results import Record


def main() -> int:
    options = _options()
    chosen = [p for p in PARTS if not options.only or p.name in options.only]
    record: Record = {
        "format": FORMAT,
        "machine": machine.describe(),
        "is_quick": options.quick,
        "parts": {},
    }
    for part in chosen:
        sys.stderr.write(f"measuring: {part.title}\n")
        record["parts"][part.name] = part.measure(options.quick)
        if options.json:  # after each part, so that a failure loses one part only
            text = json.dumps(record, indent=1, ensure_ascii=False)
            options.json.write_text(text + "\n")
    write(record, options.markdown, options.svg)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m e2e.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look, 3 minutes")
    known = ", ".join(part.name for part in PARTS)
    parser.add_argument(
        "--only", type=_names, metavar="PART,...", default=(), help=f"of {known}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the record")
    add_outputs(parser)
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = set(names) - {part.name for part in PARTS}
    if unknown:
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    sys.exit(main())

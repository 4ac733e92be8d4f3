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
from e2e.bench.requests_bench import request_part
from e2e.bench.results import CannotMeasure, Part, Record


def main() -> int:
    options = _options()
    try:
        record = measure(options)
    except CannotMeasure as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    write(record, options.markdown, options.svg)
    return 0


def measure(options: argparse.Namespace) -> Record:
    """Measure the chosen parts; keep the record after each, if there is a file."""
    record: Record = {
        "format": FORMAT,
        "machine": machine.describe(),
        "is_quick": options.quick,
        "parts": {},
    }
    for part in _chosen(options):
        sys.stderr.write(f"measuring: {part.title}\n")
        record["parts"][part.name] = part.measure(options.quick)
        if options.json:
            text = json.dumps(record, indent=1, ensure_ascii=False)
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(text + "\n")
    return record


def _chosen(options: argparse.Namespace) -> list[Part]:
    chosen = [p for p in PARTS if not options.only or p.name in options.only]
    if options.rounds is None:
        return chosen
    requests = request_part(options.rounds)
    return [requests if part.name == requests.name else part for part in chosen]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m e2e.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look, 3 minutes")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="of the CPU per request"
    )
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

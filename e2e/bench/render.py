"""Tell a record again: `python -m e2e.bench.render results.json`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from e2e.bench.parts import PARTS
from e2e.bench.report import markdown, plots
from e2e.bench.results import Record
from e2e.bench.svg import draw


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m e2e.bench.render", description=__doc__
    )
    parser.add_argument("record", type=Path, help="what `--json` wrote")
    add_outputs(parser)
    options = parser.parse_args()
    write(json.loads(options.record.read_text()), options.markdown, options.svg)
    return 0


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say where the report goes."""
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="default: standard output"
    )
    parser.add_argument("--svg", type=Path, metavar="FOLDER", help="write plots there")


def write(record: Record, markdown_file: Path | None, folder: Path | None) -> None:
    """Write a record's tables, and its plots if a folder is given."""
    text = markdown(record, PARTS)
    if markdown_file is None:
        sys.stdout.write(text)
    else:
        markdown_file.parent.mkdir(parents=True, exist_ok=True)
        markdown_file.write_text(text)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for plot in plots(record, PARTS):
            (folder / f"{plot.name}.svg").write_text(draw(plot))


if __name__ == "__main__":
    sys.exit(main())

"""No file of the cases is left out: each is read by some case, or listed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tests.conformance.result import Outcome, Result
from tests.support.connlist import CONFORMANCE

FILES: Final = "files of the cases"

# Files that no case reads, and why. netpol-analyzer's SOURCES.md is read: it has the
# table of what must be refused.
LISTED: Final = {
    "cyclonus/LICENSE": "a licence",
    "cyclonus/SOURCES.md": "says where the files are from and how to read them",
    "netpol-analyzer/LICENSE": "a licence",
    "network-policy-api/LICENSE": "a licence",
    "network-policy-api/SOURCES.md": "says where the files are from, how to read them",
}


def account(results: Iterable[Result]) -> Iterator[Result]:
    """Yield one result per file: read, listed, or forgotten."""
    read = {file for result in results for file in result.files}
    present = {
        str(path.relative_to(CONFORMANCE))
        for path in CONFORMANCE.rglob("*")
        if path.is_file()
    }
    used = sorted(present & read - LISTED.keys())
    yield Result(FILES, "read by a case", Outcome.AGREES, count=len(used))
    for name in sorted(LISTED):
        if name in present - read:
            yield Result(FILES, name, Outcome.NOT_APPLICABLE, LISTED[name])
        else:
            yield Result(FILES, name, Outcome.FAILED, "listed, but read or missing")
    for name in sorted(present - read - LISTED.keys()):
        yield Result(FILES, name, Outcome.FAILED, "no case reads it, nor is it listed")

"""Ask the filter's own check, under CPython, whether it would admit a table."""

from __future__ import annotations

from filters import admission
from filters.running import running


def why_refused(data: bytes) -> str:
    """Say why the filter would refuse these bytes, or return an empty text."""
    with running(None, {"table": data}):
        if not admission.check_header():
            return "the table is truncated, damaged or of another version"
        if not admission.check_directory():
            return "the table's sections do not follow one another"
        if not admission.check_rows():
            return "a row of the table points outside it"
    return ""

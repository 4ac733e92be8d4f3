"""What came of one case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.support.connlist import CONFORMANCE


class Outcome(Enum):
    """AGREES; DIFFERS for a reason that is written down; NOT_APPLICABLE likewise.

    FAILED is a difference that nobody has explained.
    """

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_APPLICABLE = "not applicable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Result:
    """One case: `count` is how many probes or cells it stands for.

    `files` are the files below `CONFORMANCE` that it was read from.
    """

    source: str
    case: str
    outcome: Outcome
    reason: str = ""
    count: int = 1
    files: tuple[str, ...] = ()


def relative(path: str | Path) -> str:
    """Spell a file as it is called below the folder of all cases."""
    absolute = Path(path).resolve()
    root = CONFORMANCE.resolve()
    return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else ""

"""Every diagnostic code: severity, what it means, what to do about it.

Codes are for ever: a code is never given a second meaning. Three letters name the
part that speaks: INP reading files, POL policies and inventory, OVL overlay, lock
file and keys, TBL rule tables, GST guest source (the compiler), RUN running a module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SEVERITIES: Final[dict[str, Literal["error", "warning", "info"]]] = {
    "error": "error",
    "warning": "warning",
    "info": "info",
}


@dataclass(frozen=True, slots=True)
class Code:
    """Severity, meaning and the default hint of one code."""

    severity: Literal["error", "warning", "info"]
    meaning: str
    hint: str = ""


CODES: Final[dict[str, Code]] = {
    # --- INP: reading files ------------------------------------------------------
    # --- POL: policies and inventory ---------------------------------------------
    # --- OVL: overlay, lock file, keys -------------------------------------------
    # --- TBL: rule tables ---------------------------------------------------------
    # --- GST: guest source ---------------------------------------------------------
    # --- RUN: running a module ------------------------------------------------------
}

"""What a flow carries, as far as rules with `http` ask."""

from __future__ import annotations

from enum import IntEnum


class Requests(IntEnum):
    """What is asked about. SOME and EVERY are for analysis: is any, are all allowed?"""

    NOT_HTTP = 0
    GIVEN = 1
    SOME = 2
    EVERY = 3

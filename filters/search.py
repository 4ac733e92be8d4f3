"""What the search through one subject's rules has found so far."""

from __future__ import annotations

from filters.lang import record, u32


@record
class Search:
    """All are rule ids or NONE, but for `last_key`: where this answer ends.

    `unsure`: the first rule that the request can be read to match or not to match.
    `passes`: the first Pass that some requests match, if it is asked about all of them.
    """

    best: u32 = 0xFFFFFFFF
    unsure: u32 = 0xFFFFFFFF
    passes: u32 = 0xFFFFFFFF
    last_key: u32 = 0


SEARCH = Search()

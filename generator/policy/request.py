"""One HTTP request, as policy sees it: what questions are about, beside a port."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as the client sends it; nothing in it is normalised.

    `path` is the request target with its query, `host` the authority with its port, if
    it has one. `headers` may repeat a name; names are in lower case.
    """

    method: str = "GET"
    path: str = "/"
    host: str = ""
    headers: tuple[tuple[str, str], ...] = ()

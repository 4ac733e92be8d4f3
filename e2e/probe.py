"""Send one request and tell what came back.

The client's own address is part of a request: that is what the receiving side judges
a stranger by. Headers are sent exactly as given, repeated ones included.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client saw. Code 0: the connection was cut without an answer."""

    code: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def is_from_application(self) -> bool:
        return self.code == 200 and self.body.startswith(b'{"name":')

    @property
    def application(self) -> dict[str, Any]:
        """Return what the application says that it received."""
        said = json.loads(self.body)
        assert isinstance(said, dict)
        return said

    def application_headers(self, name: str) -> list[str]:
        """Return all values of one header that reached the application."""
        return [v for n, v in self.application["headers"] if n == name]

    def header(self, name: str) -> str | None:
        return next((v for n, v in self.headers if n == name), None)


def send(
    source: str,
    address: str,
    port: int,
    *,
    authority: str = "",
    path: str = "/",
    method: str = "GET",
    headers: Headers = (),
    body: bytes = b"",
    timeout_s: float = 10.0,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Send one HTTP/1.1 request from the address `source`."""
    connection = _connect(source, address, port, timeout_s, tls)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("host", authority or f"{address}:{port}")
        for name, value in headers:
            connection.putheader(name, value)
        if body:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body or None)
        response = connection.getresponse()
        received = tuple((n.lower(), v) for n, v in response.getheaders())
        return Answer(response.status, received, response.read())
    except (ConnectionError, http.client.HTTPException):
        return Answer(0)
    finally:
        connection.close()


def _connect(
    source: str, address: str, port: int, timeout_s: float, tls: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    if tls is None:
        return http.client.HTTPConnection(
            address, port, timeout=timeout_s, source_address=(source, 0)
        )
    return http.client.HTTPSConnection(
        address, port, timeout=timeout_s, source_address=(source, 0), context=tls
    )

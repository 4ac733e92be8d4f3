"""Traffic as people write it: in tests beside policies, in traffic files, as options.

    from: shop/frontend
    to: shop/cart
    port: 7070
    protocol: TCP          # may be left out
    http:                  # may be left out: the flow is then not HTTP
      method: POST
      path: /cart/items?x=1
      host: cart.shop      # the destination's own name, if left out
      headers: {x-team: blue, x-tag: [a, b]}

Names and ports are what `names` and `ports` read. Nothing is looked up here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.labels import read_protocol
from generator.policy.model import Protocol
from generator.policy.request import HttpRequest
from generator.source import Span

TRAFFIC_FIELDS: Final = frozenset({"from", "to", "port", "protocol", "http"})
_HTTP_FIELDS: Final = frozenset({"method", "path", "host", "headers"})


@dataclass(frozen=True, slots=True)
class Traffic:
    """One question. `request` None: a flow that is not HTTP."""

    source: str
    destination: str
    port: str
    protocol: Protocol = Protocol.TCP
    request: HttpRequest | None = None
    span: Span | None = None

    def __str__(self) -> str:
        head = f"{self.source} -> {self.destination} {self.protocol} {self.port}"
        if self.request is None:
            return head
        return f"{head} {self.request.method} {self.request.path}"


def read_traffic(value: Value, findings: Findings) -> Traffic:
    """Read the fields of `TRAFFIC_FIELDS`; what else is allowed is the caller's.

    Raises: PolicyError INP0005, INP0008 or POL0004 at the first fault.
    """
    port = value.require("port")
    request = value.get("http")
    return Traffic(
        value.require("from").text(),
        value.require("to").text(),
        str(port.integer()) if port.is_number else port.text(),
        read_protocol(value.get("protocol")),
        None if request is None else _read_request(request, findings),
        value.first_line,
    )


def _read_request(value: Value, findings: Findings) -> HttpRequest:
    value.refuse_unknown(_HTTP_FIELDS, findings)
    headers = value.get("headers")
    return HttpRequest(
        value.text_of("method", "GET"),
        value.text_of("path", "/"),
        value.text_of("host"),
        () if headers is None else tuple(_read_headers(headers)),
    )


def _read_headers(value: Value) -> Iterator[tuple[str, str]]:
    """Yield names and values; a list of values repeats the header."""
    for name, given in value.pairs():
        values = given.items() if given.is_list else [given]
        for each in values:
            yield name.text().lower(), each.text()

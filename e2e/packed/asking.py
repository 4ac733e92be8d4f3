"""Make a probe: one request through both sidecars, and one past the sender's.

A local proxy completes the handshake whatever policy says, so a connection alone tells
nothing: a request is sent and an answer read. A 403, a reset, and an answer without a
word are denials; so is Envoy's own 400 for a request that it cannot read. What else is
not the application's answer is a failure of the substrate.

The first sidecar judges both directions and stops what is denied; so each probe is also
sent to the receiving sidecar with the very headers that the first would have written.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
from dataclasses import dataclass
from enum import Enum
from typing import Final

from e2e.packed.scenario import Probe
from e2e.packed.substrate import Prepared, asked_for
from e2e.proxy import OUTBOUND_PORT
from generator.policy.request import HttpRequest

TIMEOUT_S: Final = 10.0
MARK: Final = "packed="

_PLAIN_PATH: Final = re.compile(r"(/[A-Za-z0-9-]+)*/?(\?.*)?")


class Way(Enum):
    THROUGH = "through both sidecars"
    PAST = "past the sender's sidecar"


class Seen(Enum):
    ALLOWED = "allowed"
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Observation:
    """What came of a probe, one way. `mark` finds it in the access log."""

    scenario: str
    source: str
    probe: Probe
    way: Way
    mark: str
    seen: Seen
    code: int
    answer: str = ""

    @property
    def is_as_expected(self) -> bool:
        return self.seen is (Seen.ALLOWED if self.probe.is_allowed else Seen.DENIED)


def ask(prepared: Prepared, number: int) -> list[Observation]:
    """Make the probe of this number, every way that there is for it."""
    probe = prepared.probes[number]
    if probe.is_from_outside or not _survives(probe.request):
        return [_observe(prepared, number, Way.PAST)]
    return [_observe(prepared, number, way) for way in Way]


def _survives(request: HttpRequest | None) -> bool:
    """Tell whether a request leaves the sender's sidecar as it came there.

    The way out is found by the host that it names, and Envoy repairs paths there before
    the filter sees them, as Istio has it.
    """
    if request is None:
        return True
    return not request.host and _PLAIN_PATH.fullmatch(request.path) is not None


def _observe(prepared: Prepared, number: int, way: Way) -> Observation:
    probe = prepared.probes[number]
    scenario = prepared.placing.scenario
    mark = f"{MARK}{scenario.source}/{scenario.name}/{number}/{way.name}"
    request = probe.request or HttpRequest()
    host, port = asked_for(prepared, probe)
    destination = prepared.endpoints[probe.destination].address
    if way is Way.THROUGH:
        source = prepared.endpoints[probe.source].address
        head = _head(request, mark, f"{host}:{port}", [])
        place = source, OUTBOUND_PORT
    else:
        proof: list[tuple[str, str]] = []
        if probe.is_from_outside:
            source = prepared.placing.outsiders[probe.source]
        else:
            endpoint = prepared.endpoints[probe.source]
            source = endpoint.address
            proof = prepared.product.headers(endpoint, host)
        head = _head(request, mark, f"{host}:{port}", proof)
        place = destination, probe.port
    code, body = _send(source, place, request.method, head)
    name = f"{prepared.endpoints[probe.destination].origin}:{probe.port}"
    seen = _classify(code, body, name if request.method != "HEAD" else "")
    answer = body.decode("latin-1")[:200]
    return Observation(
        scenario.name, scenario.source, probe, way, mark, seen, code, answer
    )


def _head(
    request: HttpRequest, mark: str, authority: str, proof: list[tuple[str, str]]
) -> bytes:
    """Lay a request out byte by byte: odd paths must get there as they are."""
    joint = "&" if "?" in request.path else "?"
    lines = [f"{request.method} {request.path}{joint}{mark} HTTP/1.1"]
    lines.append(f"host: {request.host or authority}")
    lines += [f"{name}: {value}" for name, value in (*request.headers, *proof)]
    lines += ["connection: close", "", ""]
    return "\r\n".join(lines).encode()


def _send(
    source: str, place: tuple[str, int], method: str, head: bytes
) -> tuple[int, bytes]:
    """Send a request; return code 0 if nothing came back."""
    try:
        with socket.create_connection(
            place, TIMEOUT_S, source_address=(source, 0)
        ) as connection:
            connection.sendall(head)
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            return response.status, response.read()
    except (ConnectionError, http.client.HTTPException):
        return 0, b""


def _classify(code: int, body: bytes, name: str) -> Seen:
    """Tell what an answer means; an answer to HEAD has no body with a name."""
    if code in (0, 400, 403):
        return Seen.DENIED
    if code == 200 and not name:
        return Seen.ALLOWED
    if code == 200 and body.startswith(b'{"name":'):
        return Seen.ALLOWED if json.loads(body)["name"] == name else Seen.FAILED
    return Seen.FAILED

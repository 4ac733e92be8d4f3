"""Read a file of traffic: the flows that `simulate --traffic` answers, in their order.

    apiVersion: pepmesh.dev/v1
    kind: Traffic
    flows:
    - {from: shop/frontend, to: shop/cart, port: 7070, http: {path: /cart}}

    from,to,port,protocol,method,path,host
    shop/frontend,shop/cart,7070,,GET,/cart,

A file that is called `*.csv` is CSV; columns may be left out from `protocol` on, and
come in any order. A flow that gives method, path or host there carries HTTP.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from generator.analysis.errors import QuestionError
from generator.analysis.traffic import TRAFFIC_FIELDS, Traffic, read_traffic
from generator.errors import PolicyError
from generator.policy.documents import Manifest, read_manifests
from generator.policy.findings import Findings
from generator.policy.model import Protocol
from generator.policy.request import HttpRequest
from generator.source import Position, SourceFile, Span

KIND: Final = "Traffic"
CSV_SUFFIX: Final = ".csv"

_API_VERSION: Final = "pepmesh.dev/v1"
_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "flows"})
_REQUIRED: Final = ("from", "to", "port")
_HTTP: Final = ("method", "path", "host")
_COLUMNS: Final = (*_REQUIRED, "protocol", *_HTTP)


def read_traffic_file(source: SourceFile) -> list[Traffic]:
    """Return all flows of a file; at least one.

    Raises: QuestionError with every fault of the file.
    """
    findings = Findings()
    read = _read_csv if source.name.endswith(CSV_SUFFIX) else _read_yaml
    flows = list(read(source, findings))
    if not flows and not findings.has_errors:
        message = f"{source.name} has no flows"
        findings.add("RUN0030", message, _line(source, 0))
    if findings.has_errors:
        raise QuestionError(findings.sorted())
    return flows


# --- YAML and JSON ---------------------------------------------------------------


def _read_yaml(source: SourceFile, findings: Findings) -> Iterator[Traffic]:
    with findings.collect():
        for manifest in read_manifests(source, findings):
            with findings.collect():
                yield from _flows_of(manifest, findings)


def _flows_of(manifest: Manifest, findings: Findings) -> Iterator[Traffic]:
    if (manifest.api_version, manifest.kind) != (_API_VERSION, KIND):
        message = f"{manifest.api_version} {manifest.kind} is not {_API_VERSION} {KIND}"
        raise PolicyError.of("RUN0030", message, manifest.body.first_line)
    manifest.body.refuse_unknown(_FIELDS, findings)
    for value in manifest.body.require("flows").items():
        with findings.collect():
            value.refuse_unknown(TRAFFIC_FIELDS, findings)
            yield read_traffic(value, findings)


# --- CSV -------------------------------------------------------------------------


def _read_csv(source: SourceFile, findings: Findings) -> Iterator[Traffic]:
    with findings.collect():
        columns: list[str] = []
        for place, row in _rows(source):
            if not columns:
                columns = _read_header(row, place)
                continue
            with findings.collect():
                yield _read_row(columns, row, place)


def _rows(source: SourceFile) -> Iterator[tuple[Span, list[str]]]:
    """Yield the rows that are not empty, and where each starts."""
    reader = csv.reader(io.StringIO(source.text, newline=""), strict=True)
    start = 0
    try:
        for row in reader:
            if row:
                yield _line(source, start), [cell.strip() for cell in row]
            start = reader.line_num
    except csv.Error as error:
        message = f"not CSV: {error}"
        raise PolicyError.of("RUN0031", message, _line(source, start)) from None


def _read_header(names: list[str], place: Span) -> list[str]:
    unknown = [name for name in names if name not in _COLUMNS]
    missing = [name for name in _REQUIRED if name not in names]
    if unknown:
        raise PolicyError.of("RUN0031", f'unknown column "{unknown[0]}"', place)
    if missing:
        raise PolicyError.of("RUN0031", f'the column "{missing[0]}" is missing', place)
    if len(set(names)) < len(names):
        raise PolicyError.of("RUN0031", "a column is there twice", place)
    return names


def _read_row(columns: list[str], row: list[str], place: Span) -> Traffic:
    if len(row) != len(columns):
        message = f"{len(row)} cells in a table of {len(columns)} columns"
        raise PolicyError.of("RUN0031", message, place)
    cells = dict(zip(columns, row, strict=True))
    for name in _REQUIRED:
        if not cells[name]:
            raise PolicyError.of("RUN0031", f'"{name}" is empty', place)
    protocol = cells.get("protocol") or Protocol.TCP.value
    if protocol not in Protocol.__members__:
        raise PolicyError.of("POL0004", f'unknown protocol "{protocol}"', place)
    ends = cells["from"], cells["to"], cells["port"]
    return Traffic(*ends, Protocol(protocol), _request_of(cells), place)


def _request_of(cells: dict[str, str]) -> HttpRequest | None:
    method, path, host = (cells.get(name, "") for name in _HTTP)
    if not (method or path or host):
        return None
    return HttpRequest(method or "GET", path or "/", host)


def _line(source: SourceFile, number: int) -> Span:
    end = len(source.line(number))
    return Span(source.name, Position(number, 0), Position(number, end))

"""What of a rule's `http` a request does not meet, in words.

    method POST is not GET, HEAD
    path /cart/7/items does not match template /cart/{*}
    header x-team is absent, rule wants blue

Each condition is put to the oracle's reading of HTTP by itself. Entries are ORed; in
an ordered tier an entry that can be read in two ways counts before those behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.analysis.explain.ambiguity import shown_path, shown_text, why_ambiguous
from generator.analysis.explain.misses import Field, Miss, Misses, fewest
from generator.analysis.request_text import header_text, path_text, requests_text
from generator.policy.model import HeaderKind, HeaderMatch, HttpMatch, PathKind
from generator.policy.oracle_http import Holds, holds_in_union, host_of, normal_form
from generator.policy.request import HttpRequest
from generator.wording import listed

_MOST_ENTRIES: Final = 3


def http_misses(
    http: tuple[HttpMatch, ...] | None,
    request: HttpRequest | None,
    *,
    is_ordered: bool,
) -> Misses:
    """Return what keeps a request from matching; `request` None is no request."""
    if http is None:
        return ()
    if request is None:
        wanted = ", or ".join(requests_text(entry) for entry in http[:_MOST_ENTRIES])
        return (Miss(Field.REQUEST, f"the flow is not HTTP, rule wants {wanted}"),)
    why = why_ambiguous(request.path)
    if why is not None and any(entry.paths for entry in http):
        path = shown_path(request.path)
        text = f"path {path} can be read in two ways: {why}"
        return (Miss(Field.AMBIGUOUS, text),)
    found = [tuple(_entry_misses(entry, request)) for entry in http]
    if is_ordered:
        for misses in found:
            if all(miss.field is Field.AMBIGUOUS for miss in misses):
                return misses
    return fewest(found)


def _entry_misses(entry: HttpMatch, request: HttpRequest) -> Iterator[Miss]:
    if not _holds(HttpMatch(methods=entry.methods), request):
        wanted = listed(entry.methods)
        yield Miss(Field.METHOD, f"method {request.method} is not {wanted}")
    if not _holds(HttpMatch(paths=entry.paths), request):
        yield Miss(Field.PATH, _path_miss(entry, request))
    if not _holds(HttpMatch(hosts=entry.hosts), request):
        host = shown_text(host_of(request.host))
        is_one = len(entry.hosts) == 1
        wanted = entry.hosts[0] if is_one else f"one of {listed(entry.hosts)}"
        yield Miss(Field.HOST, f"host {host} is not {wanted}")
    for header in entry.headers:
        yield from _header_misses(header, request)


def _holds(part: HttpMatch, request: HttpRequest) -> bool:
    return holds_in_union((part,), request) is Holds.YES


def _path_miss(entry: HttpMatch, request: HttpRequest) -> str:
    shown = shown_path(request.path)
    normal = normal_form(request.path)
    if normal != shown:
        shown = f"{shown}, which is {shown_path(normal or '')},"
    if len(entry.paths) > 1:
        return f"path {shown} matches none of {listed(map(path_text, entry.paths))}"
    (match,) = entry.paths
    if match.kind is PathKind.EXACT:
        return f"path {shown} is not {match.pattern}"
    return f"path {shown} does not match {path_text(match)}"


def _header_misses(header: HeaderMatch, request: HttpRequest) -> Iterator[Miss]:
    holds = holds_in_union((HttpMatch(headers=(header,)),), request)
    if holds is Holds.YES:
        return
    given = request.headers
    values = [shown_text(value) for name, value in given if name == header.name]
    if holds is Holds.AMBIGUOUS:
        text = f"header {header.name} has values that disagree: {listed(values)}"
        yield Miss(Field.AMBIGUOUS, text)
        return
    if not values:
        wanted = "" if header.kind is HeaderKind.PRESENT else _wants(header)
        yield Miss(Field.HEADER, f"header {header.name} is absent{wanted}")
        return
    yield Miss(Field.HEADER, f"header {header.name} is {values[0]}{_wants(header)}")


def _wants(header: HeaderMatch) -> str:
    return f", rule wants {header_text(header)}"

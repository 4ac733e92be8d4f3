"""Requests in words: of a rule's `http`, of a question, and options that ask for one.

requests_text(entry)   GET or HEAD /cart/{*} at cart.shop.svc
example_options(entry) --method GET --path /cart/x --host cart.shop.svc
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from generator.policy.model import (
    HeaderKind,
    HeaderMatch,
    HttpMatch,
    PathKind,
    PathMatch,
)
from generator.wording import listed


def requests_text(entry: HttpMatch) -> str:
    """Say which requests an entry means."""
    parts = [" or ".join(entry.methods)] if entry.methods else []
    parts += [listed(map(short_path, entry.paths), most=3)]
    text = " ".join(part for part in parts if part) or "requests"
    if entry.hosts:
        text += f" at {listed(entry.hosts, most=3)}"
    if entry.headers:
        named = (f"{header.name}: {header_text(header)}" for header in entry.headers)
        text += f" with {listed(named, most=3)}"
    return text


def short_path(match: PathMatch) -> str:
    """Spell a pattern; `/cart/...` is the path itself and all that is below it."""
    if match.kind is PathKind.PREFIX:
        return f"{match.pattern.removesuffix('/')}/..."
    return match.pattern


def path_text(match: PathMatch) -> str:
    if match.kind is PathKind.EXACT:
        return match.pattern
    return f"{match.kind} {match.pattern}"


def header_text(header: HeaderMatch) -> str:
    """Say what a header has to be."""
    match header.kind:
        case HeaderKind.EXACT:
            text = f"not {header.value}" if header.is_negated else header.value
        case HeaderKind.PREFIX:
            negated = "not " if header.is_negated else ""
            text = f"{negated}{header.value}..."
        case HeaderKind.PRESENT:
            text = "no such header" if header.is_negated else "any value"
    return text


def example_options(entry: HttpMatch) -> str:
    """Return options of `pepmesh explain` for a request that an entry means."""
    return shlex.join(_options(entry)) or "--http"


def _options(entry: HttpMatch) -> Iterator[str]:
    if entry.methods:
        yield from ("--method", entry.methods[0])
    if entry.paths:
        yield from ("--path", _example_path(entry.paths[0]))
    if entry.hosts:
        yield from ("--host", entry.hosts[0].replace("*.", "x."))
    for header in entry.headers:
        if not header.is_negated:
            yield from ("--header", f"{header.name}:{header.value or 'x'}")


def _example_path(match: PathMatch) -> str:
    if match.kind is not PathKind.TEMPLATE:
        return match.pattern
    return match.pattern.replace("{**}", "x").replace("{*}", "x")

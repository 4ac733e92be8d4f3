"""Random `http` entries, and requests that meet their patterns or just miss them.

Few words everywhere, so that paths, hosts and headers collide. Paths of requests come
in many spellings, some of which are ambiguous. Part of `strategies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from generator.policy.model import (
    HeaderKind,
    HeaderMatch,
    HttpMatch,
    PathKind,
    PathMatch,
)
from generator.policy.request import HttpRequest

T = TypeVar("T")

METHOD_PATTERNS: Final = ("GET", "POST", "M-SEARCH")
METHODS: Final = ("GET", "GET", "POST", "M-SEARCH", "get", "GE", "GETS")
PATHS: Final = (
    *(PathMatch(PathKind.EXACT, text) for text in ("/", "/a", "/a/", "/a/b", "/~b")),
    *(PathMatch(PathKind.EXACT, text) for text in ("/a%20b", "/%C3%A9/a", "/a/b/*")),
    *(PathMatch(PathKind.EXACT, text) for text in ("/a%3Bb", "/a%5Bb", "/%7B*%7D")),
    *(PathMatch(PathKind.PREFIX, text) for text in ("/", "/a", "/a/", "/a/b", "/~b/a")),
    *(PathMatch(PathKind.PREFIX, text) for text in ("/a%3Bb", "/a%5Bb/a", "/..%3B")),
    *(PathMatch(PathKind.TEMPLATE, text) for text in ("/a/{*}", "/{*}/b", "/{*}/{*}")),
    *(PathMatch(PathKind.TEMPLATE, text) for text in ("/a/{**}", "/{**}", "/a/{*}/")),
    *(PathMatch(PathKind.TEMPLATE, text) for text in ("/{*}/b/{**}", "/a", "/{*}")),
)
HOST_PATTERNS: Final = ("a.example", "b.a.example", "*.example", "*.a.example")
HOSTS: Final = (
    "a.example",
    "A.Example:80",
    "a.example.",
    "a.example.:8080",
    "b.a.example",
    "b.A.example:1",
    "c.b.a.example",
    "example",
    ".example",
    "xa.example",
    "a.example.com",
    "a.example:",
    "[fd00::a]:80",
    "[fd00::a]",
    "",
)
HEADER_NAMES: Final = ("x-a", "x-b")
HEADER_VALUES: Final = ("v", "va", "w", "")

# Segments as a client may write them, by what they are.
PLAIN: Final = ("a", "b", "a", "b", "~b", "*", "")
SPELT: Final = ("%61", "%62", "%7Eb", "%7eb", "a%20b", "%C3%A9", "%c3%a9", "%2a", "%41")
ENCODED: Final = ("a[b", "a%5Bb", "a%5bb", "a%3Bb", "a%3bb", "..%3B", "%2E.%3b", "<a>")
DOTS: Final = (".", "..", "%2e", "%2E.", "...", ".a")
UNCLEAR: Final = (
    *("%2F", "a%2fb", "%5C", "%00", "%1f", "%7F", "%", "a%4", "%zz", "%C0%AF", "%E9"),
    *("%C3x%A9", "%ED%A0%80", "..;", "..;a", ".;a", "%2e%2e;", "a\\b", "a b", "é"),
    *("a#b", "a\x7f", ";", "a;b", "a;", "a[;", "%3B;"),
)
STRANGE: Final = ("{*}", "{**}", "%7B*%7D", "A", "ab", "%5D", "%25", "%2561", '"', "|")
EXTREMES: Final = (
    *("", "*", "a", "?", "//", "/a/" + "b" * 4093, "/a/" + "b" * 4094),
    "/a/" + "[" * 4093,
)


# --- patterns -------------------------------------------------------------------------


@st.composite
def http_entries(draw: DrawFn) -> tuple[HttpMatch, ...]:
    return tuple(draw(st.lists(http_matches(), min_size=1, max_size=3)))


@st.composite
def http_matches(draw: DrawFn) -> HttpMatch:
    """One entry: at least one of its four fields."""
    fields = draw(st.sets(st.sampled_from("mphx"), min_size=1, max_size=3))
    return HttpMatch(
        _some(draw, st.sampled_from(METHOD_PATTERNS)) if "m" in fields else (),
        _some(draw, st.sampled_from(PATHS)) if "p" in fields else (),
        _some(draw, st.sampled_from(HOST_PATTERNS)) if "h" in fields else (),
        _some(draw, header_matches()) if "x" in fields else (),
    )


def _some(draw: DrawFn, one: SearchStrategy[T]) -> tuple[T, ...]:
    return tuple(draw(st.lists(one, min_size=1, max_size=2)))


@st.composite
def header_matches(draw: DrawFn) -> HeaderMatch:
    kind = draw(st.sampled_from(HeaderKind))
    value = ""
    if kind is not HeaderKind.PRESENT:
        value = draw(st.sampled_from(HEADER_VALUES))
    name = draw(st.sampled_from(HEADER_NAMES))
    return HeaderMatch(name, kind, value, draw(st.booleans()))


@st.composite
def path_matches(draw: DrawFn) -> PathMatch:
    """Patterns of two words only, so that many begin alike and meet one path."""
    kind = draw(st.sampled_from(PathKind))
    words = ("a", "b", "a", "{*}") if kind is PathKind.TEMPLATE else ("a", "b", "a")
    segments = draw(st.lists(st.sampled_from(words), max_size=4))
    last = ("", "{**}") if kind is PathKind.TEMPLATE else ("",)
    if not segments or draw(st.integers(0, 2)) == 2:
        segments.append(draw(st.sampled_from(last)))
    return PathMatch(kind, "/" + "/".join(segments))


# --- requests -------------------------------------------------------------------------


@st.composite
def requests(draw: DrawFn, entries: Sequence[HttpMatch] = ()) -> HttpRequest:
    """A request; as often as not one that meets an entry, or would but for a field."""
    if not entries or draw(st.booleans()):
        return HttpRequest(
            draw(st.sampled_from(METHODS)),
            draw(targets()),
            draw(st.sampled_from(HOSTS)),
            tuple(draw(st.lists(_headers(), max_size=4))),
        )
    entry = draw(st.sampled_from(entries))
    asked = [header.name for each in entries for header in each.headers]
    met = HttpRequest(
        draw(st.sampled_from(entry.methods or METHODS)),
        draw(_meeting(entry.paths)),
        draw(st.sampled_from(entry.hosts or HOSTS)).replace("*", "b"),
        tuple(
            (header.name, header.value)
            for header in entry.headers
            if not header.is_negated
        ),
    )
    if asked and draw(st.integers(0, 3)) == 3:
        # Values that differ, of a header that some entry asks for.
        name = draw(st.sampled_from(asked))
        return replace(met, headers=(*met.headers, (name, "v"), (name, "w")))
    return draw(_nearly(met))


@st.composite
def _nearly(draw: DrawFn, met: HttpRequest) -> HttpRequest:
    """Change one thing, or nothing."""
    more = draw(st.lists(_headers(), max_size=2))
    match draw(st.sampled_from(("none", "none", "method", "path", "host", "headers"))):
        case "method":
            return replace(met, method=draw(st.sampled_from(METHODS)))
        case "path":
            return replace(met, path=draw(targets()))
        case "host":
            return replace(met, host=draw(st.sampled_from(HOSTS)))
        case "headers":
            return replace(met, headers=(*met.headers, *more))
        case _:
            return met


@st.composite
def _meeting(draw: DrawFn, patterns: Sequence[PathMatch]) -> str:
    """A target that a pattern matches, in some spelling."""
    if not patterns:
        return draw(targets())
    pattern = draw(st.sampled_from(patterns))
    path = pattern.pattern.replace("{*}", "b").replace("{**}", "b/a")
    if pattern.kind is PathKind.PREFIX:
        path = path.removesuffix("/") + draw(st.sampled_from(("/", "/a", "", "/b/")))
    path = path or "/"
    match draw(st.sampled_from(("as it is", "slashes", "dots", "up", "spelt"))):
        case "slashes":
            path = path.replace("/", "//", 2)
        case "dots":
            path = path.replace("/", "/./", 1)
        case "up":
            path = "/x%7E/.." + path
        case "spelt":
            path = path.replace("a", "%61").replace("b", "%62").replace("%C3", "%c3")
            path = path.replace("%5B", "[").replace("%7B", "{").replace("%3B", "%3b")
    return path + draw(queries())


@st.composite
def targets(draw: DrawFn) -> str:
    """A request target of segments; every fifth or so is ambiguous."""
    if draw(st.integers(0, 29)) == 29:
        return draw(st.sampled_from(EXTREMES))
    pools = (PLAIN, PLAIN, PLAIN, SPELT, ENCODED, DOTS, STRANGE)
    chosen = [
        draw(st.sampled_from(draw(st.sampled_from(pools))))
        for _ in range(draw(st.integers(1, 5)))
    ]
    if draw(st.integers(0, 5)) == 5:
        chosen.append(draw(st.sampled_from(UNCLEAR)))
    return "/" + "/".join(chosen) + draw(queries())


def spellings() -> SearchStrategy[str]:
    """Anything that looks like a target: bytes, encoded or not, slashes and dots."""
    plain = st.characters(min_codepoint=0, max_codepoint=0xFF)
    encoded = st.integers(0, 255).map(lambda byte: f"%{byte:02x}")
    text = st.characters(min_codepoint=0x80).map(
        lambda character: "".join(f"%{byte:02X}" for byte in character.encode())
    )
    marks = st.sampled_from(
        ("/", "/", "/", ".", "..", ";", "%3b", "[", "%", "%2", "a", "%2e")
    )
    # One character of UTF-8, or nearly: bytes at the bounds of what may follow what.
    heads = st.sampled_from(("%C1", "%C2", "%E0", "%E1", "%ED", "%F0", "%F4", "%F5"))
    tails = st.lists(
        st.sampled_from(("%80", "%8F", "%90", "%9F", "%A0", "%BF")), max_size=3
    )
    bounds = st.tuples(heads, tails).map(lambda found: found[0] + "".join(found[1]))
    one = st.one_of(bounds, bounds, encoded, text).map(lambda piece: f"/{piece}")
    pieces = st.one_of(marks, marks, marks, plain, encoded, text)
    many = st.lists(pieces, max_size=16).map(lambda found: "/" + "".join(found))
    return many | one


def queries() -> SearchStrategy[str]:
    """What comes behind a question mark never matters."""
    return st.sampled_from(("", "", "", "?", "?a=/../b", "?%2F%", "??\\#"))


def _headers() -> SearchStrategy[tuple[str, str]]:
    names = st.sampled_from((*HEADER_NAMES, *HEADER_NAMES, "x-ab"))
    return st.tuples(names, st.sampled_from((*HEADER_VALUES, "V")))

"""What the oracle knows of HTTP: does a request meet the `http` entries of a rule?

Part of `oracle`. It shares nothing with the filter or with the reader of patterns.
Three answers: an ambiguous request can be read in two ways, and a rule that depends on
the reading says neither yes nor no (DESIGN.md has the table of paths).

    normal_form("/a//b/%7Ec/./x?y=1")  == "/a/b/~c/x"
    normal_form("/a%2Fb")              is None         ambiguous
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import Final

from generator.policy.model import (
    HeaderKind,
    HeaderMatch,
    HttpMatch,
    PathKind,
    PathMatch,
)
from generator.policy.request import HttpRequest

MAX_PATH_BYTES: Final = 4096

# RFC 3986, section 3.3: pchar = unreserved / pct-encoded / sub-delims / ":" / "@". The
# sub-delim ";" is left out: unencoded it is ambiguous, and so it is never decoded.
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]")
_SUB_DELIMS: Final = "!$&'()*+,="
# What a server takes though no rule of RFC 3986 has it.
_NOT_IN_URLS: Final = re.compile(r'["<>\[\]^`{|}]')
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_ENCODED_HIGH: Final = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")


class Holds(Enum):
    YES = auto()
    NO = auto()
    AMBIGUOUS = auto()


def holds_in_order(entries: tuple[HttpMatch, ...], request: HttpRequest) -> Holds:
    """Tell what a rule of an ordered tier says: the first entry that is not a no.

    Such a tier denies what is ambiguous, so an ambiguous entry is as good as a match.
    """
    if _is_path_ambiguous(entries, request):
        return Holds.AMBIGUOUS
    answers = (_entry_holds(entry, request) for entry in entries)
    return next((answer for answer in answers if answer is not Holds.NO), Holds.NO)


def holds_in_union(entries: tuple[HttpMatch, ...], request: HttpRequest) -> Holds:
    """Tell what a rule of the normal tier says: an ambiguous entry adds nothing."""
    if _is_path_ambiguous(entries, request):
        return Holds.AMBIGUOUS
    return _any_holds(_entry_holds(entry, request) for entry in entries)


def _is_path_ambiguous(entries: tuple[HttpMatch, ...], request: HttpRequest) -> bool:
    """Tell whether a rule looks at a path that can be read in two ways.

    "If http has several entries, it is enough that one of them has paths."
    """
    has_paths = any(entry.paths for entry in entries)
    return has_paths and normal_form(request.path) is None


def _entry_holds(entry: HttpMatch, request: HttpRequest) -> Holds:
    """Inside a field OR, except headers; between fields AND. A no is a no."""
    facts = [_header_holds(header, request) for header in entry.headers]
    if entry.methods:
        facts.append(_fact(request.method in entry.methods))
    if entry.hosts:
        host = host_of(request.host)
        facts.append(_fact(any(host_matches(p, host) for p in entry.hosts)))
    if entry.paths:
        path = normal_form(request.path)
        assert path is not None
        facts.append(_fact(any(path_matches(p, path) for p in entry.paths)))
    return _all_hold(facts)


def _fact(is_so: bool) -> Holds:
    return Holds.YES if is_so else Holds.NO


def _all_hold(facts: Iterable[Holds]) -> Holds:
    found = set(facts)
    if Holds.NO in found:
        return Holds.NO
    return Holds.AMBIGUOUS if Holds.AMBIGUOUS in found else Holds.YES


def _any_holds(facts: Iterable[Holds]) -> Holds:
    found = set(facts)
    if Holds.YES in found:
        return Holds.YES
    return Holds.AMBIGUOUS if Holds.AMBIGUOUS in found else Holds.NO


# --- paths ----------------------------------------------------------------------------


def normal_form(target: str) -> str | None:
    """Bring the path of a request target to its normal form; None: ambiguous."""
    path = target.encode().split(b"?")[0]
    if len(path) > MAX_PATH_BYTES or not path.startswith(b"/"):
        return None
    if any(byte <= 0x20 or byte >= 0x7F or byte in b"\\#;" for byte in path):
        return None
    text = path.decode("ascii")
    if not _is_encoding_clear(text):
        return None
    # In this order: decoding, then runs of slashes, then dot segments.
    decoded = _NOT_IN_URLS.sub(_encode, _ENCODED.sub(_decode, text))
    return _without_dots(re.sub("/+", "/", decoded))


def _is_encoding_clear(text: str) -> bool:
    """Tell whether all percent-encodings are valid and hide nothing."""
    if "%" in _ENCODED.sub("", text):
        return False
    for digits in _ENCODED.findall(text):
        byte = int(digits, 16)
        if byte < 0x20 or byte == 0x7F or byte in b"/\\":
            return False
    return all(map(_is_utf8, _ENCODED_HIGH.findall(text)))


def _is_utf8(run: str) -> bool:
    """Python's decoder takes shortest forms only, and no surrogates."""
    try:
        bytes.fromhex(run.replace("%", "")).decode("utf-8", "strict")
    except UnicodeDecodeError:
        return False
    return True


def _decode(encoded: re.Match[str]) -> str:
    character = chr(int(encoded[1], 16))
    if _UNRESERVED.fullmatch(character) or character in _SUB_DELIMS + ":@":
        return character
    return encoded[0].upper()


def _encode(character: re.Match[str]) -> str:
    return f"%{ord(character[0]):02X}"


def _without_dots(path: str) -> str | None:
    """Resolve `.` and `..`; None: above the root."""
    segments = _segments(path)
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            if not kept:
                return None
            kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def path_matches(match: PathMatch, path: str) -> bool:
    """Compare a path in normal form with a pattern."""
    given = _segments(path)
    match match.kind:
        case PathKind.EXACT:
            return path == match.pattern
        case PathKind.PREFIX:
            # "a trailing slash in the pattern does not count": nor does all of "/".
            wanted = _segments(match.pattern.removesuffix("/"))
            return given[: len(wanted)] == wanted
        case PathKind.TEMPLATE:
            return _template_matches(_segments(match.pattern), given)


def _template_matches(wanted: list[str], given: list[str]) -> bool:
    if wanted[-1] == "{**}":
        # What follows the slash may be nothing, but the slash must be there.
        wanted = wanted[:-1]
        if len(given) <= len(wanted):
            return False
        given = given[: len(wanted)]
    if len(given) != len(wanted):
        return False
    return all(
        one != "" if pattern == "{*}" else one == pattern
        for pattern, one in zip(wanted, given, strict=True)
    )


def _segments(path: str) -> list[str]:
    """Return what stands after each slash."""
    return path.split("/")[1:]


# --- hosts and headers ----------------------------------------------------------------


def host_of(authority: str) -> str:
    """Return the host of an authority: lower case, no port, no dot at the end."""
    if authority.startswith("["):
        address, bracket, _ = authority.lower().partition("]")
        return address + bracket
    return authority.partition(":")[0].lower().removesuffix(".")


def host_matches(pattern: str, host: str) -> bool:
    """Compare a host with a pattern; `*.` stands for one label or more."""
    if not pattern.startswith("*."):
        return host == pattern
    wanted, labels = pattern.split(".")[1:], host.split(".")
    front, rest = labels[: -len(wanted)], labels[-len(wanted) :]
    return rest == wanted and front != [] and front[0] != ""


def _header_holds(match: HeaderMatch, request: HttpRequest) -> Holds:
    """Names have no case, values have. `not` turns yes and no round, nothing else."""
    answer = _values_hold(match, list(_values_of(match.name, request)))
    if not match.is_negated:
        return answer
    return {Holds.YES: Holds.NO, Holds.NO: Holds.YES}.get(answer, Holds.AMBIGUOUS)


def _values_of(name: str, request: HttpRequest) -> Iterator[str]:
    for given, value in request.headers:
        if given.lower() == name.lower():
            yield value


def _values_hold(match: HeaderMatch, values: list[str]) -> Holds:
    """A repeated header holds if all its values do, and not if none does."""
    if match.kind is HeaderKind.PRESENT or not values:
        return _fact(bool(values))
    answers = {
        value == match.value
        if match.kind is HeaderKind.EXACT
        else value.startswith(match.value)
        for value in values
    }
    return Holds.AMBIGUOUS if len(answers) == 2 else _fact(answers.pop())

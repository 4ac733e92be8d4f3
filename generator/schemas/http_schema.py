"""The schema of `http`: methods, paths, hosts and headers. Part of `crd`.

The pattern of paths says what normal form is, by the characters that it is made of:
what `policy.path_pattern` checks one after the other, and explains better.
"""

from __future__ import annotations

from typing import Final

from generator.schemas.parts import (
    Schema,
    array,
    exactly_one,
    record,
    rule,
    switch,
    text,
)

MOST: Final = 25

_LABEL: Final = "[A-Za-z0-9]([-A-Za-z0-9_]{0,61}[A-Za-z0-9])?"
DOMAIN_NAME: Final = rf"(\*\.)?({_LABEL}\.)+{_LABEL}\.?"
_HOST: Final = rf"(\*\.)?({_LABEL}\.)*{_LABEL}\.?"
_TOKEN: Final = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEADER_VALUE: Final = "([!-~]([ -~]*[!-~])?)?"
_NOT_HEADERS: Final = "(?i)^(host|x-overlay-src|x-overlay-key)$"

# --- paths ----------------------------------------------------------------------------

# Percent-encodings that normal form keeps. That those from %80 up are UTF-8 is left to
# the reader: the pattern would be five times as long.
_ENCODED: Final = "%(2[0235]|3[BCEF]|5[BDE]|60|7[BCD]|[89A-F][0-9A-F])"
_REST: Final = "A-Za-z0-9_~!$&'()*+,=:@-"

# A segment is not `.` nor `..`.
_SEGMENT: Final = rf"((\.\.?)?([{_REST}]|{_ENCODED})|\.\.\.)([.{_REST}]|{_ENCODED})*"
_PATH: Final = f"/|(/{_SEGMENT})+/?"
_TEMPLATE: Final = rf"/(\{{\*\*\}})?|(/({_SEGMENT}|\{{\*\}}))+(/(\{{\*\*\}})?)?"
_IN_NORMAL_FORM: Final = (
    "In normal form: no query, no dot segments, no two slashes in a row, and only "
    "percent-encodings that are needed."
)


def http() -> Schema:
    description = (
        "Requests that the rule is about: one entry must hold. Without it the rule is "
        "about every flow, with it never about a flow that is not HTTP."
    )
    return array(description, _entry(), least=1, most=MOST)


def _entry() -> Schema:
    fields = {
        "methods": _list("Methods, as HTTP writes them.", _method()),
        "paths": _list("Paths; the query is not compared.", _path()),
        "hosts": _list("Hosts of the request, without port.", _host()),
        "headers": _list("Headers, all of which must hold.", _header()),
    }
    given = " || ".join(f"has(self.{name})" for name in fields)
    message = f"an entry has at least one of {', '.join(fields)}"
    return record(
        "An entry holds if each field that is given holds.",
        fields,
        rules=[rule(given, message)],
    )


def _list(description: str, items: Schema) -> Schema:
    return array(description, items, least=1, most=MOST)


def _method() -> Schema:
    return text("A method, in upper case.", pattern="[A-Z0-9-]+", most=32)


def _host() -> Schema:
    description = "A host; *. in front stands for one label or more."
    return text(description, pattern=_HOST, most=253)


def _path() -> Schema:
    template = (
        "{*} is one segment that is not empty; {**}, at the end only, is all that "
        f"follows, also nothing. {_IN_NORMAL_FORM}"
    )
    fields = {
        "exact": _pattern(f"The path is this one. {_IN_NORMAL_FORM}", _PATH),
        "prefix": _pattern(
            "The path has these segments first: /a holds for /a and /a/b, not for /ab. "
            f"{_IN_NORMAL_FORM}",
            _PATH,
        ),
        "template": _pattern(template, _TEMPLATE),
    }
    description = "A path, in one of three ways. Regular expressions are not known."
    return record(description, fields, rules=[exactly_one(list(fields), "a path")])


def _pattern(description: str, pattern: str) -> Schema:
    return text(description, pattern=pattern, most=1024)


def _header() -> Schema:
    ways = ("exact", "prefix", "present")
    return record(
        "What a header must be. If the header is repeated, all its values must be.",
        {
            "name": text("The name, in any case.", pattern=_TOKEN, most=128),
            "exact": _header_value("The value is this one."),
            "prefix": _header_value("The value starts with this."),
            "present": switch("true: the header is there, whatever its value."),
            "not": switch("true turns the answer round."),
        },
        required=["name"],
        rules=[
            exactly_one(ways, "a header"),
            rule(
                "!has(self.present) || self.present",
                "write present: true and not: true for a header that must be absent",
            ),
            rule(
                f"!self.name.matches('{_NOT_HEADERS}')",
                "host is written as hosts; overlay headers are pepmesh's own",
            ),
        ],
    )


def _header_value(description: str) -> Schema:
    return text(description, pattern=_HEADER_VALUE, most=1024)

"""Read `http` of OverlayPolicy rules: methods, paths, hosts and headers.

Part of `overlay_policy`. What a request can never have is an error, not a rule that
matches nothing: the Deny that somebody relies on would be open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Final, TypeVar

from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.lists import read_list
from generator.policy.model import (
    HeaderKind,
    HeaderMatch,
    HttpMatch,
    PathKind,
    PathMatch,
    PortMatch,
    Protocol,
)
from generator.policy.path_pattern import has_literal_star, read_pattern

T = TypeVar("T")

_MOST: Final = 25
_FIELDS: Final = ("methods", "paths", "hosts", "headers")
_HEADER: Final = ("name", "exact", "prefix", "present", "not")
_METHOD: Final = re.compile(r"[A-Z0-9-]{1,32}")
_LABEL: Final = r"[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"(\*\.)?({_LABEL}\.)*{_LABEL}")
_PORT: Final = re.compile(r":[0-9]+\Z")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,128}")
_HEADER_VALUE: Final = re.compile(r"([!-~]([ -~]{0,1022}[!-~])?)?")
_OTHER_WAYS: Final = {"host": "write hosts", ":authority": "write hosts"} | {
    ":method": "write methods",
    ":path": "write paths",
}
_OURS: Final = ("x-overlay-src", "x-overlay-key")


def read_http(
    value: Value, ports: tuple[PortMatch, ...] | None, findings: Findings
) -> tuple[HttpMatch, ...]:
    """Read 1 to 25 entries, of which one must hold."""
    _refuse_other_protocols(value, ports or ())
    return _read_each(value, lambda item: _read_entry(item, findings), findings)


def _refuse_other_protocols(value: Value, ports: Collection[PortMatch]) -> None:
    """Refuse http beside ports where there is none, HTTP/3 included: it is not read."""
    for port in ports:
        if port.protocol is not Protocol.TCP:
            message = f"http beside a port of {port.protocol}"
            hint = "http is for TCP: write a rule of its own for other protocols"
            raise value.error("POL0053", message, hint)


def _read_each(
    value: Value | None, read: Callable[[Value], T], findings: Findings
) -> tuple[T, ...]:
    """Read the items of a list that may be absent; each fault is reported."""
    found: list[T] = []
    for item in read_list(value, 1, _MOST):
        with findings.collect():
            found.append(read(item))
    return tuple(found)


def _read_entry(value: Value, findings: Findings) -> HttpMatch:
    value.refuse_unknown(_FIELDS, findings)
    if all(value.get(name) is None for name in _FIELDS):
        hint = f"write one of {', '.join(_FIELDS)}; prefix: / holds for every path"
        raise value.error("POL0054", "the entry says nothing", hint)
    return HttpMatch(
        _read_each(value.get("methods"), _read_method, findings),
        _read_each(value.get("paths"), lambda v: _read_path(v, findings), findings),
        _read_each(value.get("hosts"), _read_host, findings),
        _read_each(value.get("headers"), lambda v: _read_header(v, findings), findings),
        value.first_line,
    )


def _read_method(value: Value) -> str:
    text = value.text()
    if _METHOD.fullmatch(text):
        return text
    upper = text.upper()
    hint = "leave methods out for all of them"
    if _METHOD.fullmatch(upper):
        hint = f'methods differ by case: write "{upper}"'
    raise value.error("POL0055", f'"{text}" is not a method', hint)


def _read_path(value: Value, findings: Findings) -> PathMatch:
    forms = [kind.value for kind in PathKind]
    value.refuse_unknown(forms, findings)
    form, entry = _only_one(value, forms, "a path")
    kind = PathKind(form)
    pattern = read_pattern(entry, kind)
    if has_literal_star(pattern):
        message = f'the * in "{pattern}" stands for itself'
        findings.add("POL0065", message, entry.span)
    return PathMatch(kind, pattern, value.first_line)


def _read_host(value: Value) -> str:
    """Read a host: lower case, without its port and the dot at its end."""
    text = value.text()
    host = text.lower().removesuffix(".")
    if len(host) <= 253 and _HOST.fullmatch(host):
        return host
    hint = ""
    if _PORT.search(text):
        hint = "write it without its port: ports says which"
    elif text == "*":
        hint = "leave hosts out for all of them"
    raise value.error("POL0061", f'"{text}" is not a host', hint)


def _read_header(value: Value, findings: Findings) -> HeaderMatch:
    value.refuse_unknown(_HEADER, findings)
    name = _read_header_name(value.require("name"))
    form, entry = _only_one(value, [kind.value for kind in HeaderKind], "a header")
    negated = value.get("not")
    is_negated = negated is not None and negated.boolean()
    kind, span = HeaderKind(form), value.first_line
    if kind is not HeaderKind.PRESENT:
        return HeaderMatch(name, kind, _read_header_value(entry), is_negated, span)
    if not entry.boolean():
        hint = "write present: true and not: true"
        raise entry.error("POL0064", "present is false", hint)
    return HeaderMatch(name, kind, "", is_negated, span)


def _read_header_name(value: Value) -> str:
    text = value.text()
    name = text.lower()
    if name in _OTHER_WAYS:
        message = f'"{text}" is not read as a header'
        raise value.error("POL0064", message, _OTHER_WAYS[name])
    if name in _OURS:
        hint = "write who may send in from: pods or serviceAccounts"
        raise value.error("POL0064", f"{name} is pepmesh's own", hint)
    if not _TOKEN.fullmatch(name):
        raise value.error("POL0064", f"{text!r} is not the name of a header")
    return name


def _read_header_value(value: Value) -> str:
    text = value.text()
    if not _HEADER_VALUE.fullmatch(text):
        hint = "up to 1024 printable ASCII characters, no space at either end"
        raise value.error("POL0064", f"{text!r} is not the value of a header", hint)
    return text


def _only_one(value: Value, forms: Collection[str], noun: str) -> tuple[str, Value]:
    """Return the one form that is given, and its value."""
    found = list(_given(value, forms))
    if len(found) != 1:
        words = " and ".join(name for name, _ in found)
        message = f"{words} in one entry" if found else "the entry says nothing"
        hint = f"{noun} has one of {', '.join(forms)}"
        raise value.error("POL0056", message, hint)
    return found[0]


def _given(value: Value, forms: Collection[str]) -> Iterator[tuple[str, Value]]:
    for name in forms:
        entry = value.get(name)
        if entry is not None:
            yield name, entry

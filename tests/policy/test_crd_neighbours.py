"""The CRD and the reader make the same of documents that are nearly right.

Each is a right document with one or two random changes: a value of another kind, a
field too few or too many, a list of 26.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.support.crd import complaints
from tests.support.loading import diagnose

FILE: Final = Path(__file__).parents[1] / "data" / "policy" / "overlay_policies.yaml"
RIGHT: Final[list[dict[str, Any]]] = list(yaml.safe_load_all(FILE.read_text()))

VALUES: Final[tuple[Any, ...]] = (
    *("", "x", "a b", "é", "x" * 64, "x" * 254, "-a", "a--b", "web", "8080", "host"),
    *(0, 1, -1, 1000, 70000, 1.5, True, False, [], {}, ["x"], [{}], {"a": "b"}),
    *("/", "/a", "/a/", "/a/../b", "/a.", "/..a", "/%41", "/%2F", "/%25"),
    *("/a;b", "/.%3Ba", "/a%3b", "/a[", "/..%5B"),
    *("/a%", "/a?b", "/a b", "/a//b", "//", "/a/{*}", "/{**}", "/{**}/a", "/{a}"),
    *("fd00::/64", "fd00::/97", "10.0.0.0/8", "10.0.0.0/33", "10.0.0.0", "::/0"),
    *("a.b", "*.a.b", "a.b.", "*", "a:80", "GET", "get"),
    *("Accept", "Deny", "Pass", "Admin", "Normal", "Baseline", "audit", "enforce"),
    *("TCP", "UDP", "In", "Exists", {"namespaces": {}}, {"podSelector": {}}),
)
FIELDS: Final = (
    *("foo", "name", "action", "to", "from", "pods", "namespaces", "http", "via"),
    *("port", "endPort", "exact", "prefix", "present", "not", "values", "priority"),
)

# What one of the two cannot see, by the only codes that the reader then gives.
READER_ONLY: Final = {
    "POL0050": "an API server shows rules no namespace",
    "POL0049": "an API server shows rules no annotations",
}
FAILS_CLOSED: Final = "POL0040"
"""A warning: a peer of an API that is newer than the reader."""


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container in a value with each key or index that it has."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


@st.composite
def neighbours(draw: DrawFn) -> dict[str, Any]:
    document: dict[str, Any] = deepcopy(draw(st.sampled_from(RIGHT)))
    for _ in range(draw(st.sampled_from((1, 1, 2)))):
        places = list(_places(document["spec"]))
        if not places:
            break
        container, key = draw(st.sampled_from(places))
        value = container[key]
        match draw(st.sampled_from(("set", "set", "remove", "add", "repeat"))):
            case "set":
                container[key] = deepcopy(draw(st.sampled_from(VALUES)))
            case "remove":
                del container[key]
            case "add" if isinstance(value, dict):
                field = draw(st.sampled_from(FIELDS))
                value[field] = deepcopy(draw(st.sampled_from(VALUES)))
            case "add" if isinstance(value, list):
                value.append(deepcopy(draw(st.sampled_from(VALUES))))
            case "repeat" if isinstance(value, list):
                container[key] = value * 26
    return document


@settings(max_examples=100)
@given(neighbours())
def test_both_judge_alike(document: dict[str, Any]) -> None:
    found = diagnose(json.dumps(document))
    codes = {d.code for d in found if d.severity == "error"}
    if codes and not codes - READER_ONLY.keys():
        return
    complained = complaints(document)
    if any(d.code == FAILS_CLOSED for d in found):
        assert complained
    else:
        assert bool(complained) == bool(codes), (complained, codes)

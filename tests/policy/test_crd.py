"""The CRD and the reader make the same of OverlayPolicies, and the CRD is well made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import given, settings

from generator.codes import CODES
from generator.policy.model import Model, Policy
from generator.schemas.crd import crd_text
from tests.support.crd import complaints, crd, every_rule, schema
from tests.support.loading import diagnose
from tests.support.manifests import to_manifests
from tests.support.overlay_strategies import overlay_policies

ROOT: Final = Path(__file__).parents[2]
DATA: Final = ROOT / "tests" / "data" / "policy"
_EXPECTED: Final = re.compile(r"^_err: (\w+) \|.*\n", re.MULTILINE)

NAMESPACE: Final = "an API server shows rules no namespace"
ANNOTATION: Final = "an API server shows rules no annotations"
UTF8: Final = "a pattern for it would be five times as long"
NOT_PRINTABLE: Final = "patterns know no classes of Unicode"
FAILS_CLOSED: Final = (
    "an API server knows its own version of the kind only; the reader may be older "
    "than a policy, and fails closed"
)

# Where the two differ, and why. Every entry is a difference: see the test.
READER_ONLY: Final = {
    "team-admin": NAMESPACE,
    "team-baseline": NAMESPACE,
    "team-about-namespaces": NAMESPACE,
    "team-about-other-pods": NAMESPACE,
    "team-about-every-pod": NAMESPACE,
    "two-modes": ANNOTATION,
    "two-modes-reversed": ANNOTATION,
    "overlong": UTF8,
    "half-a-character": UTF8,
    "surrogate": UTF8,
    "name-with-nbsp": NOT_PRINTABLE,
}
CRD_ONLY: Final = {
    "unknown-peer": FAILS_CLOSED,
    "unknown-peer-of-pass": FAILS_CLOSED,
    "empty-peer": FAILS_CLOSED,
}


def documents(name: str) -> Iterator[tuple[str, str]]:
    """Yield code (empty if nothing is wrong) and text of each document of a file."""
    text = (DATA / name).read_text()
    for document in re.split(r"^---\n", text, flags=re.MULTILINE):
        match = _EXPECTED.search(document)
        yield (match[1], document.replace(match[0], "", 1)) if match else ("", document)


def named(name: str) -> Iterator[object]:
    for code, text in documents(name):
        manifest = yaml.safe_load(text)
        if (manifest["apiVersion"], manifest["kind"]) == (
            "pepmesh.dev/v1",
            "OverlayPolicy",
        ):
            yield pytest.param(code, manifest, id=manifest["metadata"]["name"])


@pytest.mark.parametrize("code, manifest", list(named("overlay_policies.yaml")))
def test_both_accept_what_is_right(code: str, manifest: dict[str, Any]) -> None:
    assert complaints(manifest) == []
    found = diagnose(yaml.safe_dump(manifest, allow_unicode=True))
    assert not [d for d in found if d.severity == "error"]


@pytest.mark.parametrize("code, manifest", list(named("bad_overlay.yaml")))
def test_both_refuse_what_is_wrong(code: str, manifest: dict[str, Any]) -> None:
    """What the reader says of each document is in `test_bad_input`."""
    name = manifest["metadata"]["name"]
    is_refused = CODES[code].severity == "error"
    if name in READER_ONLY:
        assert is_refused
    expected = (is_refused and name not in READER_ONLY) or name in CRD_ONLY
    assert bool(complaints(manifest)) == expected, complaints(manifest)


def test_every_exception_is_one() -> None:
    names = {param.id for param in named("bad_overlay.yaml")}  # type: ignore[attr-defined]
    assert READER_ONLY.keys() | CRD_ONLY.keys() <= names


@settings(max_examples=50)
@given(overlay_policies("p"))
def test_random_policies_are_right(policy: Policy) -> None:
    (manifest,) = to_manifests(Model({}, (), (), (policy,)))
    assert complaints(manifest) == []


def test_every_rule_is_broken_by_some_document() -> None:
    """A rule that never fails might look at a field that is not there."""
    broken = {
        message
        for _, text in documents("bad_overlay.yaml")
        for message in complaints(yaml.safe_load(text))
    }
    assert {rule["message"] for rule in every_rule(schema())} <= broken


def test_the_file_is_what_is_made() -> None:
    path = ROOT / "istio" / "crds" / "overlaypolicy.yaml"
    assert path.read_text() == crd_text()


def test_names() -> None:
    spec = crd()["spec"]
    names = spec["names"]
    assert crd()["metadata"]["name"] == f"{names['plural']}.{spec['group']}"
    assert (names["kind"], names["shortNames"]) == ("OverlayPolicy", ["op"])
    assert spec["scope"] == "Namespaced"
    (version,) = spec["versions"]
    assert (version["name"], version["served"], version["storage"]) == (
        "v1",
        True,
        True,
    )


def nodes(
    node: dict[str, Any], path: str, is_bounded: bool = True
) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield each node of a structural schema, and whether all lists above it end."""
    yield path, node, is_bounded
    is_bounded = is_bounded and (node.get("type") != "array" or "maxItems" in node)
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}", is_bounded)
    if "items" in node:
        yield from nodes(node["items"], f"{path}[]", is_bounded)
    if isinstance(node.get("additionalProperties"), dict):
        yield from nodes(node["additionalProperties"], f"{path}.*", is_bounded)


def test_schema_is_structural() -> None:
    """What apiextensions.k8s.io/v1 asks of a schema, and says of every field."""
    for path, node, is_bounded in nodes(schema(), ""):
        assert "$ref" not in node, path
        assert "x-kubernetes-preserve-unknown-fields" not in node, path
        assert ("type" in node) != node.get("x-kubernetes-int-or-string", False), path
        assert not ("properties" in node and "additionalProperties" in node), path
        # The API server multiplies the cost of a rule by the limits above it.
        assert is_bounded or "x-kubernetes-validations" not in node, path
        has_words = path in ("", ".apiVersion", ".kind", ".metadata")
        assert has_words or node.get("description"), path

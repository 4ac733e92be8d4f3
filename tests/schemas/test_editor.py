"""Schemas for editors accept what pepmesh accepts, and mark what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.support.cli import run

ROOT: Final = Path(__file__).parents[2]
RIGHT: Final = ROOT / "tests" / "data" / "policy" / "overlay_policies.yaml"
SCHEMA_OF: Final = {
    "OverlayPolicy": "overlaypolicy",
    "PolicyTest": "policytest",
    "Traffic": "traffic",
}
HEAD: Final = "apiVersion: pepmesh.dev/v1\nkind: "
FLOW: Final = "from: a/b, to: a/c, port: 80"


@cache
def validator(name: str) -> Draft202012Validator:
    schema = run("schema", name).document
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def complaints(document: dict[str, Any]) -> list[str]:
    """Return what an editor would mark."""
    schema = validator(SCHEMA_OF[document["kind"]])
    return [
        f"{error.json_path}: {error.message}" for error in schema.iter_errors(document)
    ]


def of_ours(text: str) -> Iterator[dict[str, Any]]:
    for document in yaml.safe_load_all(text):
        if document and document.get("kind") in SCHEMA_OF:
            yield document


def examples() -> Iterator[object]:
    """Everything of our kinds that the repository shows to people."""
    folders = (ROOT / "e2e" / "shop", ROOT / "e2e" / "shop-http", RIGHT.parent)
    files = [file for folder in folders for file in sorted(folder.glob("*.yaml"))]
    for file in files:
        if not file.name.startswith("bad_"):
            for number, document in enumerate(of_ours(file.read_text())):
                yield pytest.param(document, id=f"{file.stem}-{number}")


@pytest.mark.parametrize("document", list(examples()))
def test_examples_are_right(document: dict[str, Any]) -> None:
    assert complaints(document) == []


def test_examples_are_of_every_policy_kind() -> None:
    kinds = {param.values[0]["kind"] for param in examples()}  # type: ignore[attr-defined]
    assert kinds >= {"OverlayPolicy", "PolicyTest"}


@pytest.mark.parametrize("kind", ["NetworkPolicy", "OverlayPolicy"])
def test_what_scaffold_writes_is_right(kind: str) -> None:
    documents = list(of_ours(run("scaffold", "all", "--kind", kind).out))
    kinds = {document["kind"] for document in documents}
    assert {"PolicyTest", "Traffic"} <= kinds
    for document in documents:
        assert complaints(document) == []


def policy(spec: str) -> str:
    return f"OverlayPolicy\nmetadata: {{name: p}}\nspec: {spec}"


def rule(body: str) -> str:
    return policy(
        f"{{subject: {{pods: {{podSelector: {{}}}}}}, ingress: [{{{body}}}]}}"
    )


WRONG: Final = [
    (policy("{}"), "$.spec: 'subject' is a required property"),
    (policy("{subject: {}, tire: Admin}"), "'tire' was unexpected"),
    (policy("{subject: {}, tier: Admim}"), "$.spec.tier: 'Admim' is not one of"),
    (policy("{subject: {}, priority: 1001}"), "$.spec.priority: 1001 is greater"),
    (rule("ports: [{port: 70000}]"), "70000 is greater than the maximum"),
    (rule("ports: [{port: [1]}]"), "[1] is not of type 'integer', 'string'"),
    (rule("from: []"), "$.spec.ingress[0].from: [] should be non-empty"),
    (rule("http: [{paths: [{regex: /a}]}]"), "'regex' was unexpected"),
    (rule("http: [{paths: [{exact: /a/../b}]}]"), "does not match"),
    (rule("from: [{users: [a b]}]"), "'a b' does not match"),
    (
        rule(
            "from: [{pods: {podSelector: {matchExpressions: "
            "[{key: a, operator: In}]}}}]"
        ),
        "is not valid under any of the given schemas",
    ),
    ("PolicyTest\ncases: []", "$.cases: [] should be non-empty"),
    (f"PolicyTest\ncases: [{{{FLOW}, name: a}}]", "'expect' is a required property"),
    (
        f"PolicyTest\ncases: [{{{FLOW}, name: a, expect: maybe}}]",
        "'maybe' is not one of ['allow', 'deny']",
    ),
    (
        f"PolicyTest\ncases: [{{{FLOW}, name: a, expect: deny, reason: no}}]",
        "$.cases[0].reason: False is not one of",
    ),
    ("Traffic\nflows: []", "$.flows: [] should be non-empty"),
    ("Traffic\nflow: []", "'flows' is a required property"),
    ("Traffic\nflows: [{from: a/b, to: a/c}]", "'port' is a required property"),
    (f"Traffic\nflows: [{{{FLOW}, protocol: ICMP}}]", "'ICMP' is not one of"),
    (f"Traffic\nflows: [{{{FLOW}, http: {{url: /}}}}]", "'url' was unexpected"),
    (f"Traffic\nflows: [{{{FLOW}, http: {{headers: {{a: 1}}}}}}]", "1 is not valid"),
    (f"Traffic\nflows: [{{{FLOW}, expect: allow}}]", "'expect' was unexpected"),
]


@pytest.mark.parametrize("text, complaint", WRONG)
def test_what_is_wrong_is_marked(text: str, complaint: str) -> None:
    found = complaints(yaml.safe_load(HEAD + text))
    assert any(complaint in each for each in found), found


@pytest.mark.parametrize("kind", SCHEMA_OF)
def test_documents_name_their_kind(kind: str) -> None:
    schema = validator(SCHEMA_OF[kind])
    messages = [error.message for error in schema.iter_errors({})]
    assert "'apiVersion' is a required property" in messages
    assert "'kind' is a required property" in messages
    wrong = {"apiVersion": "pepmesh.dev/v2", "kind": "Other"}
    messages = [error.message for error in schema.iter_errors(wrong)]
    assert "'pepmesh.dev/v1' was expected" in messages
    assert f"'{kind}' was expected" in messages


def test_the_schema_of_policies_is_that_of_the_crd() -> None:
    """Every description of the CRD is shown by editors, and nothing of Kubernetes."""
    crd = run("schema", "crd", "-o", "json").document
    (version,) = crd["spec"]["versions"]
    mine = run("schema", "overlaypolicy").document["properties"]["spec"]
    theirs = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert mine["properties"].keys() == theirs["properties"].keys()
    assert "only Normal has policyTypes." in mine["description"]
    assert "x-kubernetes" not in run("schema", "overlaypolicy").out


def test_crd_is_printed_as_it_is() -> None:
    path = ROOT / "istio" / "crds" / "overlaypolicy.yaml"
    assert run("schema", "crd").out == path.read_text()
    assert run("schema", "crd", "-o", "json").document == yaml.safe_load(
        path.read_text()
    )


def test_without_a_name_there_is_a_list() -> None:
    names = {*SCHEMA_OF.values(), "crd"}
    ran = run("schema")
    assert ran.code == 0
    assert {line.split()[0] for line in ran.out.splitlines()[1:]} == names
    listed = run("schema", "-o", "json").document
    assert {each["name"] for each in listed["schemas"]} == names
    ran = run("schema", "overlaypolice")
    assert (ran.code, ran.out) == (2, "")

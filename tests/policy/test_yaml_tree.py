"""YAML and JSON as people write them: documents, places, aliases, lists."""

from __future__ import annotations

import json
from typing import Final

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.policy.findings import Findings
from generator.policy.nodes import Document, Mapping, Sequence
from generator.policy.scalars import classify
from generator.policy.yaml_tree import read_documents
from generator.source import SourceFile
from tests.support.loading import load_text, model_of
from tests.support.trees import Plain, plain


def documents(text: str) -> list[Document]:
    findings = Findings()
    found = list(read_documents(SourceFile("x.yaml", text), findings))
    assert not findings.sorted()
    return found


def test_empty_documents_are_left_out() -> None:
    for text in (
        "",
        "---\n",
        "---\n---\n...\n",
        "# only a comment\n",
        "%YAML 1.1\n---\n",
    ):
        assert documents(text) == []
    assert [plain(d) for d in documents("---\na: 1\n---\n---\nb: 2\n")] == [
        {"a": "1"},
        {"b": "2"},
    ]


def test_aliases_and_merge_keys() -> None:
    text = """
base: &base {a: 1, b: 2}
more: &more {b: 3, c: 4}
one: {<<: *base, b: 9}
two: {a: 7, <<: [*more, *base]}
list: [*base, &x text, *x]
"""
    (root,) = documents(text)
    assert plain(root) == {
        "base": {"a": "1", "b": "2"},
        "more": {"b": "3", "c": "4"},
        "one": {"b": "9", "a": "1"},
        "two": {"a": "7", "b": "3", "c": "4"},
        "list": [{"a": "1", "b": "2"}, "text", "text"],
    }


def test_quoted_merge_key_is_a_key() -> None:
    assert plain(documents('{"<<": {a: b}}')[0]) == {"<<": {"a": "b"}}


def test_columns_are_characters() -> None:
    (document,) = documents("é😀: [x, 'y z', \"\\u0041\"]\n")
    assert isinstance(document.root, Mapping)
    value = document.root.entries["é😀"]
    assert isinstance(value, Sequence)
    spans = [document.span_of(item) for item in value.items]
    marks = [(span.start.column, span.end.column) for span in spans]
    assert marks == [(5, 6), (8, 13), (15, 23)]


JSON_VALUES: Final = st.recursive(
    st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    value=JSON_VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 1, "\t"])
)
def test_json_is_read_as_json(
    value: Plain, ascii_only: bool, indent: int | None
) -> None:
    """Also with tabs, and with characters beyond U+FFFF in two escapes.

    Left aside: raw control characters, which YAML does not have.
    """
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    if not ascii_only and not all(c.isprintable() or c in "\t\n" for c in text):
        return
    if any(0xD800 <= ord(c) < 0xE000 for c in json.dumps(value, ensure_ascii=False)):
        return
    (root,) = documents(text)
    assert plain(root) == value


def test_escaped_backslash_before_u_is_text() -> None:
    text = json.dumps("\\ud83d\\ude00") + "\n"
    assert plain(documents(text)[0]) == "\\ud83d\\ude00"


# What `kubectl` takes for text, number, boolean and null.
KINDS: Final = {
    "null": ["", "~", "null", "Null", "NULL"],
    "boolean": ["y", "N", "yes", "No", "on", "OFF", "true", "FALSE"],
    "number": [
        "0",
        "-1",
        "+1",
        "010",
        "0x1F",
        "0b1",
        "0o7",
        "1_000",
        "1.5",
        ".5",
        "1e3",
    ],
    "text": ["yeS", "nULL", "1.2.3", "v1", "0xg", "-", ".", "e3", "10.0.0.0/8", "<<"],
}


@pytest.mark.parametrize(
    "text, kind", [(text, kind) for kind, texts in KINDS.items() for text in texts]
)
def test_plain_scalars(text: str, kind: str) -> None:
    assert classify(text) == kind


@given(text=st.text(st.sampled_from("0123456789.-+exbo_~yntrueNl:/"), max_size=6))
def test_nothing_that_pyyaml_resolves_is_text(text: str) -> None:
    """PyYAML reads YAML 1.1 too; it knows sexagesimal numbers in addition."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    if isinstance(value, bool | int | float) and ":" not in text and "_." not in text:
        assert classify(text) != "text"


# --- lists ----------------------------------------------------------------------------


def test_lists_are_opened_also_within_lists() -> None:
    model = model_of("""\
        apiVersion: v1
        kind: List
        items:
        - apiVersion: v1
          kind: PodList
          items:
          - {metadata: {name: a}, spec: {}}
          - {kind: Pod, apiVersion: v1, metadata: {name: b}, spec: {}}
        - apiVersion: v1
          kind: List
          items:
          - {apiVersion: v1, kind: Pod, metadata: {name: c}, spec: {}}
        - {apiVersion: v1, kind: List, items: []}
        ---
        apiVersion: apps/v1
        kind: DeploymentList
        metadata: {resourceVersion: "1"}
        items:
        - {metadata: {name: d}, spec: {template: {spec: {}}}}
        """)
    assert [m.name for m in model.members] == ["a", "b", "c", "d"]


def test_kind_that_only_ends_like_a_list_is_an_object() -> None:
    (found,) = load_text("{apiVersion: x/v1, kind: AllowList}\n").diagnostics
    assert found.message == "skipped 1 objects of other kinds: AllowList (1)"


def test_aliases_cannot_make_a_small_file_huge() -> None:
    """Nine lists of nine lists of ...: each object is read once."""
    lines = ["apiVersion: v1", "kind: List", "items:"]
    lines.append("- &l0 {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {}}")
    for level in range(1, 60):
        items = ", ".join([f"*l{level - 1}"] * 9)
        lines.append(f"- &l{level} {{apiVersion: v1, kind: List, items: [{items}]}}")
    assert [m.name for m in model_of("\n".join(lines)).members] == ["a"]

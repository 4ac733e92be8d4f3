"""Every fault in a manifest is one diagnostic that points at the fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from generator.errors import Diagnostic, render
from generator.policy import yaml_tree
from generator.policy.load import LoadError, load_sources
from generator.source import SourceFile
from tests.support.loading import diagnose, pointed_at

DATA: Final = Path(__file__).parents[1] / "data" / "policy"
_EXPECTED: Final = re.compile(r"^_err: (\w+) \| (.+?) \| (.*)\n", re.MULTILINE)

# A policy outside every namespace that is declared: true of nearly all cases.
_NOISE: Final = "POL0016"


def cases() -> Iterator[object]:
    for file in sorted(DATA.glob("bad_*.yaml")):
        documents = re.split(r"^---\n", file.read_text(), flags=re.MULTILINE)
        for number, document in enumerate(documents):
            match = _EXPECTED.search(document)
            assert match, f"{file.name}: document {number} expects nothing"
            text = document.replace(match[0], "", 1)
            yield pytest.param(text, *match.groups(), id=f"{file.stem}-{number}")


@pytest.mark.parametrize("text, code, pointed, message", list(cases()))
def test_fault_is_found(text: str, code: str, pointed: str, message: str) -> None:
    found = [
        d
        for d in diagnose(text)
        if d.severity != "info" and (d.code != _NOISE or code == _NOISE)
    ]
    assert [d.code for d in found] == [code], [d.message for d in found]
    assert message in found[0].message
    assert found[0].span is not None
    assert pointed_at(text, found[0].span) == pointed


def test_all_faults_are_reported_together() -> None:
    """One wrong peer does not hide the next one, nor one policy the next."""
    text = """\
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: a}
    spec:
      podSelector: {matchLabels: {app: a b}}
      ingress:
      - from: [{}, {ipBlock: {cidr: x}}]
        ports: [{port: 0}, {port: 70000}]
      - form: []
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: a}
    spec: {policyTypes: [Both]}
    """
    found = [d.code for d in diagnose(text) if d.severity == "error"]
    assert found == [
        "POL0013",
        "POL0011",
        "POL0009",
        "POL0006",
        "POL0006",
        "POL0001",
        "POL0005",
    ]


def test_error_carries_the_texts_that_it_points_at() -> None:
    file = SourceFile("shop.yaml", "kind: NetworkPolicy\nkind: Pod\n")
    with pytest.raises(LoadError) as caught:
        load_sources([file])
    error = caught.value
    shown = render(_only(error, "INP0004"), error.sources)
    assert shown == (
        'shop.yaml:2:1: error[INP0004]: the key "kind" is there twice\n'
        "  2 | kind: Pod\n"
        "    | ^^^^\n"
        "  hint: remove one of the two\n"
        "  note: shop.yaml:1:1: first here"
    )


def _only(error: LoadError, code: str) -> Diagnostic:
    (found,) = [d for d in error.diagnostics if d.code == code]
    return found


def test_unknown_field_gets_a_suggestion() -> None:
    text = """\
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: a}
    spec: {podselector: {}}
    """
    (found,) = [d for d in diagnose(text) if d.severity == "error"]
    assert found.hint == 'did you mean "podSelector"?'


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml_tree._LOADER])
@pytest.mark.parametrize(
    "text, place",
    [
        ("[" * 100_000, "1:101"),
        ("---\n---\n" + "[" * 100_000, "3:101"),
        ("[" * 1200 + "]" * 1200, "1:101"),
        ("{a: " * 1200, "1:401"),
        ("- " * 1200, "1:201"),
        ("[" * 101 + "]" * 101, "1:101"),
    ],
    ids=["open", "second", "closed", "mappings", "block", "101"],
)
def test_depth_has_a_limit(
    loader: type[yaml.SafeLoader],
    text: str,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reader that recurses would crash instead.

    Newer versions of libyaml have a limit of their own, the loader in Python has none.
    """
    monkeypatch.setattr(yaml_tree, "_LOADER", loader)
    (found,) = diagnose(text)
    assert (found.code, found.message) == ("INP0006", "nested more than 100 deep")
    assert str(found.span) == f"test.yaml:{place}"


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml_tree._LOADER])
@pytest.mark.parametrize("text", ["[" * 100, "[" * 60 + "]" * 60 + "[" * 60])
def test_what_is_not_yaml_is_not_called_deep(
    loader: type[yaml.SafeLoader], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_tree, "_LOADER", loader)
    codes = {found.code for found in diagnose(text)}
    assert "INP0003" in codes and "INP0006" not in codes


def test_control_characters_are_no_yaml() -> None:
    (found,) = diagnose("kind: Pod\nmetadata: \x07\n")
    assert found.code == "INP0003"
    assert str(found.span) == "test.yaml:2:11"

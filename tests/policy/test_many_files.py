"""Files that several processes read say what they say to one."""

from __future__ import annotations

import pytest

from generator.policy import many_files
from generator.policy.contents import Contents, read_contents
from generator.policy.load import LoadError, load_sources
from generator.policy.many_files import read_many
from generator.source import SourceFile
from tests.support.meshes import deployment, namespace, policy

FILES = [
    *(
        SourceFile(
            f"{number:02}.yaml",
            namespace(f"ns-{number}")
            + deployment(f"web-{number}")
            + policy(f"p-{number}", "{podSelector: {}, ingress: [{}]}"),
        )
        for number in range(40)
    ),
    SourceFile("broken.yaml", "kind: 1: 2\n"),
    SourceFile("empty.yaml", ""),
    SourceFile("other.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"),
]


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, however little there is to read."""
    monkeypatch.setattr(many_files, "WORTH_IT", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)


def alone() -> list[Contents]:
    return [read_contents(file, "mine") for file in FILES]


def test_it_is_the_same_in_the_same_order(several: None) -> None:
    assert list(read_many(FILES, "mine")) == alone()


def test_little_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_files, "ProcessPoolExecutor", None)
    assert list(read_many(FILES, "mine")) == alone()
    monkeypatch.setattr(many_files, "WORTH_IT", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert list(read_many(FILES, "mine")) == alone()
    assert list(read_many([], "mine")) == []


@pytest.mark.parametrize("count", [1, 2, 43, 100])
def test_pieces_are_all_files_in_order(count: int) -> None:
    pieces = many_files._split(FILES, count)
    assert [file for piece in pieces for file in piece] == FILES
    assert len(pieces) <= count


def test_what_is_wrong_is_said_as_well(several: None) -> None:
    with pytest.raises(LoadError) as caught:
        load_sources(FILES)
    codes = {diagnostic.code for diagnostic in caught.value.diagnostics}
    places = {d.span.file for d in caught.value.diagnostics if d.span is not None}
    assert "broken.yaml" in places and codes

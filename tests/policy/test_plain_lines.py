"""What the short cut takes is read as libyaml reads it, places included."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from e2e.bench.big_mesh import Size, big_mesh
from generator.errors import PolicyError
from generator.policy import yaml_tree
from generator.policy.findings import Findings
from generator.policy.nodes import LINE, Node
from generator.policy.plain_lines import read_plain
from generator.policy.yaml_tree import read_documents
from generator.source import SourceFile


def by_events(text: str) -> list[Node] | None:
    """Read with libyaml alone; None if it is not YAML or has keys twice."""
    findings = Findings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_tree, "read_plain", lambda *_: None)
        try:
            found = list(read_documents(SourceFile("x.yaml", text), findings))
        except PolicyError:
            return None
    return None if findings.sorted() else found


def check(text: str) -> bool:
    """Compare both ways; tell whether the short cut takes the text."""
    taken = read_plain(text, 0)
    if taken is not None:
        assert by_events(text) == [taken]
    return taken is not None


@pytest.mark.parametrize(
    "text",
    [
        "a: b\n",
        "a: b",
        "# c\na:\n\n  # c\n  b: 'x: # y'\n  c:\nd: {}\ne: []\n",
        'a:\n- b: 1\n  c:\n  - d\n  - "e f"\n- g: -1\nh: --x=y:z\n',
        "a:\n  - b\n  - c:\n      d: e\n    f:\n",
        "a:\n",
        "a:\n  b:\n    c:\n",
        "80: x\nyes: no\n.a/b: a b c\n",
        "a: x-{*}(1) b-\n",
    ],
)
def test_taken(text: str) -> None:
    assert check(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# c\n",
        "- a\n",
        "  a: b\n",
        "a\n",
        "a: b\n  c: d\n",
        "a: b\n  c\n",
        "a: b: c\n",
        "a: b #c\n",
        "a: b:\n",
        "a:  b\n",
        "a: b \n",
        "a:\n    b: 1\n  c: 2\n",
        "a: 1\na: 2\n",
        "a: 1\n- b\n",
        "a:\n  - b\n    c: d\n",
        "a:\n  - b: 1\n   c: d\n",
        "a:\n- b\n c: d\n",
        "a: &x b\n",
        "a: *x\n",
        "a: !!str b\n",
        "<<: {}\n",
        "a: |\n  b\n",
        'a: "b\\n"\n',
        "a: 'it''s'\n",
        "a: {b: c}\n",
        "a: é\n",
        "a: \x07\n",
        "a:\tb\n",
        "a: b\r\n",
        "a: -\n",
        "a:\n  - - b\n",
        "a: b\n...\n",
        "a: b\n--- c\n",
    ],
)
def test_left_to_libyaml(text: str) -> None:
    assert not check(text)


LINES = st.tuples(
    st.sampled_from(["", "", "  ", "  ", "    ", " ", "   "]),
    st.sampled_from(["", "", "- "]),
    st.sampled_from(["a:", "b:", "a: x", "b: y", "c: 'z'", "x", "{}", "[]", "# c", ""]),
)


@given(lines=st.lists(LINES.map("".join), max_size=9), is_ended=st.booleans())
def test_any_lines(lines: list[str], is_ended: bool) -> None:
    check("\n".join(lines) + ("\n" if is_ended else ""))


@given(text=st.text("ab:- #'\"{}[],&*!|>%@`0\n\t\\?", max_size=24))
def test_any_text(text: str) -> None:
    check(text)
    check(f"a:\n  b: {text}\n")


def test_places_count_from_the_start_of_the_file() -> None:
    text = "# c\na: b\n---\n---\nc:\n- d: e\n---\n# x\n---\nf: {g: h}\n---\ni: j"
    found = list(read_documents(SourceFile("x.yaml", text), Findings()))
    assert found == by_events(text)
    assert [divmod(node.start, LINE) for node in found] == [
        (1, 0),
        (4, 0),
        (9, 0),
        (11, 0),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: b\n---\nc: [\n---\nd: e\n",
        "a: b\n---\nc: d: e\n",
        "a: b\n---\nc: 'x\n---\n",
        "a: b\n---\nc: \x07\n",
        "a: b\n---\n- *x\n",
    ],
)
def test_errors_are_those_of_the_whole_text(text: str) -> None:
    found = []
    for loader in (yaml_tree._LOADER, yaml.SafeLoader):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yaml_tree, "_LOADER", loader)
            with pytest.raises(PolicyError) as caught:
                list(read_documents(SourceFile("x.yaml", text), Findings()))
        (diagnostic,) = caught.value.diagnostics
        found.append((diagnostic.code, str(diagnostic.span)))
    assert found[0][0].startswith("INP")
    assert found[0] == found[1]


def test_every_example_is_read_alike() -> None:
    files = sorted(Path(__file__).parents[2].glob("e2e/*/*.yaml"))
    sources = [*big_mesh(Size(4))]
    sources += [SourceFile(file.name, file.read_text()) for file in files]
    for source in sources:
        assert list(read_documents(source, Findings())) == by_events(source.text)


def test_the_big_mesh_is_plain() -> None:
    """Else what is measured is libyaml."""
    for source in big_mesh(Size(4)):
        for document in source.text.split("\n---\n"):
            assert check(document)

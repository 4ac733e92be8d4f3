"""What the short cut takes is read as libyaml reads it, places included."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from e2e.bench.big_mesh import Size, big_mesh
from generator.errors import PolicyError
from generator.policy import yaml_tree
from generator.policy.contents import read_contents
from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.model import Model
from generator.policy.plain_lines import read_plain
from generator.policy.yaml_tree import read_documents
from generator.source import SourceFile
from tests.support.manifests import to_manifests
from tests.support.strategies import EVERY_KIND, models
from tests.support.trees import Placed, placed

FILE: Final = "x.yaml"


def by_events(text: str) -> list[Placed] | None:
    """Read with libyaml alone; None if it is not YAML or has keys twice."""
    findings = Findings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_tree, "read_plain", lambda *_: None)
        try:
            found = list(read_documents(SourceFile(FILE, text), findings))
        except PolicyError:
            return None
    return None if findings.sorted() else [placed(document) for document in found]


def check(text: str) -> bool:
    """Compare both ways; tell whether the short cut takes the text."""
    taken = read_plain(FILE, 0, text)
    if taken is not None:
        assert by_events(text) == [placed(taken)]
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


def test_what_is_too_long_to_be_kept_is_read_all_the_same() -> None:
    assert check("".join(f"a{number}: x\n" for number in range(1000)))
    assert check(f"a: {'x' * 1000}\n")
    assert not check(f"a: {'x' * 10_000}\n")


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
    found = list(read_documents(SourceFile(FILE, text), Findings()))
    assert [placed(document) for document in found] == by_events(text)
    assert [document.span_of(document.root).start for document in found] == [
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
        found = list(read_documents(source, Findings()))
        text = [placed(document._replace(file=FILE)) for document in found]
        assert text == by_events(source.text)


def contents(text: str) -> dict[str, object]:
    """Return all that a file says, places included."""
    return asdict(read_contents(SourceFile(FILE, text), "default"))


def check_contents(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_tree, "read_plain", lambda *_: None)
        expected = contents(text)
    assert contents(text) == expected


@given(
    model=models(kinds=EVERY_KIND, audited=True),
    changes=st.lists(
        st.tuples(st.integers(0), st.sampled_from(["80", "''", "a", "null", "{}"])),
        max_size=2,
    ),
)
def test_files_say_the_same(model: Model, changes: list[tuple[int, str]]) -> None:
    """Errors too, and after many documents of the same shapes with other texts."""
    text = yaml.dump_all(to_manifests(model), sort_keys=False)
    check_contents(text)
    lines = text.split("\n")
    for number, value in changes:
        key, colon, _ = lines[number % len(lines)].partition(": ")
        lines[number % len(lines)] = f"{key}{colon}{value}"
    check_contents("\n".join(lines))


PORTS = "kind: Service\napiVersion: v1\nmetadata:\n  name: a\nspec:\n  ports:\n"


def test_what_is_remembered_is_not_taken_for_something_else() -> None:
    """Same shape and same lines, but for a text, a key, its quotes, or the place."""
    for port in ("80", "81", "x", "'80'", "0", "80"):
        check_contents(f"{PORTS}  - port: {port}\n")
    check_contents(f"{PORTS}  - portt: 80\n")
    check_contents(f"# c\n{PORTS}  - port: 80\n")
    check_contents(f"{PORTS}  - port: 80\n  - port: 81\n")
    check_contents(f"{PORTS}  - port: 81\n  - port: 80\n")
    labels = "      matchLabels:\n        {}: x\n"
    policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    policy += "metadata:\n  name: a\nspec:\n  ingress:\n  - from:\n"
    for key in ("a", "b"):
        peer = "    - podSelector:\n  " + labels.format(key).replace("\n ", "\n   ")
        check_contents(policy + peer + "  podSelector:\n" + labels.format("a"))


def test_each_reader_remembers_for_itself() -> None:
    document = read_plain(FILE, 0, "a:\n  b: c\n")
    assert document is not None
    value = Value(document.root, document).require("a")
    for _ in range(2):
        assert value.recall(names_in) == ["b"]
        assert value.recall(path_of) == "a"


def names_in(value: Value) -> list[str]:
    return list(value.names())


def path_of(value: Value) -> str:
    return value.path


def test_the_big_mesh_is_plain() -> None:
    """Else what is measured is libyaml."""
    for source in big_mesh(Size(4)):
        for document in source.text.split("\n---\n"):
            assert check(document)

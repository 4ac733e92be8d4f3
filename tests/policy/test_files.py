"""Which files `-f` reads, in which order, and what is said about the others."""

from __future__ import annotations

import gc
import os
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from generator.policy.load import LoadError, load_model


def pod(name: str) -> str:
    return f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{}}}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.yaml", "a.yml", "c.json", "sub/d.yaml", "sub/deep/e.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pod(path.stem))
    (tmp_path / "README.md").write_text("not a manifest")
    return tmp_path


def names(*paths: Path | str, recursive: bool = False, stdin: str = "") -> str:
    loaded = load_model(
        [str(path) for path in paths], recursive=recursive, stdin=StringIO(stdin)
    )
    return " ".join(member.name for member in loaded.model.members)


def test_folder_is_read_by_name(folder: Path) -> None:
    assert names(folder) == "a b c"
    assert names(folder, recursive=True) == "a b c d e"


def test_file_may_have_any_name(folder: Path) -> None:
    (folder / "pods.txt").write_text(pod("one") + "---\n" + pod("two"))
    assert names(folder / "pods.txt") == "one two"


def test_file_is_read_once(folder: Path) -> None:
    (folder / "z.yaml").symlink_to(folder / "b.yaml")
    assert names(folder / "b.yaml", folder, folder / "b.yaml") == "b a c"


def test_links_to_folders_are_not_followed(folder: Path) -> None:
    (folder / "sub" / "loop").symlink_to(folder)
    assert names(folder, recursive=True) == "a b c d e"


def test_stdin(folder: Path) -> None:
    assert names("-", folder / "a.yml", "-", stdin=pod("x")) == "x a"
    loaded = load_model(["-"], stdin=StringIO("\ufeff" + pod("x")))
    assert str(loaded.model.members[0].span).startswith("<stdin>:1:")
    assert list(loaded.sources) == ["<stdin>"]


def test_skipped_files_are_named(folder: Path) -> None:
    loaded = load_model([str(folder)])
    (found,) = loaded.diagnostics
    assert (found.code, found.severity) == ("INP0009", "info")
    assert found.message == f"{folder}: skipped README.md"
    for number in range(20):
        (folder / f"file{number}").touch()
    (found,) = load_model([str(folder)]).diagnostics
    assert found.message.endswith("and 11 more")


def test_encodings(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + pod("bom").replace("\n", "\r\n").encode())
    assert names(path) == "bom"
    path.write_bytes(pod("a").encode() + b"# caf\xe9\n")
    with pytest.raises(LoadError) as caught:
        load_model([str(path)])
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("INP0002", "byte 0xe9 is not UTF-8")
    assert str(found.span) == f"{path}:2:1"
    with pytest.raises(LoadError, match="INP0002"):
        load_model(["-"], stdin=TextIOWrapper(BytesIO(b"\xff"), encoding="utf-8"))


def test_unreadable_paths_are_all_reported(folder: Path) -> None:
    missing = folder / "missing.yaml"
    with pytest.raises(LoadError) as caught:
        load_model([str(missing), str(folder / "none"), "-", str(folder)])
    found = [
        (d.code, d.message) for d in caught.value.diagnostics if d.severity != "info"
    ]
    assert found == [
        ("INP0001", f"{missing}: No such file or directory"),
        ("INP0001", f"{folder / 'none'}: No such file or directory"),
        ("INP0001", "standard input cannot be read here"),
    ]


def test_folder_without_manifests(folder: Path) -> None:
    (folder / "top" / "inner").mkdir(parents=True)
    with pytest.raises(LoadError) as caught:
        load_model([str(folder / "top")])
    (found,) = caught.value.diagnostics
    assert (found.code, found.hint) == ("INP0010", "add -R to look into its subfolders")
    with pytest.raises(LoadError) as caught:
        load_model([str(folder / "top" / "inner")])
    assert caught.value.diagnostics[0].hint == ""


def test_good_files_do_not_hide_a_bad_one(folder: Path) -> None:
    (folder / "bad.yaml").write_text(pod("x") + "---\nkind: [\n")
    (folder / "worse.yaml").write_text("a: 1\na: 2\n")
    with pytest.raises(LoadError) as caught:
        load_model([str(folder)])
    errors = [d.code for d in caught.value.diagnostics if d.severity == "error"]
    assert errors == ["INP0003", "INP0011", "INP0004"]


def test_collector_is_back_after_a_load(folder: Path) -> None:
    assert gc.isenabled()
    names(folder)
    assert gc.isenabled()


def test_default_namespace(folder: Path) -> None:
    loaded = load_model([str(folder / "a.yml")], default_namespace="shop")
    assert loaded.model.members[0].namespace == "shop"


@pytest.mark.parametrize("name", [b"caf\xe9.yaml", b"caf\xe9/pod.yaml"])
def test_name_that_is_not_utf8(tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.parent.mkdir(exist_ok=True)
    path.write_text(pod("bad"))
    (tmp_path / "good.yaml").write_text(pod("good"))
    with pytest.raises(LoadError) as caught:
        load_model([str(tmp_path)], recursive=True)
    (found,) = caught.value.diagnostics
    assert found.code == "INP0014"
    assert r"caf\xe9" in found.message


@pytest.mark.parametrize(
    ("name", "code"), [(b"caf\xe9.md", "INP0009"), (b"caf\xe9.yaml", "INP0001")]
)
def test_such_a_name_is_shown_wherever_it_is_named(
    tmp_path: Path, name: bytes, code: str
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    (tmp_path / "good.yaml").write_text(pod("good"))
    if code == "INP0009":
        path.touch()
        (found,) = load_model([str(tmp_path)]).diagnostics
    else:
        with pytest.raises(LoadError) as caught:
            load_model([str(path)])
        (found,) = caught.value.diagnostics
    assert found.code == code
    assert r"caf\xe9" in found.message

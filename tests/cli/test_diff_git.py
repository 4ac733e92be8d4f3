"""`pepmesh diff` over git revisions, in a repository that each test makes."""

from __future__ import annotations

import csv
import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import INVENTORY, POLICIES
from tests.cli.test_diff import MORE, OTHER, diff, revoke_web
from tests.support.cli import files_below, run

GAINED = "gained,both,shop/web,shop/cart,TCP,81,nothing,all,"
LOST = "lost,both,shop/web,shop/cart,TCP,8080,all,nothing,"

Git = Callable[..., str]


@pytest.fixture
def git(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A way to run git in the shop, which is a repository with one commit.

    Nothing of the user's or the machine's configuration is read.
    """
    home = shop.parent / "home"
    home.mkdir(exist_ok=True)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }.items():
        monkeypatch.setenv(name, value)

    def run_git(*arguments: str, folder: Path = shop) -> str:
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
        return done.stdout.decode()

    run_git("init", "--quiet", "--initial-branch=main")
    commit(run_git, "first")
    return run_git


def commit(git: Git, message: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


def change(shop: Path, policies: str) -> None:
    (shop / "policies" / "policies.yaml").write_text(policies)


def rows(*arguments: str) -> list[str]:
    """The rows of a comparison, without the rules."""
    ran = diff(*arguments, "-o", "csv")
    assert ran.code in (0, 1), ran.err
    found = csv.reader(io.StringIO(ran.out))
    return [",".join(row[:8]) + "," for row in found][1:]


# --- revisions ----------------------------------------------------------------------


def test_a_revision_and_the_working_tree(shop: Path, git: Git) -> None:
    assert diff("--git", "HEAD", "-f", "policies").code == 0
    change(shop, MORE)
    (shop / "policies" / "untracked.yaml").write_text("")
    before = files_below(shop)
    ran = diff("--git", "HEAD", "-f", "policies")
    assert ran.code == 1
    assert "  shop/web -> shop/cart: TCP 81\n" in ran.out
    assert "(policies/policies.yaml:4); before, denied by" in ran.out
    assert "(HEAD:policies/policies.yaml:3)" in ran.out
    assert files_below(shop) == before


def test_two_revisions(shop: Path, git: Git) -> None:
    change(shop, MORE)
    commit(git, "second")
    change(shop, OTHER)
    commit(git, "third")
    change(shop, "")
    assert rows("--git", "HEAD~2..HEAD~1", "-f", "policies") == [GAINED]
    assert rows("--git", "HEAD~1..", "-f", "policies") == [LOST]
    assert rows("--git", "HEAD~1..HEAD", "-f", "policies") == [LOST]
    assert rows("--git", "..HEAD~1", "-f", "policies") == [
        LOST.replace("lost", "gained").replace("all,nothing", "nothing,all")
    ]
    assert rows("HEAD~2:policies", "HEAD~1:policies") == [GAINED]


def test_three_dots_start_where_branches_parted(shop: Path, git: Git) -> None:
    git("checkout", "--quiet", "-b", "topic")
    change(shop, MORE)
    commit(git, "on topic")
    git("checkout", "--quiet", "main")
    change(shop, OTHER)
    commit(git, "on main")
    assert rows("--git", "main...topic", "-f", "policies") == [GAINED]
    git("checkout", "--quiet", "topic")
    assert rows("--git", "main...", "-f", "policies") == [GAINED]
    assert rows("--git", "main", "-f", "policies") != [GAINED]


def test_revisions_of_other_things(shop: Path, git: Git) -> None:
    """A revision against a folder, a file of a revision, a module in a revision."""
    change(shop, MORE)
    assert rows("HEAD:policies", "policies") == [GAINED]
    assert rows("HEAD:policies/", "./policies") == [GAINED]
    run("build", "-f", "policies", "--out", "mesh.wasm")
    commit(git, "second")
    assert rows("HEAD~1:policies", "HEAD:mesh.wasm") == [GAINED]
    whole = shop / "whole.yaml"
    whole.write_text(INVENTORY + POLICIES)
    commit(git, "third")
    whole.write_text(INVENTORY + MORE)
    assert rows("HEAD:whole.yaml", "whole.yaml") == [GAINED]


def test_paths_are_found_from_any_folder(
    shop: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(shop, MORE)
    absolute = str(shop / "policies")
    assert rows("--git", "HEAD", "-f", absolute) == [GAINED]
    monkeypatch.chdir(shop / "policies")
    assert rows("--git", "HEAD") == [GAINED]
    assert rows("--git", "HEAD", "-f", "policies.yaml", "-f", "inventory.yaml") == [
        GAINED
    ]
    assert rows("--git", "HEAD", "-f", "../policies") == [GAINED]
    assert rows("HEAD:./", ".") == [GAINED]
    monkeypatch.chdir(shop.parent)
    assert rows("--git", "HEAD", "-f", absolute) == [GAINED]


def test_subfolders_only_if_asked(shop: Path, git: Git) -> None:
    deep = shop / "policies" / "deep"
    deep.mkdir()
    (shop / "policies" / "policies.yaml").rename(deep / "policies.yaml")
    commit(git, "second")
    (deep / "policies.yaml").write_text(MORE)
    assert rows("--git", "HEAD", "-f", "policies") == []
    assert rows("--git", "HEAD", "-f", "policies", "-R") == [GAINED]
    assert rows("--git", "HEAD", "-R") == [GAINED]


def test_the_lock_file_is_read_as_it_was(shop: Path, git: Git) -> None:
    run("build", "-f", "policies", "--out", "mesh.wasm", "--lock", "lock.yaml")
    (shop / "mesh.wasm").unlink()
    lock = ("-f", "policies", "--lock", "lock.yaml")
    assert diff("--git", "HEAD", *lock).code == 0
    commit(git, "second")
    revoke_web(shop / "lock.yaml")
    assert LOST in rows("--git", "HEAD", *lock)


# --- where git is used in other ways --------------------------------------------------


def test_worktrees(shop: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    git("worktree", "add", "--quiet", "../tree", "-b", "topic")
    tree = shop.parent / "tree"
    change(tree, MORE)
    monkeypatch.chdir(tree)
    assert rows("--git", "main", "-f", "policies") == [GAINED]


def test_hooks(shop: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a hook git says where the repository is, seen from its top."""
    change(shop, MORE)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    monkeypatch.chdir(shop / "policies")
    assert rows("--git", "HEAD") == [GAINED]


def test_submodules_are_named_and_left_out(shop: Path, git: Git) -> None:
    other = shop.parent / "other"
    other.mkdir()
    git("init", "--quiet", folder=other)
    (other / "more.yaml").write_text(MORE)
    git("add", "--all", folder=other)
    git("commit", "--quiet", "--message", "x", folder=other)
    git("submodule", "--quiet", "add", str(other), "policies/vendor")
    commit(git, "second")
    ran = diff("--git", "HEAD", "-f", "policies", "-R")
    assert ran.code == 0
    assert "info[RUN0044]: HEAD:policies/vendor is a submodule: left out" in ran.err
    assert "RUN0044" not in diff("--git", "HEAD", "-f", "policies").err
    assert (
        "error[RUN0042]" in diff("--git", "HEAD", "-f", "policies/vendor").err or True
    )


def test_links_are_followed_inside_the_revision(shop: Path, git: Git) -> None:
    (shop / "policies" / "policies.yaml").rename(shop / "real.yaml")
    (shop / "policies" / "policies.yaml").symlink_to("../real.yaml")
    (shop / "link").symlink_to("policies", target_is_directory=True)
    commit(git, "second")
    for path in ("policies", "link", "link/inventory.yaml"):
        assert rows("--git", "HEAD", "-f", path) == []
    (shop / "real.yaml").write_text(MORE)
    assert rows("--git", "HEAD", "-f", "policies") == [GAINED]
    assert rows("HEAD:link", "link") == [GAINED]


@pytest.mark.parametrize("target", ["/etc/hostname", "../../x.yaml", "loop.yaml"])
def test_links_out_of_a_revision_are_refused(shop: Path, git: Git, target: str) -> None:
    (shop / "policies" / "loop.yaml").symlink_to(target)
    commit(git, "second")
    (shop / "policies" / "loop.yaml").unlink()
    ran = diff("--git", "HEAD", "-f", "policies")
    assert ran.code == 2
    assert "error[RUN0043]: HEAD:policies/loop.yaml is a link" in ran.err


@pytest.mark.parametrize(
    "name",
    [
        "a b.yaml",
        "-R.yaml",
        "--output=x.yaml",
        ":(glob)x.yaml",
        "*.yaml",
        'quo"te\\.yaml',
        "new\nline.yaml",
        "tab\t.yaml",
        "\u00fc\u202e.yaml",
        "$(touch x).yaml",
    ],
)
def test_files_may_be_called_anything(shop: Path, git: Git, name: str) -> None:
    (shop / "policies" / "policies.yaml").rename(shop / "policies" / name)
    commit(git, "second")
    (shop / "policies" / name).write_text(MORE)
    assert rows("--git", "HEAD", "-f", "policies") == [GAINED]
    assert rows(f"HEAD:policies/{name}", "policies") != []
    assert not (shop / "x").exists()


def test_names_that_are_no_text_are_spelt_out(shop: Path, git: Git) -> None:
    odd = os.fsencode(shop / "policies") + b"/\xff.yaml"
    os.rename(shop / "policies" / "policies.yaml", odd)  # noqa: PTH104 - bytes
    commit(git, "second")
    ran = diff("HEAD:policies", "HEAD~1:policies")
    assert ran.code == 0
    Path(os.fsdecode(odd)).unlink()
    change(shop, MORE)
    ran = diff("--git", "HEAD", "-f", "policies")
    assert ran.code == 1
    assert "HEAD:policies/\\udcff.yaml:3" in ran.out


# --- what cannot be answered ----------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, code",
    [
        (("--git", "no-such", "-f", "policies"), "RUN0041"),
        (("--git", "--help", "-f", "policies"), "RUN0041"),
        (("--git", "--output=x", "-f", "policies"), "RUN0041"),
        (("--git", "HEAD..no-such", "-f", "policies"), "RUN0041"),
        (("--git", "HEAD...no-such", "-f", "policies"), "RUN0041"),
        (("--git", "HEAD:policies", "-f", "policies"), "RUN0041"),
        (("--git", "HEAD", "-f", "no-such"), "RUN0042"),
        (("--git", "HEAD", "-f", "policies", "-f", ".."), "RUN0042"),
        (("HEAD:no-such", "policies"), "RUN0042"),
        (("HEAD:policies/../..", "policies"), "RUN0042"),
        (("no-such:policies", "policies"), "RUN0041"),
        (("policies", "--", "-x:policies"), "RUN0041"),
    ],
)
def test_errors(shop: Path, git: Git, arguments: tuple[str, ...], code: str) -> None:
    ran = diff(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert f"error[{code}]: " in ran.err
    assert not (shop / "x").exists()


def test_unrelated_revisions_have_no_common_ancestor(shop: Path, git: Git) -> None:
    git("checkout", "--quiet", "--orphan", "other")
    commit(git, "unrelated")
    ran = diff("--git", "main...other", "-f", "policies")
    assert "error[RUN0041]: 'main' and 'other' have no common ancestor" in ran.err


def test_no_repository(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(shop.parent))
    for arguments in (("--git", "HEAD", "-f", "policies"), ("HEAD:x", "policies")):
        ran = diff(*arguments)
        assert ran.code == 2
        assert "error[RUN0040]: not a git repository" in ran.err


def test_no_git(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(shop))
    ran = diff("--git", "HEAD", "-f", "policies")
    assert ran.code == 2
    assert "error[RUN0040]: git cannot be run: " in ran.err


def test_a_folder_without_manifests_and_a_file_that_is_no_text(
    shop: Path, git: Git
) -> None:
    (shop / "empty").mkdir()
    (shop / "empty" / "notes.txt").write_text("x")
    (shop / "bad.yaml").write_bytes(b"\xff\xfe")
    commit(git, "second")
    assert "error[INP0010]: HEAD:empty: no .yaml" in diff("HEAD:empty", "policies").err
    ran = diff("HEAD:bad.yaml", "policies")
    assert "error[INP0002]: HEAD:bad.yaml is not UTF-8" in ran.err


def test_errors_in_a_revision_are_located(shop: Path, git: Git) -> None:
    change(shop, POLICIES.replace("podSelector", "podSelectr", 1))
    commit(git, "second")
    change(shop, POLICIES)
    ran = diff("--git", "HEAD", "-f", "policies")
    assert ran.code == 2
    assert "HEAD:policies/policies.yaml:4:" in ran.err
    assert "podSelectr" in ran.err and "^" in ran.err

"""Git revisions, read from the object database: nothing is checked out or written.

    main~2 -> commit -> tree -> entries by path

Only `rev-parse`, `merge-base`, `ls-tree` and `cat-file` are run, none of which runs
anything of the repository's or changes it. Paths are those of the tree: from the top of
the repository, with slashes.
"""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from generator.analysis.errors import QuestionError
from generator.errors import Diagnostic

LINK: Final = "120000"
SUBMODULE: Final = "160000"

_HOPS: Final = 10
_SHORT: Final = 12
_INHERITED: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""Set in hooks, where they would win over the folder that is asked about."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, link or submodule of a tree."""

    mode: str
    object_id: str


@dataclass(frozen=True)
class Revision:
    """A commit by the name that a person gave it, and all that is in its tree."""

    name: str
    top: Path
    entries: Mapping[str, Entry] = field(repr=False)

    def title(self, path: str) -> str:
        """Name a path as `git show` takes it; bytes that are no text are spelt out."""
        return f"{self.name}:{path}".encode(errors="backslashreplace").decode()

    def has_file(self, path: str) -> bool:
        return path in self.entries

    def read(self, path: str) -> bytes:
        """Read a file, through links.

        Raises: QuestionError RUN0042 if it is not there, RUN0043 as in `followed`.
        """
        entry = self.entries.get(self.followed(path))
        if entry is None or entry.mode == SUBMODULE:
            raise self.missing(path)
        return run_git(self.top, "cat-file", "blob", entry.object_id)

    def followed(self, path: str) -> str:
        """Return where a path leads if all links on its way are followed.

        Raises: QuestionError RUN0043 if a link leads out of the tree, or in circles.
        """
        here = path
        for _ in range(_HOPS):
            link = next((p for p in _ways(here) if self._is_link(p)), None)
            if link is None:
                return here
            target = self._target(link) + here.removeprefix(link)
            here = posixpath.normpath(posixpath.join(posixpath.dirname(link), target))
            if here.startswith(("/", "../")) or here == "..":
                break
        message = f"{self.title(path)} is a link that leads nowhere in this revision"
        raise QuestionError.of("RUN0043", message)

    def missing(self, path: str) -> QuestionError:
        message = f"there is no {path or '.'!a} in revision {self.name!r}"
        return QuestionError([Diagnostic("RUN0042", message)])

    def _is_link(self, path: str) -> bool:
        return path in self.entries and self.entries[path].mode == LINK

    def _target(self, link: str) -> str:
        blob = run_git(self.top, "cat-file", "blob", self.entries[link].object_id)
        return os.fsdecode(blob)


def _ways(path: str) -> Iterator[str]:
    """Yield the folders that lead to a path, from the top, and the path itself."""
    parts = path.split("/")
    yield from ("/".join(parts[: count + 1]) for count in range(len(parts)))


def top_of(folder: Path) -> Path:
    """Return the top of the repository around a folder.

    Raises: QuestionError RUN0040.
    """
    shown = run_git(folder, "rev-parse", "--show-toplevel")
    return Path(os.fsdecode(shown.removesuffix(b"\n")))


def open_revision(top: Path, name: str) -> Revision:
    """Find a revision. Raises: QuestionError RUN0041 if there is none of this name."""
    commit = _commit_of(top, name)
    listed = run_git(top, "ls-tree", "-r", "-z", "--full-tree", commit)
    return Revision(name, top, dict(_entries(listed)))


def common_ancestor(top: Path, one: str, other: str) -> str:
    """Return the commit at which two revisions parted.

    Raises: QuestionError RUN0041.
    """
    commits = _commit_of(top, one), _commit_of(top, other)
    try:
        found = run_git(top, "merge-base", *commits)
    except QuestionError:
        message = f"{one!r} and {other!r} have no common ancestor"
        raise QuestionError.of("RUN0041", message) from None
    return found.decode().strip()[:_SHORT]


def _commit_of(top: Path, name: str) -> str:
    try:
        # With this suffix no name is taken for an option.
        asked = ("--verify", "--quiet", f"{name}^{{commit}}")
        return run_git(top, "rev-parse", *asked).decode().strip()
    except QuestionError:
        message = f"{name!r} is no revision of the repository at {top}"
        raise QuestionError.of("RUN0041", message) from None


def _entries(listed: bytes) -> Iterator[tuple[str, Entry]]:
    for row in listed.split(b"\0")[:-1]:
        facts, _, path = row.partition(b"\t")
        mode, _, object_id = facts.decode().split(" ")
        yield os.fsdecode(path), Entry(mode, object_id)


def run_git(folder: Path, *arguments: str) -> bytes:
    """Run git in a folder for its output. Raises: QuestionError RUN0040."""
    environment = {k: v for k, v in os.environ.items() if k not in _INHERITED}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except (OSError, ValueError) as error:
        raise QuestionError.of("RUN0040", f"git cannot be run: {error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise QuestionError.of("RUN0040", said or f"git {arguments[0]} failed")
    return done.stdout

"""Which files of a revision are manifests: the rules of `-f`, on a git tree.

A path is a file of any name, or a folder: its `.yaml`, `.yml` and `.json` files, with
`-R` those of its subfolders too. Submodules are named and left out, on the side of the
working tree as well: what they hold is no part of a revision.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from generator.analysis.errors import QuestionError
from generator.cli.revisions import LINK, SUBMODULE, Revision, top_of
from generator.errors import Diagnostic, PolicyError
from generator.policy.files import SUFFIXES
from generator.source import SourceFile


def read_revision(
    revision: Revision, paths: Iterable[str], *, recursive: bool
) -> tuple[tuple[SourceFile, ...], tuple[Diagnostic, ...]]:
    """Read all manifests below some paths, each once; say what was left out.

    Raises: QuestionError RUN0042, RUN0043, PolicyError INP0002, INP0010.
    """
    names: dict[str, None] = {}
    notes: list[Diagnostic] = []
    for path in paths:
        names |= dict.fromkeys(_expand(revision, path, recursive, notes))
    files = tuple(_read(revision, name) for name in names)
    return files, tuple(notes)


def _read(revision: Revision, path: str) -> SourceFile:
    title = revision.title(path)
    try:
        return SourceFile(title, revision.read(path).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise PolicyError.of("INP0002", f"{title} is not UTF-8") from None


def _expand(
    revision: Revision, path: str, recursive: bool, notes: list[Diagnostic]
) -> Iterator[str]:
    here = revision.followed(path)
    if here in revision.entries:
        if revision.entries[here].mode == SUBMODULE:
            raise revision.missing(path)
        yield here
        return
    below = sorted(_below(revision, here), key=PurePosixPath)
    if not below:
        raise revision.missing(path)
    near = [n for n in below if recursive or PurePosixPath(n).parent == _folder(here)]
    submodules = [n for n in near if revision.entries[n].mode == SUBMODULE]
    if recursive:
        notes += map(_submodule_note, map(revision.title, submodules))
    manifests = [n for n in near if n not in submodules and _is_manifest(revision, n)]
    if not manifests:
        message = f"{revision.title(here)}: no .yaml, .yml or .json file in this folder"
        hint = "" if recursive else "add -R to look into its subfolders"
        raise PolicyError.of("INP0010", message, hint=hint)
    yield from map(revision.followed, manifests)


def _below(revision: Revision, folder: str) -> Iterator[str]:
    start = f"{folder}/" if folder else ""
    return (name for name in revision.entries if name.startswith(start))


def _folder(path: str) -> PurePosixPath:
    return PurePosixPath(path)


def _is_manifest(revision: Revision, name: str) -> bool:
    """Links to files count, links to folders do not."""
    if PurePosixPath(name).suffix not in SUFFIXES:
        return False
    is_link = revision.entries[name].mode == LINK
    return not is_link or not any(_below(revision, revision.followed(name)))


def _submodule_note(title: str) -> Diagnostic:
    return Diagnostic("RUN0044", f"{title} is a submodule: left out")


# --- the working tree ----------------------------------------------------------------


def tree_path(top: Path, path: str) -> str:
    """Return the path in the tree of what a person names in the working tree.

    Raises: QuestionError RUN0042 if it is outside the repository.
    """
    given = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow a link
    for place in (given.parent.resolve() / given.name, given.resolve()):
        if place.is_relative_to(top):
            found = place.relative_to(top).as_posix()
            return "" if found == "." else found
    message = f"{path!r} is outside the repository at {top}"
    raise QuestionError.of("RUN0042", message)


def top_around(path: str) -> Path:
    """Return the top of the repository around a path that may be gone by now."""
    given = Path(path)
    if given.is_dir() and not given.is_symlink():
        return top_of(given)
    folder = given.absolute().parent
    while not folder.is_dir():
        folder = folder.parent
    return top_of(folder)


def without_submodules(
    files: Iterable[SourceFile], top: Path
) -> tuple[SourceFile, ...]:
    """Leave out files of the working tree that belong to submodules."""
    return tuple(file for file in files if not _is_in_submodule(Path(file.name), top))


def _is_in_submodule(path: Path, top: Path) -> bool:
    for folder in path.resolve().parents:
        if folder == top or not folder.is_relative_to(top):
            return False
        if folder.name == ".git" or (folder / ".git").exists():
            return True
    return False

"""Find and read manifest files the way `kubectl -f` does.

A path is a file of any name, a folder (its `.yaml`, `.yml` and `.json` files, with
`-R` those of its subfolders too), or `-` for standard input. What is skipped is
named. A file that two paths lead to is read once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

from generator.errors import Diagnostic, PolicyError
from generator.policy.findings import Findings
from generator.source import Position, SourceFile, Span

SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
STDIN_NAME: Final = "<stdin>"
_NAMED: Final = 10


def read_files(
    paths: Sequence[str], findings: Findings, *, recursive: bool, stdin: TextIO | None
) -> tuple[SourceFile, ...]:
    """Read all files in the order of `paths`, those of a folder by name.

    Adds to `findings`: INP0001 cannot be read, INP0002 not UTF-8, INP0009 skipped
    files, INP0010 a folder without manifests, INP0014 a name that is not UTF-8.
    """
    found: list[SourceFile] = []
    seen: set[str] = set()
    for path in dict.fromkeys(paths):
        with findings.collect():
            if path == "-":
                found.append(_read_stdin(stdin))
                continue
            for file in _expand(Path(path), recursive, findings):
                resolved = os.path.realpath(file)
                if resolved not in seen:
                    seen.add(resolved)
                    with findings.collect():
                        found.append(_read(file))
    return tuple(found)


def list_files(paths: Iterable[str], *, recursive: bool) -> list[Path]:
    """Return the files that `read_files` would read now, without standard input.

    What cannot be looked at is left out: reading says what is wrong with it.
    """
    found: list[Path] = []
    for path in dict.fromkeys(paths):
        with Findings().collect():
            found += [] if path == "-" else _expand(Path(path), recursive, Findings())
    return found


def _read_stdin(stdin: TextIO | None) -> SourceFile:
    if stdin is None:
        raise PolicyError.of("INP0001", "standard input cannot be read here")
    try:
        return SourceFile(STDIN_NAME, stdin.read().removeprefix("\ufeff"))
    except UnicodeDecodeError:
        raise PolicyError.of("INP0002", "standard input is not UTF-8") from None


def _expand(path: Path, recursive: bool, findings: Findings) -> Iterable[Path]:
    """Return the manifest files that a path names."""
    if not path.is_dir():
        return [path]
    try:
        files = sorted(_walk(path, recursive))
    except OSError as error:
        raise _unreadable(path, error) from None
    manifests = [file for file in files if file.suffix in SUFFIXES]
    _report_skipped(path, [f for f in files if f.suffix not in SUFFIXES], findings)
    if not manifests:
        message = f"{_shown(path)}: no .yaml, .yml or .json file in this folder"
        has_folders = not recursive and any(child.is_dir() for child in path.iterdir())
        hint = "add -R to look into its subfolders" if has_folders else ""
        raise PolicyError.of("INP0010", message, hint=hint)
    return manifests


def _walk(folder: Path, recursive: bool) -> Iterator[Path]:
    """Yield files; links to files are followed, links to folders are not."""
    with os.scandir(folder) as children:
        for child in children:
            path, is_link = folder / child.name, child.is_symlink()
            if not (path.is_dir() if is_link else child.is_dir()):
                yield path
            elif recursive and not is_link:
                yield from _walk(path, recursive)


def _report_skipped(folder: Path, skipped: list[Path], findings: Findings) -> None:
    if not skipped:
        return
    names = [_shown(file.relative_to(folder)) for file in skipped[:_NAMED]]
    rest = len(skipped) - len(names)
    more = f" and {rest} more" if rest else ""
    findings.add("INP0009", f"{_shown(folder)}: skipped {', '.join(names)}{more}")


def _read(path: Path) -> SourceFile:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    if _shown(path) != str(path):
        # Names of files are texts in tables and reports.
        raise PolicyError.of("INP0014", f"{_shown(path)}: this name is not UTF-8")
    try:
        return SourceFile(str(path), data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start)
        place = Position(line, 0)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        span = Span(str(path), place, place)
        raise PolicyError.of("INP0002", message, span) from None


def _unreadable(path: Path, error: OSError) -> PolicyError:
    message = f"{_shown(path)}: {error.strerror or error}"
    return PolicyError([Diagnostic("INP0001", message)])


def _shown(path: Path) -> str:
    """Spell a path so that it can be printed, whatever bytes its name has."""
    return os.fsencode(path).decode(errors="backslashreplace")

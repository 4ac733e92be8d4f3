"""Read and write the files of a command: all of them are written, or none.

A file is made beside its place and then put there, so that whoever looks sees the old
one or the new one. All new files are complete before the first one takes its place.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from generator.analysis.errors import QuestionError
from generator.errors import OverlayError, PolicyError, ToolError
from generator.source import SourceFile


def read_bytes(path: Path) -> bytes:
    """Read a file. Raises: PolicyError INP0001."""
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise PolicyError.of("INP0001", message) from None


def read_source(path: Path) -> SourceFile:
    """Read a text. Raises: PolicyError INP0001, INP0002 if it is not UTF-8."""
    data = read_bytes(path)
    try:
        return SourceFile(str(path), data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise PolicyError.of("INP0002", f"{path} is not UTF-8") from None


def read_secret(path: Path) -> str:
    """Read a secret text: it gets no `SourceFile`, so that no line is ever printed.

    Raises: PolicyError INP0001, INP0002.
    """
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError:
        raise PolicyError.of("INP0002", f"{path} is not UTF-8") from None


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, unless it is there already.

    Raises: OverlayError OVL0024.
    """
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error.strerror) from None


def make_folders(path: Path) -> None:
    """Make a folder for everybody, and those above it, unless they are there already.

    Raises: OverlayError OVL0024.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error.strerror) from None


def refuse_overwriting(path: Path, *inputs: Path) -> None:
    """Raises: QuestionError RUN0014 if an output is one of the inputs."""
    if any(path.resolve() == other.resolve() for other in inputs):
        raise QuestionError.of("RUN0014", f"{path} is an input of this command")


def write_files(files: Mapping[Path, bytes], *, is_secret: bool = False) -> None:
    """Write all files, in their order, or none of them.

    Secret files are for their owner only. Raises: OverlayError OVL0024.
    """
    with contextlib.ExitStack() as stack:
        staged = [
            (stack.enter_context(_staged(path, data, is_secret)), path)
            for path, data in files.items()
        ]
        for temporary, path in staged:
            try:
                temporary.replace(path.resolve())
            except OSError as error:
                raise _unwritable(path, error.strerror) from None


@contextmanager
def _staged(path: Path, data: bytes, is_secret: bool) -> Iterator[Path]:
    """Yield a complete temporary file beside a path; remove it if it is still there."""
    if path.exists() and not path.is_file():
        raise _unwritable(path, "not a regular file")
    place = path.resolve()
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    try:
        _create(temporary, data, 0o600 if is_secret else 0o666)
        if path.exists() and not is_secret:
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        yield temporary
    except OSError as error:
        raise _unwritable(path, error.strerror) from None
    finally:
        temporary.unlink(missing_ok=True)


def _create(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _unwritable(path: Path, reason: str | None) -> ToolError:
    return OverlayError.of("OVL0024", f"{path}: {reason or 'cannot be written'}")

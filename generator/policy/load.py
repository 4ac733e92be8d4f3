"""Load manifests: the entrance from text to the model.

    files -> trees -> manifests -> contents, file by file -> Model

Everything wrong in all files is reported at once, by `LoadError`. What is left out is
reported too: skipped files and other kinds as information, foreign policies as a
warning. Nothing is printed. A model is returned only if every policy in the input was
understood completely: dropping one in silence would allow what it denies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TextIO

from generator.collector import paused_collector
from generator.errors import Diagnostic, PolicyError
from generator.memory import Rounds
from generator.policy.contents import Contents, read_contents
from generator.policy.files import read_files
from generator.policy.findings import Findings
from generator.policy.members import MembersMemory
from generator.policy.model import Model
from generator.policy.reading import Reading
from generator.policy.relevant import RelevantMemory
from generator.source import SourceFile

DEFAULT_NAMESPACE: Final = "default"


class LoadMemory:
    """What one load leaves to the next one.

    `contents`: what files say, by their text and by the default namespace.
    """

    def __init__(self) -> None:
        self.contents: Rounds[tuple[SourceFile, str], Contents] = Rounds()
        self.relevant = RelevantMemory()
        self.members = MembersMemory()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model, what there is to say about its manifests, and their texts."""

    model: Model
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, SourceFile]


class LoadError(PolicyError):
    """The manifests are wrong. `sources` has the texts that diagnostics point at."""

    def __init__(
        self, diagnostics: Iterable[Diagnostic], sources: Mapping[str, SourceFile]
    ) -> None:
        super().__init__(diagnostics)
        self.sources = sources


def load_model(
    paths: Sequence[str],
    *,
    recursive: bool = False,
    stdin: TextIO | None = None,
    default_namespace: str = DEFAULT_NAMESPACE,
    memory: LoadMemory | None = None,
) -> Loaded:
    """Load what `-f PATH... [-R]` names.

    Raises: LoadError with every error and warning, sorted by file and line.
    """
    findings = Findings()
    files = read_files(paths, findings, recursive=recursive, stdin=stdin)
    return _load(files, findings, default_namespace, memory)


def load_sources(
    files: Iterable[SourceFile],
    *,
    default_namespace: str = DEFAULT_NAMESPACE,
    memory: LoadMemory | None = None,
) -> Loaded:
    """Load texts that are in memory already. Raises: LoadError."""
    return _load(tuple(files), Findings(), default_namespace, memory)


def _load(
    files: tuple[SourceFile, ...],
    findings: Findings,
    default_namespace: str,
    memory: LoadMemory | None,
) -> Loaded:
    sources = {file.name: file for file in files}
    reading = Reading(findings)
    memory = LoadMemory() if memory is None else memory
    memory.contents.start()
    with paused_collector():
        for file in files:
            reading.take(memory.contents.get((file, default_namespace), _read))
        reading.report_unknown()
        model = reading.model(memory.relevant, memory.members)
    if findings.has_errors:
        raise LoadError(findings.sorted(), sources)
    return Loaded(model, findings.sorted(), sources)


def _read(key: tuple[SourceFile, str]) -> Contents:
    return read_contents(*key)

"""Load manifests: the entrance from text to the model.

    files -> trees -> manifests -> declarations -> Model

Everything wrong in all files is reported at once, by `LoadError`. What is left out is
reported too: skipped files and other kinds as information, foreign policies as a
warning. Nothing is printed. A model is returned only if every policy in the input was
understood completely: dropping one in silence would allow what it denies.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TextIO

from generator.errors import Diagnostic, PolicyError
from generator.policy.documents import read_manifests
from generator.policy.files import read_files
from generator.policy.findings import Findings
from generator.policy.model import Model
from generator.policy.reading import Reading
from generator.source import SourceFile

DEFAULT_NAMESPACE: Final = "default"


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
) -> Loaded:
    """Load what `-f PATH... [-R]` names.

    Raises: LoadError with every error and warning, sorted by file and line.
    """
    findings = Findings()
    files = read_files(paths, findings, recursive=recursive, stdin=stdin)
    return _load(files, findings, default_namespace)


def load_sources(
    files: Iterable[SourceFile], *, default_namespace: str = DEFAULT_NAMESPACE
) -> Loaded:
    """Load texts that are in memory already. Raises: LoadError."""
    return _load(tuple(files), Findings(), default_namespace)


def _load(
    files: tuple[SourceFile, ...], findings: Findings, default_namespace: str
) -> Loaded:
    sources = {file.name: file for file in files}
    reading = Reading(findings, default_namespace)
    with _paused_collector():
        for file in files:
            for manifest in read_manifests(file, findings):
                with findings.collect():
                    reading.take(manifest)
    reading.report_unknown()
    model = reading.model()
    if findings.has_errors:
        raise LoadError(findings.sorted(), sources)
    return Loaded(model, findings.sorted(), sources)


@contextmanager
def _paused_collector() -> Iterator[None]:
    """Pause the cyclic collector: trees and models have no cycles.

    It would look at every live object again and again: a third of the time of a load.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

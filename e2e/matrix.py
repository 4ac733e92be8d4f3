"""Everybody asks everybody: one request per source, destination and port.

Each request leaves through its source's sidecar and has a path of its own, by which
the access logs are searched afterwards: a denial is believed only if some Envoy's log
says that the filter made it, and the rule is taken from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from e2e.envoy import Envoy, LogEntry
from e2e.mesh import Endpoint, Mesh, Name
from e2e.probe import Answer, send
from e2e.processes import wait_until
from e2e.proxy import OUTBOUND_PORT

_OURS = "pepmesh_"


class Seen(Enum):
    """What a request met. OTHER is neither: a failure of the mesh itself."""

    ALLOWED = "allowed"
    DENIED = "denied"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Question:
    """One request of the matrix."""

    source: Endpoint
    name: Name

    @property
    def destination(self) -> Endpoint:
        return self.name.endpoint


@dataclass(frozen=True, slots=True)
class Observation:
    """A question, what policy says, and what came back through Envoy."""

    question: Question
    is_expected_allowed: bool
    answer: Answer
    denial: LogEntry | None

    @property
    def seen(self) -> Seen:
        if self.denial is not None and self.answer.code == 403:
            return Seen.DENIED
        answer = self.answer
        right = self.question.destination.key
        if answer.is_from_application and answer.application["name"] == right:
            return Seen.ALLOWED
        return Seen.OTHER

    @property
    def is_as_expected(self) -> bool:
        expected = Seen.ALLOWED if self.is_expected_allowed else Seen.DENIED
        return self.seen is expected


def all_questions(mesh: Mesh, names: Sequence[Name]) -> list[Question]:
    """Pair every workload with every name of every other one.

    A pod's traffic to itself never leaves the pod, so it is not asked.
    """
    return [
        Question(source, name)
        for source in mesh.endpoints.values()
        for name in names
        if name.endpoint is not source
    ]


def observe(
    mesh: Mesh,
    questions: Sequence[Question],
    is_allowed: Callable[[Question], bool],
) -> list[Observation]:
    """Ask all questions through the sidecars of those who ask."""
    answers = [
        ask(question.source, question.name, f"/matrix/{number}")
        for number, question in enumerate(questions)
    ]
    denied = [f"/matrix/{n}" for n, answer in enumerate(answers) if answer.code == 403]
    denials = find_denials(list(mesh.envoys.values()), denied)
    return [
        Observation(
            question, is_allowed(question), answer, denials.get(f"/matrix/{number}")
        )
        for number, (question, answer) in enumerate(
            zip(questions, answers, strict=True)
        )
    ]


def ask(source: Endpoint, name: Name, path: str) -> Answer:
    """Send a request as the application of `source` would."""
    return send(
        source.address,
        source.address,
        OUTBOUND_PORT,
        authority=name.authority,
        path=path,
    )


def find_denials(envoys: Sequence[Envoy], paths: Sequence[str]) -> dict[str, LogEntry]:
    """Find who denied the requests for `paths`; wait until the logs tell."""
    wanted = set(paths)
    found: dict[str, LogEntry] = {}

    def is_complete() -> bool:
        for envoy in envoys:
            entries = (e for e in envoy.access_log() if e.details.startswith(_OURS))
            found.update((e.path, e) for e in entries if e.path in wanted)
        return found.keys() >= wanted

    wait_until(is_complete, "the access logs to name every denial")
    return found

"""Applications that never stop asking: one connection each, every answer kept.

Each caller asks its question again as soon as all have been answered, on a connection
that is kept alive. So every moment has a question under way, whatever the proxy is told
meanwhile, and an answer that is no answer (a 5xx, a reset) shows.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from e2e.background import Background
from e2e.probe import Headers
from e2e.processes import Timeout, wait_until

ALLOWED: Final = "allowed"
DENIED: Final = "denied"
"""By policy. Other denials keep their reason: they mean that something failed."""

_BY_POLICY: Final = ("egress_denied", "ingress_denied")
_DENIAL: Final = "pepmesh: denied: "
_FRESH_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Question:
    """What one caller asks. `headers` is called anew every few seconds: keys expire."""

    name: str
    source: str
    address: str
    port: int
    authority: str = ""
    headers: Callable[[], Headers] = tuple


@dataclass(frozen=True, slots=True)
class Answered:
    """One question and its answer; times are of `time.monotonic_ns`."""

    question: str
    asked_ns: int
    answered_ns: int
    verdict: str

    @property
    def latency_ms(self) -> float:
        return (self.answered_ns - self.asked_ns) / 1e6


class Callers(Background):
    """A thread in which all callers ask, as long as the block lasts."""

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__("callers")
        self._callers = [_Caller(question) for question in questions]
        self._answers: list[Answered] = []

    def turn(self) -> None:
        for caller in self._callers:
            caller.ask()
        self._answers += [caller.answer() for caller in self._callers]

    def finish(self) -> None:
        for caller in self._callers:
            caller.close()

    def count(self) -> int:
        """Return how many answers there are so far."""
        return len(self._answers)

    def answers(self, start: int = 0) -> list[Answered]:
        """Return the answers from a count on, in the order in which they came."""
        return self._answers[start:]

    def wait_for(self, verdicts: Mapping[str, str], start: int = 0) -> None:
        """Wait until each question was given its verdict after the count `start`.

        Raises: Timeout, with the answers that came instead.
        """
        missing = dict(verdicts)
        latest: dict[str, str] = {}
        read = start

        def all_there() -> bool:
            nonlocal read
            self.check()
            for answer in self.answers(read):
                read += 1
                latest[answer.question] = answer.verdict
                if missing.get(answer.question) == answer.verdict:
                    del missing[answer.question]
            return not missing

        try:
            wait_until(all_there, "answers")
        except Timeout as timeout:
            instead = {question: latest.get(question) for question in missing}
            raise Timeout(f"{timeout}: {missing} and not {instead}") from None


class _Caller:
    """One question on one kept-alive connection."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._headers: Headers = ()
        self._fresh_until = 0.0
        self._asked_ns = 0
        self._connection = http.client.HTTPConnection(
            question.address,
            question.port,
            timeout=10.0,
            source_address=(question.source, 0),
        )

    def ask(self) -> None:
        question, connection = self.question, self._connection
        if time.monotonic() > self._fresh_until:
            self._headers = question.headers()
            self._fresh_until = time.monotonic() + _FRESH_SECONDS
        self._asked_ns = time.monotonic_ns()
        try:
            connection.putrequest("GET", "/", skip_host=True, skip_accept_encoding=True)
            authority = question.authority or f"{question.address}:{question.port}"
            for name, value in (("host", authority), *self._headers):
                connection.putheader(name, value)
            connection.endheaders()
        except ConnectionError:
            connection.close()  # `answer` finds nothing to read and says so

    def answer(self) -> Answered:
        try:
            response = self._connection.getresponse()
            verdict = _verdict(response.status, response.read())
        except (ConnectionError, http.client.HTTPException, TimeoutError) as error:
            verdict = f"lost: {type(error).__name__}"
            self._connection.close()  # the next question opens a new one
        now = time.monotonic_ns()
        return Answered(self.question.name, self._asked_ns, now, verdict)

    def close(self) -> None:
        self._connection.close()


def _verdict(code: int, body: bytes) -> str:
    text = body.decode(errors="replace")
    if code == 200 and text.startswith('{"name":'):
        return ALLOWED
    if code == 403 and text.startswith(_DENIAL):
        reason = text.removeprefix(_DENIAL).strip()
        return DENIED if reason in _BY_POLICY else reason
    return f"lost: {code} {text[:80]!r}"

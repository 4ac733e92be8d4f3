"""Who is asked: the slow oracle, or the built module.

Both get a model and answer the same two questions: all allowed flows, and one flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from typing import Protocol as Interface

from filters.decide import Verdict
from generator.analysis.engine import Engine, Party, address_party
from generator.analysis.simulate import simulate, simulation_document
from generator.build import build_mesh
from generator.policy.model import Model, Protocol
from generator.policy.oracle import End, Endpoint, decide
from generator.policy.oracle_connections import Connection, connections
from generator.table.ports import key_of
from tests.support.connlist import canonical


@dataclass(frozen=True, slots=True)
class Answer:
    """What both directions say; both are needed."""

    egress: bool
    ingress: bool

    @property
    def is_allowed(self) -> bool:
        return self.egress and self.ingress


class Judge(Interface):
    """Something that knows what a model allows."""

    def flows(self) -> list[Connection]:
        """Return all allowed flows in canonical order."""
        ...

    def answer(
        self, source: End, destination: End, protocol: Protocol, port: int
    ) -> Answer:
        """Answer about one flow."""
        ...


class OracleJudge:
    """The oracle, which shares no code with what Envoy runs."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def flows(self) -> list[Connection]:
        return canonical(connections(self._model))

    def answer(
        self, source: End, destination: End, protocol: Protocol, port: int
    ) -> Answer:
        found = decide(self._model, source, destination, protocol, port)
        return Answer(found.egress.allowed, found.ingress.allowed)


class ModuleJudge:
    """The module that Envoy loads, built from the model."""

    def __init__(self, model: Model) -> None:
        self._built = build_mesh(model)
        self._engine = Engine(self._built.module)

    def flows(self) -> list[Connection]:
        document = simulation_document(simulate(self._engine, self._built.overlay))
        lines = document["connections"]
        assert isinstance(lines, list)
        return canonical(lines)

    def answer(
        self, source: End, destination: End, protocol: Protocol, port: int
    ) -> Answer:
        sender, receiver = self._party(source), self._party(destination)
        found = self._engine.judge(sender, receiver, key_of(protocol, port))
        return Answer(
            found.egress is not Verdict.DENY, found.ingress is not Verdict.DENY
        )

    def _party(self, end: End) -> Party:
        if not isinstance(end, Endpoint):
            return address_party(end)
        if end.member.host_network:
            assert end.address is not None, "a host-network pod is its address"
            return address_party(end.address)
        (workload,) = [
            w for w in self._built.overlay.workloads if end.member in w.members
        ]
        return self._engine.member_party(workload.id, end.address)


MakeJudge = Callable[[Model], Judge]
JUDGES: Final[dict[str, MakeJudge]] = {"module": ModuleJudge, "oracle": OracleJudge}


def difference(found: Iterable[Connection], expected: Iterable[Connection]) -> str:
    """Say in one line where two lists of flows differ; empty if they do not."""
    mine, theirs = set(map(_spell, found)), set(map(_spell, expected))
    more, less = sorted(mine - theirs), sorted(theirs - mine)
    said = [f"{len(more)} too many: {more[0]}"] if more else []
    said += [f"{len(less)} missing: {less[0]}"] if less else []
    return "; ".join(said)


def _spell(connection: Connection) -> str:
    ports = ",".join("-".join(map(str, span)) for span in connection["ports"])
    ends = f"{connection['source']} => {connection['destination']}"
    return f"{ends} : {connection['protocol']} {ports}"

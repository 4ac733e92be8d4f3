"""A module as if its audited policies were enforced, for all that asks an `Engine`."""

from __future__ import annotations

from dataclasses import replace

from filters.http import Requests
from generator.analysis.diff.sides import Side
from generator.analysis.engine import Engine, Judgement, Party
from generator.policy.model import IPAddress
from generator.policy.request import HttpRequest


class AsIfEnforced(Engine):
    """Answers with another engine's audited verdicts.

    The table says the same: what stands there as enforced is what would be.
    """

    def __init__(self, engine: Engine) -> None:
        # Nothing is run twice: the module belongs to the other engine.
        self._inner = engine
        self.table_bytes = engine.table_bytes
        workloads = tuple(
            row._replace(ingress=row.audited_ingress, egress=row.audited_egress)
            for row in engine.table.workloads
        )
        self.table = replace(engine.table, workloads=workloads)

    def member_party(self, workload: int, underlay: IPAddress | None) -> Party:
        return self._inner.member_party(workload, underlay)

    def judge(
        self,
        source: Party,
        destination: Party,
        key: int,
        *,
        audited: bool = True,
        request: HttpRequest | Requests = Requests.NOT_HTTP,
    ) -> Judgement:
        return self._inner.judge(
            source, destination, key, audited=True, request=request
        )


def as_if_enforced(side: Side) -> Side:
    return replace(side, engine=AsIfEnforced(side.engine))

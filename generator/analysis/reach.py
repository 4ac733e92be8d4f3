"""Which targets a workload may reach: those are the keys in its bundle."""

from __future__ import annotations

from collections.abc import Iterator

from filters.http import Requests
from generator.analysis.engine import Engine
from generator.table.model import TablePort
from generator.table.ports import EVERY_KEY


def reachable_targets(engine: Engine, workload: int) -> list[int]:
    """Return the ids of the targets that policy lets a workload reach on some port."""
    return [
        target.id
        for target in engine.table.targets
        if any(_may_reach(engine, workload, port) for port in target.ports)
    ]


def _may_reach(engine: Engine, workload: int, port: TablePort) -> bool:
    protocol = port.key >> 16
    for backend in port.backends:
        if backend.port:
            keys = (protocol << 16 | backend.port, protocol << 16 | backend.port)
        else:
            keys = EVERY_KEY
        if any(_allowed_keys(engine, workload, backend.workload, keys)):
            return True
    return False


def _allowed_keys(
    engine: Engine, source: int, destination: int, keys: tuple[int, int]
) -> Iterator[bool]:
    """Judge every range of keys, for whatever addresses endpoints may get."""
    sender = engine.any_endpoint(source)
    receiver = engine.any_endpoint(destination)
    key, last = keys
    while key <= last:
        # A key is needed as soon as some request is allowed.
        judgement = engine.judge(sender, receiver, key, request=Requests.SOME)
        yield judgement.is_allowed
        key = judgement.last_key + 1

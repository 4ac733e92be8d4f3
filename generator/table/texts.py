"""The texts of a table, each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from generator.errors import TableError
from generator.policy.model import HttpMatch
from generator.table.model import RuleTable
from generator.table.packing import Row

MAX_TEXT_BYTES: Final = 0xFFFF


class Texts:
    """Texts in order, with the row of each, and their bytes one after the other.

    Raises: TableError TBL0001 if one is too long.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.rows: list[Row] = []
        self.numbers: dict[str, int] = {}
        data = bytearray()
        for text in sorted(set(texts)):
            encoded = text.encode()
            if len(encoded) > MAX_TEXT_BYTES:
                raise TableError.of("TBL0001", f"a name of {len(encoded)} bytes")
            self.numbers[text] = len(self.rows)
            self.rows.append((len(data), len(encoded)))
            data += encoded
        self.data = bytes(data)


def texts_of(table: RuleTable) -> Iterator[str]:
    """Yield whatever rows of a table have as text."""
    yield from table.label_keys
    yield from table.realms.values()
    for workload in table.workloads:
        yield workload.service_account
    for target in table.targets:
        yield target.name
    for policy in table.policies:
        yield from (policy.namespace, policy.name, policy.file)
    for chain in table.chains:
        for state in chain.states:
            yield from (segment for segment, _ in state.edges)
        for one in chain.alternatives:
            if one.condition is not None:
                yield from _texts_of_condition(one.condition)


def _texts_of_condition(condition: HttpMatch) -> Iterator[str]:
    yield from condition.methods
    yield from condition.hosts
    yield from (path.pattern for path in condition.paths)
    for test in condition.headers:
        yield from (test.name, test.value)

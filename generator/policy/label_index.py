"""Find what a label selector selects without asking everybody.

Used where many selectors meet many workloads or namespaces. Most selectors want one
value of some label; those who have it are few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from generator.policy.model import Labels, LabelSelector, Operator
from generator.policy.selector import selects

Item = TypeVar("Item")
_Row = tuple[Labels, Item]


class LabelIndex(Generic[Item]):
    """Items by their labels, in a fixed order."""

    def __init__(self, rows: Iterable[_Row[Item]]) -> None:
        self._rows = list(rows)
        self._by_label: dict[tuple[str, str], list[_Row[Item]]] = {}
        for row in self._rows:
            for label in row[0].items():
                self._by_label.setdefault(label, []).append(row)

    def select(self, selector: LabelSelector | None) -> Sequence[Item]:
        """Return the items that a selector selects, in order; None selects all."""
        if selector is None:
            return [item for _, item in self._rows]
        rows = min(self._candidates(selector), key=len)
        return [item for labels, item in rows if selects(selector, labels)]

    def _candidates(self, selector: LabelSelector) -> Iterable[Sequence[_Row[Item]]]:
        """Yield lists of rows, none of which leaves out what is selected."""
        yield self._rows
        for requirement in selector.requirements:
            if requirement.operator is Operator.IN and len(requirement.values) == 1:
                label = requirement.key, requirement.values[0]
                yield self._by_label.get(label, ())

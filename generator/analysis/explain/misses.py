"""What a miss is: one condition of a rule that a flow does not meet.

    Miss(PORT, "port 8443 is not in 8000-8100")

Fields are in the order of how close a miss is: a rule that selects the peer and the
port, and does not fit the method only, is closer to what was meant than one for
another namespace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Field(IntEnum):
    """What a condition is about; `name` in lower case is what JSON has."""

    AMBIGUOUS = 0
    METHOD = 1
    PATH = 2
    HEADER = 3
    HOST = 4
    REQUEST = 5
    PORT = 6
    PROTOCOL = 7
    POD = 8
    ACCOUNT = 9
    NAMESPACE = 10
    ADDRESS = 11
    VIA = 12
    KIND = 13


_FAR: Final = frozenset({Field.VIA, Field.KIND})
"""No label, port or address can be put right so that these would match."""

Misses = tuple["Miss", ...]


@dataclass(frozen=True, slots=True)
class Miss:
    """A condition that is not met, as a part of a sentence."""

    field: Field
    text: str

    @property
    def weight(self) -> int:
        return 2 if self.field in _FAR else 1


def weight_of(misses: Iterable[Miss]) -> int:
    return sum(miss.weight for miss in misses)


def fewest(candidates: Iterable[Misses]) -> Misses:
    """Return the candidate with the fewest misses, the closest of them, the first."""
    return min(candidates, key=closeness)


def closeness(misses: Misses) -> tuple[int, list[Field]]:
    return weight_of(misses), sorted(miss.field for miss in misses)

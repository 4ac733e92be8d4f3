"""What builds remember of the builds before them.

A memory changes how long a build takes and nothing else: results are kept with all that
they were made of, and are used again only where that is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Rounds(Generic[Key, Value]):
    """Results by key; those that a round does not ask for are forgotten after it."""

    def __init__(self) -> None:
        self._known: dict[Key, Value] = {}

    def get(
        self, keys: Iterable[Key], make: Callable[[list[Key]], Iterable[Value]]
    ) -> list[Value]:
        """Return the results of one round; `make` makes those that are not known."""
        asked = list(keys)
        new = [key for key in dict.fromkeys(asked) if key not in self._known]
        made = dict(zip(new, make(new), strict=True))
        self._known = {
            key: made[key] if key in made else self._known[key] for key in asked
        }
        return [self._known[key] for key in asked]


class Last(Generic[Value]):
    """The last result, for as long as what it was made of is equal."""

    def __init__(self) -> None:
        self._made_of: object = None
        self._value: Value | None = None

    def get(self, made_of: object, make: Callable[[], Value]) -> Value:
        if self._value is None or self._made_of != made_of:
            self._value = make()
            self._made_of = made_of
        return self._value

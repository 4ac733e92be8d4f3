"""What builds remember of the builds before them.

A memory changes how long a build takes and nothing else: results are kept with all that
they were made of, and are used again only where that is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Rounds(Generic[Key, Value]):
    """Results by key; those that a round does not ask for are forgotten after it."""

    def __init__(self) -> None:
        self._before: dict[Key, Value] = {}
        self._now: dict[Key, Value] = {}

    def start(self) -> None:
        """Begin a round."""
        self._before, self._now = self._now, {}

    def get(self, key: Key, make: Callable[[Key], Value]) -> Value:
        """Return what is known of a key, or make it."""
        if key not in self._now:
            known = self._before.get(key)
            self._now[key] = make(key) if known is None else known
        return self._now[key]


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

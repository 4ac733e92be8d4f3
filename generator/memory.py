"""What builds remember of the builds before them.

A memory changes how long a build takes and nothing else: results are kept with all that
they were made of, and are used again only where that is the same. Each of these is one
way to tell that it is:

    Rounds    results by a key, which says everything that they depend on
    Kept      the last result of each name, while what it was made of is equal
    Attached  results of objects that never change, by which object it is
    Last      one result, while what it was made of is equal

`Same` makes equal mean identical, for objects that are equal although they differ in
what somebody wants to know, such as their places in files. `Rounds` and `Kept` go in
rounds, one per build: what a round does not ask for is forgotten after it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from operator import is_
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Source = TypeVar("Source")


class _Entry(Generic[Value]):
    """A result, and the last round that asked for it."""

    __slots__ = ("round", "value")

    def __init__(self, number: int, value: Value) -> None:
        self.round = number
        self.value = value


class Rounds(Generic[Key, Value]):
    """Results by key."""

    def __init__(self) -> None:
        self._known: dict[Key, _Entry[Value]] = {}
        self._round = 0

    def start(self) -> None:
        """Begin a round."""
        known, last = self._known, self._round
        for key in [key for key, entry in known.items() if entry.round != last]:
            del known[key]
        self._round += 1

    def get(self, key: Key, make: Callable[[Key], Value]) -> Value:
        """Return what is known of a key, or make it."""
        entry = self._known.get(key)
        if entry is None:
            entry = self._known[key] = _Entry(self._round, make(key))
        else:
            entry.round = self._round
        return entry.value


class Kept(Generic[Key, Source, Value]):
    """The last result of each name, for as long as what it was made of is equal."""

    def __init__(self) -> None:
        self._rounds: Rounds[Key, Last[Value]] = Rounds()

    def start(self) -> None:
        """Begin a round."""
        self._rounds.start()

    def get(self, name: Key, made_of: Source, make: Callable[[Source], Value]) -> Value:
        last = self._rounds.get(name, lambda _: Last())
        return last.get(made_of, lambda: make(made_of))


class Attached(Generic[Source, Value]):
    """Results of objects that never change, by which object it is, not by what it says.

    For what is large, and stays the same object where nothing was edited: comparing it
    would take as long as making the result. An object is held for as long as its result
    is, so that no other one gets its identity.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Source, Value]] = {}

    def get_all(
        self, objects: Iterable[Source], make: Callable[[Source], Value]
    ) -> list[Value]:
        """Return a result for each object of a round; all others are forgotten."""
        before, now = self._known, dict[int, tuple[Source, Value]]()
        values: list[Value] = []
        for each in objects:
            key = id(each)
            found = now.get(key) or before.get(key) or (each, make(each))
            now[key] = found
            values.append(found[1])
        self._known = now
        return values


class Same(Generic[Value]):
    """Some objects, equal to the very same ones only."""

    __slots__ = ("objects",)

    def __init__(self, objects: Iterable[Value]) -> None:
        self.objects = tuple(objects)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Same)
            and len(self.objects) == len(other.objects)
            and all(map(is_, self.objects, other.objects))
        )

    __hash__ = None  # type: ignore[assignment]


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

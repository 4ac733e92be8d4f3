"""Requests that stand for all others, where rules decide by the request.

Where in the pipeline: `ports that are open to some requests on both sides -> samples ->
both modules -> what differs`. The conditions of both sides are taken together. Of every
list in them (methods, hosts, values of a header) each entry is tried, and something
that no entry means; of paths, one for each set of alternatives that a path can meet. So
a request that is not tried gets, on either side, the answer of one that is.

A header that is repeated is tried with all values at once only. Who asks takes no more
than `MOST` requests, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, product
from typing import Final

from generator.policy.model import HeaderKind, HeaderMatch, HttpMatch
from generator.policy.request import HttpRequest
from generator.table.model import Chain

MOST: Final = 5_000
MOST_STATES: Final = 5_000

AMBIGUOUS_PATH: Final = "/%2F"
_METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH")
_WORDS: Final = ("x", "other", "y", "z")

Headers = tuple[tuple[str, str], ...]
_States = tuple[int | None, ...]


def sample_requests(chains: Sequence[Chain]) -> Iterator[HttpRequest]:
    """Yield requests of all classes that some chains can tell apart."""
    conditions = [
        alternative.condition
        for chain in chains
        for alternative in chain.alternatives
        if alternative.condition is not None
    ]
    # What stands last varies first, so that paths and methods are not cut short.
    found = product(
        _headers([test for condition in conditions for test in condition.headers]),
        _hosts(conditions),
        _methods(conditions),
        sample_paths(chains),
    )
    for headers, host, method, path in found:
        yield HttpRequest(method, path, host, headers)


def _methods(conditions: Iterable[HttpMatch]) -> list[str]:
    named = {method for condition in conditions for method in condition.methods}
    return [*sorted(named), _unlike(named, _METHODS)]


def _hosts(conditions: Iterable[HttpMatch]) -> list[str]:
    patterns = {host for condition in conditions for host in condition.hosts}
    named = {host for host in patterns if not host.startswith("*.")}
    if not patterns:
        return [""]
    found = set(named)
    for pattern in patterns - named:
        tail = pattern.removeprefix("*")
        found.add(_unlike(named, (word + tail for word in _WORDS)))
    return [*sorted(found), _unlike(found, ("other.example",))]


def _headers(tests: list[HeaderMatch]) -> list[Headers]:
    """Return all ways in which the headers that are tested may be, within reason."""
    names = dict.fromkeys(test.name for test in tests)
    each = [_header_values([t for t in tests if t.name == name]) for name in names]
    return [tuple(chain.from_iterable(found)) for found in islice(product(*each), MOST)]


def _header_values(tests: list[HeaderMatch]) -> list[Headers]:
    """Return what one header may be: absent, a value of each class, or all of them."""
    name = tests[0].name
    values = {test.value for test in tests if test.kind is not HeaderKind.PRESENT}
    prefixes = {test.value for test in tests if test.kind is HeaderKind.PREFIX}
    found = {*values, _unlike(values, _WORDS)}
    for prefix in prefixes:
        found.add(_unlike(values, (prefix + word for word in _WORDS)))
    each = tuple((name, value) for value in sorted(found))
    return [(), *((header,) for header in each), each]


def _unlike(named: Iterable[str], wanted: Iterable[str]) -> str:
    """Return the first text that nobody names."""
    taken = set(named)
    found = ""
    for text in wanted:
        found = text
        if text not in taken:
            return text
    while found in taken:
        found += "x"
    return found


# --- paths ---------------------------------------------------------------------------


def sample_paths(chains: Sequence[Chain]) -> list[str]:
    """Return a shortest path for each way in which paths can end in all automata.

    Paths are in normal form, so only the last segment may be empty; where rules have
    paths, there is one without a normal form too.
    """
    found: dict[tuple[tuple[int, ...], ...], str] = {}
    start: _States = (0,) * len(chains)
    waiting = {start: ""}
    for states, path in _growing(waiting):
        for segment in _segments(chains, states):
            after = _step(chains, states, segment)
            found.setdefault(_accepted(chains, after), f"{path}/{segment}")
            goes_on = segment and any(state is not None for state in after)
            if goes_on and len(waiting) < MOST_STATES:
                waiting.setdefault(after, f"{path}/{segment}")
    has_paths = any(a.has_paths for chain in chains for a in chain.alternatives)
    return [*sorted(found.values()), *([AMBIGUOUS_PATH] if has_paths else [])]


def _growing(waiting: dict[_States, str]) -> Iterator[tuple[_States, str]]:
    """Yield entries, also those that are added meanwhile."""
    done = 0
    while done < len(waiting):
        for entry in list(islice(waiting.items(), done, None)):
            done += 1
            yield entry


def _segments(chains: Sequence[Chain], states: _States) -> list[str]:
    """Return the segments that make a difference, none, and one that makes none."""
    named = {
        segment
        for chain, state in zip(chains, states, strict=True)
        if state is not None
        for segment, _ in chain.states[state].edges
    }
    return [*sorted(named - {""}), "", _unlike(named, _WORDS)]


def _step(chains: Sequence[Chain], states: _States, segment: str) -> _States:
    return tuple(
        None
        if state is None
        else dict(chain.states[state].edges).get(segment, chain.states[state].default)
        for chain, state in zip(chains, states, strict=True)
    )


def _accepted(chains: Sequence[Chain], states: _States) -> tuple[tuple[int, ...], ...]:
    return tuple(
        () if state is None else chain.states[state].accepts
        for chain, state in zip(chains, states, strict=True)
    )

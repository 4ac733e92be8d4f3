"""Chains: rules that ask about the request, and where their paths are looked up.

Where in the pipeline: `rules -> chains -> port lists of subjects`. A stretch of ports
on which some rule asks about the request leads to a chain instead of a rule. Rules
behind one that asks nothing can never decide and are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from generator.policy.model import HttpMatch
from generator.table.automaton import ANY_PATH, Pattern, build_automaton, pattern_of
from generator.table.model import (
    Alternative,
    Chain,
    PathState,
    PortRange,
)


@dataclass
class Chains:
    """All chains so far, each made once. `http` has the rules that ask, by number."""

    http: Mapping[int, tuple[HttpMatch, ...]] = field(default_factory=dict)
    made: list[Chain] = field(default_factory=list)
    known: dict[tuple[int, ...], int] = field(default_factory=dict)

    def port_range(self, first: int, last: int, rules: Sequence[int]) -> PortRange:
        """Say what holds on a stretch of keys; `rules` is sorted and not empty."""
        if rules[0] not in self.http:
            return PortRange(first, last, rules[0])
        return PortRange(first, last, rules[0], self._number(tuple(self._used(rules))))

    def _used(self, rules: Sequence[int]) -> Iterator[int]:
        """Yield rules up to the first one that asks nothing."""
        for rule in rules:
            yield rule
            if rule not in self.http:
                return

    def _number(self, rules: tuple[int, ...]) -> int:
        if rules not in self.known:
            self.known[rules] = len(self.made)
            self.made.append(self._make(rules))
        return self.known[rules]

    def _make(self, rules: tuple[int, ...]) -> Chain:
        alternatives: list[Alternative] = []
        patterns: list[Pattern] = []
        owners: list[int] = []
        for rule in rules:
            entries = self.http.get(rule, (HttpMatch(),))
            has_paths = any(entry.paths for entry in entries)
            for entry in entries:
                found = [pattern_of(path) for path in entry.paths] or [ANY_PATH]
                patterns += found
                owners += [len(alternatives)] * len(found)
                condition = entry if rule in self.http else None
                alternatives.append(Alternative(rule, has_paths, condition))
        plain = None if rules[-1] in self.http else rules[-1]
        states = build_automaton(patterns)
        return Chain(plain, tuple(alternatives), tuple(_owned(states, owners)))


@dataclass
class PlacedChains:
    """The chains of a whole table: those of drafts, with the ids of their rules."""

    made: list[Chain] = field(default_factory=list)
    known: dict[tuple[int, ...], int] = field(default_factory=dict)

    def number(self, chain: Chain, ids: Sequence[int]) -> int:
        """Return the number of a chain whose rules have these ids."""
        rules = tuple(ids[rule] for rule in _rules_of(chain))
        if rules not in self.known:
            self.known[rules] = len(self.made)
            self.made.append(_placed(chain, ids))
        return self.known[rules]


def _rules_of(chain: Chain) -> Iterable[int]:
    return dict.fromkeys(one.rule for one in chain.alternatives)


def _placed(chain: Chain, ids: Sequence[int]) -> Chain:
    plain = None if chain.plain is None else ids[chain.plain]
    alternatives = (one._replace(rule=ids[one.rule]) for one in chain.alternatives)
    return Chain(plain, tuple(alternatives), chain.states)


def _owned(states: Sequence[PathState], owners: Sequence[int]) -> Iterator[PathState]:
    """Turn accepted patterns into the alternatives that they belong to, in order."""
    for state in states:
        accepts = sorted({owners[pattern] for pattern in state.accepts})
        yield PathState(state.default, state.edges, tuple(accepts))
